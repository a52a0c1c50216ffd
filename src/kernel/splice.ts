import { SPLICE_F, SPLICE_F_ALL } from '../uapi/splice';
import type { BackingFile, MemRange } from './file';
import type { IoReq } from './io_req';
import type { Kernel } from './kernel';
import type { OpenFile } from './open_file';
import { Pipe } from './pipe';
import type { IoTask } from './request';
import type { Gen } from './sched';
import { spliceWithPipe } from './splice_pipe';

const EBADF = -9;
const EINVAL = -22;
const EAGAIN = -11;
const EFAULT = -14;
const PAGE = 4096;
/** ret < 0 of an inner call printed by a return probe. */
type Result = number;

/** What a round of splice_direct_to_actor works on. */
interface Direct {
  readonly worker: IoTask;
  readonly inFile: OpenFile;
  readonly out: BackingFile;
  readonly outFile: OpenFile;
  readonly pipe: Pipe;
  readonly flags: number;
  /** Bytes that the backing file will still move; a fault sets it. */
  left: number;
}

/** IORING_OP_SPLICE and the direct splice of fs/splice.c, 6.1 with the four patches of the RFC of Nov 2022. */
export class Splicer {
  /** current->splice_pipe of each task. */
  private readonly pipes = new Map<IoTask, Pipe>();

  constructor(private readonly kernel: Kernel) {}

  /** io_splice in a worker: bytes moved or -errno. */
  *run(worker: IoTask, req: IoReq, inFile: OpenFile | undefined): Gen<number> {
    const flags = req.opFlags & 0x7fffffff;
    const out = req.file;
    if (!inFile || !out) return EBADF;
    const known = SPLICE_F_ALL | (this.kernel.profile.spliceZc ? SPLICE_F.DIRECT | SPLICE_F.READ_TO_READ : 0);
    if (flags & ~known) return EINVAL;
    if (flags & SPLICE_F.READ_TO_READ) return yield* this.readConsumer(worker, req, inFile, out, flags);
    if (flags & SPLICE_F.DIRECT) return yield* this.direct(worker, req, inFile, out, flags);
    return yield* spliceWithPipe(this.kernel, worker, req, inFile, out);
  }

  /** do_exit frees the internal pipe of a worker. */
  taskGone(worker: IoTask): void {
    const pipe = this.pipes.get(worker);
    if (!pipe) return;
    this.kernel.rec.emit.free_pipe_info(pipe.ptr);
    this.pipes.delete(worker);
  }

  private *direct(worker: IoTask, req: IoReq, inFile: OpenFile, out: OpenFile, flags: number): Gen<Result> {
    const { emit } = this.kernel.rec;
    emit.do_splice_direct(this.kernel.u64(req.addr), this.kernel.u64(req.off), req.len, flags);
    // a pipe of user space as sink is not modelled: the recorded kernel copies there
    if (!out.file) return EINVAL;
    const d = this.prepare(worker, req, inFile, out, flags);
    const ret = yield* this.toActor(d, req.addr, req.off, req.len, (len, _pos, opos, fl) =>
      this.actorWrite(d, len, opos, fl),
    );
    emit.do_splice_direct_ret(this.kernel.i32(ret));
    return ret;
  }

  private *readConsumer(
    worker: IoTask,
    req: IoReq,
    inFile: OpenFile,
    out: OpenFile,
    flags: number,
  ): Gen<Result> {
    const { emit } = this.kernel.rec;
    emit.do_splice_direct_rc(this.kernel.u64(req.addr), this.kernel.u64(req.off), req.len, flags);
    // the write end of a pipe cannot be read from
    if (!out.file) return EBADF;
    const d = this.prepare(worker, req, inFile, out, flags);
    const ret = yield* this.toActor(d, req.addr, req.off, req.len, (len, pos, opos, fl) =>
      this.actorRead(d, len, pos, opos, fl),
    );
    emit.do_splice_direct_rc_ret(this.kernel.i32(ret));
    return ret;
  }

  private prepare(worker: IoTask, req: IoReq, inFile: OpenFile, out: OpenFile, flags: number): Direct {
    const pipe = this.pipeOf(worker);
    const left = req.short ?? Number.POSITIVE_INFINITY;
    return { worker, inFile, out: out.file as BackingFile, outFile: out, pipe, flags, left };
  }

  private pipeOf(worker: IoTask): Pipe {
    let pipe = this.pipes.get(worker);
    if (!pipe) {
      const { emit } = this.kernel.rec;
      emit.alloc_pipe_info();
      pipe = new Pipe(this.kernel);
      emit.alloc_pipe_info_ret(pipe.ptr);
      this.pipes.set(worker, pipe);
    }
    return pipe;
  }

  /**
   * splice_direct_to_actor: fill the pipe, have the actor empty it, until all is moved or a round comes short.
   * A length that went below zero goes on as an unsigned one would (RFC defect: the producer does not stop at len).
   */
  private *toActor(
    d: Direct,
    pos0: number,
    opos0: number,
    total: number,
    actor: (len: number, pos: number, opos: number, flags: number) => Gen<number>,
  ): Gen<Result> {
    const { emit } = this.kernel.rec;
    emit.splice_direct_to_actor(total, d.flags, this.kernel.u64(pos0));
    let pos = pos0;
    let opos = opos0;
    let len = total;
    let bytes = 0;
    let ret = 0;
    while (len !== 0) {
      const want = len < 0 ? Number.MAX_SAFE_INTEGER : len;
      const produced = this.produce(d, pos, want);
      if (produced <= 0) {
        ret = produced;
        break;
      }
      const from = pos;
      pos += produced;
      const more = len > produced || len < 0 ? SPLICE_F.MORE : 0;
      const moved = yield* actor(produced, from, opos, d.flags | more);
      if (moved <= 0) {
        ret = moved;
        break;
      }
      bytes += moved;
      opos += moved;
      len -= moved;
      if (moved < produced) break;
    }
    d.pipe.reset();
    if (bytes > 0) ret = bytes;
    emit.splice_direct_to_actor_ret(this.kernel.i32(ret));
    return ret;
  }

  /** do_splice_to of the producing half: the length is clamped to the free slots. */
  private produce(d: Direct, pos: number, want: number): Result {
    const { emit } = this.kernel.rec;
    const { pipe } = d;
    emit.do_splice_to(
      this.kernel.u64(pos),
      this.kernel.u64(want === Number.MAX_SAFE_INTEGER ? -PAGE : want),
      d.flags,
      0,
      pipe.head,
      pipe.tail,
    );
    const len = Math.min(want, pipe.free * PAGE);
    const source = d.inFile.splice;
    const ret = source ? source.spliceRead(d.worker, pos, pipe, len, d.flags) : EINVAL;
    emit.do_splice_to_ret(this.kernel.i32(ret));
    return ret;
  }

  /** direct_splice_read_consumer_actor: the backing file reads into the pages of the pipe. */
  private *actorRead(d: Direct, len: number, pos: number, opos: number, flags: number): Gen<Result> {
    const { emit } = this.kernel.rec;
    const { pipe } = d;
    emit.actor_read_consumer(len, pipe.consumedByRead ? 1 : 0);
    let ret = EINVAL;
    if (pipe.consumedByRead) {
      emit.do_splice_to(this.kernel.u64(opos), len, flags, 1, pipe.head, pipe.tail);
      emit.generic_file_splice_read(this.kernel.u64(opos), len, flags, pipe.head, pipe.tail, 1);
      ret = yield* this.transfer(d, false, opos, len);
      if (ret > 0) {
        d.inFile.splice?.filled(pos, ret, `${d.out.path}@${opos}`);
        pipe.dismiss(ret);
      }
      pipe.consumedByRead = false;
      if (ret === EFAULT) ret = EAGAIN;
      emit.generic_file_splice_read_ret(this.kernel.i32(ret));
      emit.do_splice_to_ret(this.kernel.i32(ret));
    }
    emit.actor_read_consumer_ret(this.kernel.i32(ret));
    return ret;
  }

  /** direct_splice_actor with iter_file_splice_write: the backing file writes from the pages of the pipe. */
  private *actorWrite(d: Direct, len: number, opos: number, flags: number): Gen<Result> {
    const { emit } = this.kernel.rec;
    const { pipe } = d;
    emit.actor_write(len);
    emit.iter_file_splice_write(this.kernel.u64(opos), len, flags, pipe.head, pipe.tail);
    const ret = yield* this.transfer(d, true, opos, len);
    if (ret > 0) pipe.dismiss(ret);
    emit.iter_file_splice_write_ret(this.kernel.i32(ret));
    emit.actor_write_ret(this.kernel.i32(ret));
    return ret;
  }

  /** Moves data between the pipe's pages and the file, directly or through the page cache. */
  private *transfer(d: Direct, write: boolean, offset: number, len: number): Gen<Result> {
    const moved = yield* this.transferUpTo(d, write, offset, Math.min(len, d.left));
    if (moved > 0) d.left -= moved;
    return moved;
  }

  private *transferUpTo(d: Direct, write: boolean, offset: number, len: number): Gen<Result> {
    if (len === 0) return 0;
    const buffers = d.pipe.buffers(len);
    const ranges: MemRange[] = buffers.map((b) => ({
      buffer: b.segment.buffer,
      offset: b.offset,
      length: b.length,
    }));
    const { cache } = d.outFile;
    if (!cache) return yield* d.out.directAndWait(d.worker, write, offset, ranges);
    let moved = 0;
    if (!write) {
      const error = yield* cache.fillAndWait(d.worker, offset, len);
      if (error) return error;
    }
    for (const range of ranges) {
      const bytes = this.kernel.memory.touch(range.buffer, range.offset, range.length);
      const n = write
        ? yield* cache.write(d.worker, offset + moved, bytes)
        : cache.copyOut(offset + moved, bytes);
      if (n < 0) return moved || n;
      moved += n;
      if (n < range.length) break;
    }
    return moved;
  }
}

import { getSafeU64 } from '../uapi/bytes';
import { FALLOC_FL, IOSQE, RWF, IORING_SETUP } from '../uapi/io_uring_abi';
import { IORING_OP } from '../uapi/io_uring_ops';
import { SPLICE_F } from '../uapi/splice';
import { UBLK_F, UBLK_IO_OP } from '../uapi/ublk_abi';
import { encodeUblkCmd, UBLK_IO, UBLK_IO_RES } from '../uapi/ublk_cmds';
import { udHi, udLo, udOp, udTag } from '../uapi/user_data';
import type { Machine } from '../kernel/machine';
import type { Buffer } from '../kernel/memory';
import type { OpenFile } from '../kernel/open_file';
import type { IoTask } from '../kernel/request';
import { type Gen, TaskKilled } from '../kernel/sched';
import type { UblkDevice } from '../kernel/ublk_drv';
import type { UblkQueue } from '../kernel/ublk_queue';
import type { ServerFaults } from './server_faults';
import { type Qcow2Image, Qcow2Target } from './qcow2/target';
import { putNumber, type SqeFields, UserRing } from './ring_user';

/** SQE128, because the driver asked for it then, and completions only when the thread enters the kernel: 0x508. */
const QUEUE_RING_FLAGS = IORING_SETUP.SQE128 | IORING_SETUP.COOP_TASKRUN | IORING_SETUP.CQSIZE;
const EAGAIN = -11;
const ETIME = -62;
const IDLE_TIMEOUT = 20_000_000_000;
const NEED_FETCH = 1;
const NEED_COMMIT = 2;
const IO_FREE = 4;
const NEED_GET_DATA = 8;
/** Plain descriptor numbers of the daemon: /dev/ublkcN, then the backing file. */
export const UBLKC_FD = 7;
export const BACKING_FD = 6;
/** The ring descriptor of the first queue. */
const RING_FD = 8;

/** Which ublksrv, and with which target. */
export interface ServerConfig {
  readonly version: 'ublksrv-2022-11' | 'ublksrv-1.2';
  readonly target: 'null' | 'loop' | 'qcow2';
  /** Tables of the image (qcow2). */
  readonly image: Qcow2Image | undefined;
  /** qcow2: the FSYNC with IOSQE_IO_LINK stands behind the WRITE that it should precede. */
  readonly linkAsShipped: boolean;
  /** READ and WRITE by SPLICE (-z on the RFC kernel). */
  readonly splice: boolean;
  readonly needGetData: boolean;
  readonly backing: OpenFile | undefined;
  readonly faults: ServerFaults;
  /** Record SQE bytes and CQ heads. */
  readonly facts: boolean;
  /** Gets a line of the server's log. */
  readonly log: (text: string) => void;
}

interface Io {
  flags: number;
  result: number;
  buffer: Buffer;
}

/** One queue thread of ublksrv: one ring, one FETCH per tag, a coroutine per request (lib/ublksrv.c). */
export class UblksrvQueue {
  private readonly ios: Io[] = [];
  private ring!: UserRing;
  private readonly queue: UblkQueue;
  private cmdInflight = 0;
  private tgtInflight = 0;
  private stopping = false;
  private qcow2: Qcow2Target | undefined;

  constructor(
    private readonly machine: Machine,
    private readonly task: IoTask,
    private readonly device: UblkDevice,
    qid: number,
    private readonly config: ServerConfig,
    /** Called when the thread has ended in order. */
    private readonly ended: () => void,
  ) {
    this.queue = device.queues[qid];
  }

  /** The body of the thread. */
  *run(): Gen<void> {
    try {
      yield* this.setUp();
      yield* this.loop();
      yield* this.machine.uring.register(this.task, this.ring.ring, 21, [], 1);
      yield* this.machine.uring.register(this.task, this.ring.ring, 3, [], 0);
    } catch (error) {
      if (error instanceof TaskKilled) this.device.daemonDying(this.task);
      throw error;
    } finally {
      this.machine.uring.exitTask(this.task, this.ended);
    }
  }

  private *setUp(): Gen<void> {
    const { machine, task, device, config } = this;
    const { depth } = this.queue;
    // 1.2 as recorded has one ring entry a tag; in Nov 2022 the target asked for as many again. qcow2 asks for four times as many
    const forTarget = config.image ? depth * 4 : depth;
    const entries = config.version === 'ublksrv-1.2' ? forTarget : depth + forTarget;
    const ring = yield* machine.uring.setup(
      task,
      entries,
      entries,
      QUEUE_RING_FLAGS,
      RING_FD + this.queue.id,
    );
    ring.queue = this.queue.id;
    const files = config.backing ? [device.charFile, config.backing] : [device.charFile];
    yield* machine.uring.register(task, ring, 2, files, files.length);
    yield* machine.uring.register(task, ring, 20, files, 1);
    this.ring = new UserRing(machine.kernel, machine.uring, task, ring, config.facts);
    if (config.image) {
      yield* machine.uring.limitWorkers(task, ring, 1);
      this.qcow2 = this.qcow2Target(config.image);
    }
    for (let tag = 0; tag < depth; tag++) {
      this.ios.push({
        flags: NEED_FETCH | IO_FREE,
        result: 0,
        buffer: machine.kernel.memory.alloc(device.info.maxIoBufBytes),
      });
    }
    for (let tag = 0; tag < depth; tag++) this.queueCommand(tag);
  }

  private qcow2Target(image: Qcow2Image): Qcow2Target {
    const { memory, rec } = this.machine.kernel;
    return new Qcow2Target(image, {
      depth: this.queue.depth,
      linkAsShipped: this.config.linkAsShipped,
      push: (fields: SqeFields) => {
        this.tgtInflight++;
        this.ring.push(fields);
      },
      complete: (tag, res) => this.finishTarget(tag, res),
      descriptor: (tag) => {
        const { descs } = this.queue;
        const at = tag * 24;
        return {
          op: descs.getUint32(at, true) & 0xff,
          offset: getSafeU64(descs, at + 8) * 512,
          bytes: descs.getUint32(at + 4, true) * 512,
          addr: getSafeU64(descs, at + 16),
        };
      },
      zeroFill: (addr, bytes) => {
        const place = memory.find(addr);
        if (place) memory.touch(place.buffer, place.offset, bytes).fill(0);
      },
      alloc: (bytes) => memory.alloc(bytes),
      bytes: (buffer) => memory.touch(buffer, 0, buffer.size),
      now: () => rec.now,
      log: this.config.log,
    });
  }

  /** ublksrv_process_io */
  private *loop(): Gen<void> {
    const { costs, rec } = this.machine.kernel;
    let idle = false;
    while (!(this.stopping && this.cmdInflight === 0 && this.tgtInflight === 0)) {
      const ret = yield* this.ring.submitAndWait(1, idle ? undefined : IDLE_TIMEOUT);
      const reaped = this.ring.reap((lo, hi, res) => {
        rec.now += costs.handleCqe;
        this.handle(lo, hi, res);
      });
      this.qcow2?.background(this.ring.pending);
      if (this.pause > 0) {
        const { pause } = this;
        this.pause = 0;
        yield pause;
      }
      if (ret === ETIME && reaped === 0 && this.ring.pending === 0) {
        if (!idle) this.qcow2?.idle();
        idle = true;
      } else if (reaped > 0) idle = false;
    }
  }

  private handle(lo: number, hi: number, res: number): void {
    const tag = udTag(lo);
    if (hi >>> 31) {
      this.tgtInflight--;
      if (this.qcow2) this.qcow2.done(lo, hi, res);
      else this.targetDone(tag, udOp(lo), res);
      return;
    }
    this.cmdInflight--;
    const io = this.ios[tag];
    if (res === UBLK_IO_RES.OK) {
      this.handleIo(tag);
    } else if (res === UBLK_IO_RES.NEED_GET_DATA) {
      io.flags |= NEED_GET_DATA | IO_FREE;
      this.queueCommand(tag);
    } else {
      io.flags = IO_FREE;
      if (res === UBLK_IO_RES.ABORT) this.stopping = true;
    }
  }

  /** handle_io_async: the descriptor says what to do. */
  private handleIo(tag: number): void {
    const at = tag * 24;
    const { descs } = this.queue;
    const op = descs.getUint32(at, true) & 0xff;
    const bytes = descs.getUint32(at + 4, true) * 512;
    const mistake = this.config.faults.mistake(this.queue.id, tag, getSafeU64(descs, at + 8) * 512, bytes);
    if (mistake === 'no-fill') {
      this.completeIo(tag, bytes);
      return;
    }
    if (mistake === 'no-commit') return;
    if (this.config.target === 'null') {
      this.completeIo(tag, bytes);
      if (mistake === 'commit-twice') this.pushCommand(tag, UBLK_IO.COMMIT_AND_FETCH_REQ);
      return;
    }
    this.mistakes[tag] = mistake;
    if (this.qcow2) this.qcow2.begin(tag);
    else this.queueTarget(tag, op);
    if (mistake === 'commit-early') this.completeIo(tag, bytes);
  }

  /** Time that delayed commits take the thread before its next enter, ns. */
  private pause = 0;
  private readonly mistakes: (string | undefined)[] = [];
  /** Result of the SPLICE that a `retry-same` mistake repeats: it is what will be committed. */
  private readonly firstResults: (number | undefined)[] = [];

  /** loop_queue_tgt_io */
  private queueTarget(tag: number, op: number, part = 0): void {
    const at = tag * 24;
    const { descs } = this.queue;
    const bytes = descs.getUint32(at + 4, true) * 512;
    const off = getSafeU64(descs, at + 8) * 512;
    const addr = getSafeU64(descs, at + 16);
    const fixed = {
      udLo: udLo(tag, op, part),
      udHi: udHi(part, true),
      off,
      flags: IOSQE.FIXED_FILE as number,
      fd: 1,
    };
    this.tgtInflight++;
    switch (op) {
      case UBLK_IO_OP.READ:
      case UBLK_IO_OP.WRITE:
        if (this.config.splice) {
          const qid = this.queue.id;
          this.ring.push({
            ...fixed,
            opcode: IORING_OP.SPLICE,
            addr: qid * 2 ** 42 + tag * 2 ** 30,
            len: bytes,
            opFlags: this.spliceFlags(tag, op),
            spliceFdIn: UBLKC_FD,
          });
        } else {
          const opcode = op === UBLK_IO_OP.READ ? IORING_OP.READ : IORING_OP.WRITE;
          // 1.2 as recorded has every write followed by a flush of the disk
          const dsync = op === UBLK_IO_OP.WRITE && this.config.version === 'ublksrv-1.2';
          this.ring.push({ ...fixed, opcode, addr, len: bytes, opFlags: dsync ? RWF.DSYNC : 0 });
        }
        return;
      case UBLK_IO_OP.FLUSH:
        this.ring.push({ ...this.plain(fixed), opcode: IORING_OP.SYNC_FILE_RANGE, len: bytes, opFlags: 1 });
        return;
      default:
        // FALLOCATE has its length in addr and its mode in len; the NOUNMAP test of ublksrv never matches
        this.ring.push({
          ...this.plain(fixed),
          opcode: IORING_OP.FALLOCATE,
          addr: bytes,
          len: FALLOC_FL.KEEP_SIZE | FALLOC_FL.PUNCH_HOLE,
        });
    }
  }

  /** The same SQE for an operation that names the file by its descriptor in the server of 2022. */
  private plain<T extends { flags: number; fd: number }>(sqe: T): T {
    return this.config.version === 'ublksrv-2022-11' ? { ...sqe, flags: 0, fd: BACKING_FD } : sqe;
  }

  private spliceFlags(tag: number, op: number): number {
    if (this.mistakes[tag] === 'read-to-read-only') return SPLICE_F.READ_TO_READ;
    if (op === UBLK_IO_OP.WRITE || this.mistakes[tag] === 'no-read-to-read') return SPLICE_F.DIRECT;
    return SPLICE_F.DIRECT | SPLICE_F.READ_TO_READ;
  }

  /** The coroutine of the tag goes on with the result of its SQE. */
  private targetDone(tag: number, op: number, res: number): void {
    const mistake = this.mistakes[tag];
    if (res === EAGAIN && mistake !== 'commit-early') {
      this.queueTarget(tag, op);
      return;
    }
    if (mistake === 'retry-same' && res > 0) {
      this.mistakes[tag] = undefined;
      this.firstResults[tag] = res;
      this.queueTarget(tag, op, 1);
      return;
    }
    this.finishTarget(tag, res);
  }

  /** The request's I/O has ended. */
  private finishTarget(tag: number, res: number): void {
    const mistake = this.mistakes[tag];
    if (mistake === 'commit-early') return;
    const full = this.queue.descs.getUint32(tag * 24 + 4, true) * 512;
    const first = this.firstResults[tag];
    this.firstResults[tag] = undefined;
    this.completeIo(tag, mistake === 'over-commit' ? full : (first ?? res));
    if (mistake === 'commit-twice') this.pushCommand(tag, UBLK_IO.COMMIT_AND_FETCH_REQ);
    this.mistakes[tag] = undefined;
  }

  /** ublksrv_complete_io: the COMMIT goes out with the next enter. */
  private completeIo(tag: number, res: number): void {
    const io = this.ios[tag];
    io.flags |= NEED_COMMIT | IO_FREE;
    const at = tag * 24;
    const { descs, id } = this.queue;
    const bytes = descs.getUint32(at + 4, true) * 512;
    const { result, delayNs } = this.config.faults.commit(
      id,
      tag,
      getSafeU64(descs, at + 8) * 512,
      bytes,
      res,
    );
    io.result = result;
    this.pause += delayNs;
    this.queueCommand(tag);
  }

  /** ublksrv_queue_io_cmd */
  private queueCommand(tag: number): void {
    const io = this.ios[tag];
    if (!(io.flags & IO_FREE)) return;
    if (io.flags & NEED_GET_DATA) this.pushCommand(tag, UBLK_IO.NEED_GET_DATA);
    else if (io.flags & NEED_COMMIT) this.pushCommand(tag, UBLK_IO.COMMIT_AND_FETCH_REQ);
    else if (io.flags & NEED_FETCH) this.pushCommand(tag, UBLK_IO.FETCH_REQ);
    io.flags = 0;
  }

  private pushCommand(tag: number, nr: number): void {
    const io = this.ios[tag];
    this.cmdInflight++;
    this.ring.push(
      {
        opcode: IORING_OP.URING_CMD,
        flags: IOSQE.FIXED_FILE,
        fd: 0,
        cmdOp: this.device.info.flags & UBLK_F.CMD_IOCTL_ENCODE ? encodeUblkCmd(nr) : nr,
        udLo: udLo(tag, nr),
        udHi: 0,
      },
      (view, at) => {
        view.setUint16(at, this.queue.id, true);
        view.setUint16(at + 2, tag, true);
        view.setInt32(at + 4, nr === UBLK_IO.COMMIT_AND_FETCH_REQ ? io.result : 0, true);
        putNumber(view, at + 8, io.buffer.addr);
      },
    );
  }
}

import { IORING_OP } from '../uapi/io_uring_ops';
import type { RingFile, SqeCommand, SubmitCommand } from '../session/ast';
import type { Span } from '../session/ast_base';
import { noFile, RING_BUFFER } from '../session/ring_scope';
import { NO_OFFSET } from '../session/ring';
import type { Machine } from '../kernel/machine';
import type { Buffer } from '../kernel/memory';
import type { OpenFile } from '../kernel/open_file';
import type { IoTask } from '../kernel/request';
import { type Gen, PARK } from '../kernel/sched';
import { UserPipe } from '../kernel/user_pipe';
import type { ClientContext } from './client_jobs';
import { UserRing } from './ring_user';

/** SQ entries of the session's ring; the CQ has twice as many. */
const ENTRIES = 64;
const RING_FD = 3;
const FIRST_FD = 4;

/** One command for the process, run in its name. */
type Order = (task: IoTask) => Gen<void>;

/** A file that a command of the ring names and that is not there. */
export class NoSuchFile extends Error {
  override readonly name = 'NoSuchFile';
  constructor(
    message: string,
    readonly at: Span,
  ) {
    super(message);
  }
}

/** The process behind `sqe` and `submit` beside ublk devices: one ring and its open files, from the first such command to the end of the session. */
export class RingClient {
  readonly task: IoTask;
  private readonly orders: Order[] = [];
  private ring: UserRing | undefined;
  private readonly fds = new Map<string, number>();
  private readonly pipes = new Map<string, UserPipe>();
  private readonly buffers: Buffer[] = [];
  private ended = false;

  constructor(
    private readonly machine: Machine,
    private readonly ctx: ClientContext,
    private readonly facts: boolean,
  ) {
    this.task = machine.kernel.newTask('ring');
    machine.kernel.sched.start(this.task, this.run(), machine.kernel.costs.exec);
  }

  /** Has the process run something when it is done with what came before. */
  order(order: Order): void {
    this.orders.push(order);
    this.machine.kernel.sched.wake(this.task);
  }

  /** The session is over. */
  end(): void {
    this.ended = true;
    this.machine.kernel.sched.wake(this.task);
  }

  private *run(): Gen<void> {
    const { uring } = this.machine;
    while (!this.ended && !this.task.killed) {
      const order = this.orders.shift();
      if (order) yield* order(this.task);
      // task work interrupts user space
      else if (!(yield* uring.interrupt(this.task))) yield PARK;
    }
    uring.exitTask(this.task, () => undefined);
  }

  /** `mkfifo`. */
  mkfifo(path: string): number {
    if (this.pipes.has(path) || this.machine.file(path, false)) {
      this.ctx.print(`mkfifo: cannot create fifo '${path}': File exists`);
      return 1;
    }
    this.pipes.set(path, new UserPipe(this.machine.kernel));
    return 0;
  }

  private *open(): Gen<UserRing> {
    if (this.ring) return this.ring;
    const { machine, task } = this;
    const ring = yield* machine.uring.setup(task, ENTRIES, undefined, 0, RING_FD);
    this.ring = new UserRing(machine.kernel, machine.uring, task, ring, this.facts);
    return this.ring;
  }

  /** `sqe`: fills the next SQE; nothing is submitted. */
  *sqe(command: SqeCommand): Gen<number> {
    const ring = yield* this.open();
    if (ring.full) {
      this.ctx.print(`sqe: the submission queue is full (${ENTRIES} entries)`);
      return 1;
    }
    const from = this.fdOf(command.fileIn, command.direct, 'reader', command.at.fileIn ?? command);
    const end = command.fileIn ? 'writer' : 'reader';
    const fd = this.fdOf(command.file, command.direct, end, command.at.file ?? command);
    ring.push({
      opcode: command.opcode,
      flags: command.flags,
      udLo: Number(command.userData & 0xffffffffn),
      udHi: Number(command.userData >> 32n),
      ...this.operands(command, fd, from),
    });
    return 0;
  }

  private operands(
    command: SqeCommand,
    fd: number,
    from: number,
  ): { fd: number; off?: number; addr?: number; len?: number; opFlags?: number; spliceFdIn?: number } {
    const { opcode, bits } = command;
    const off = offsetOf(command.off);
    const len = Number(command.len ?? 0n);
    const opFlags = bits.rw_flags ?? bits.fsync_flags ?? bits.splice_flags ?? 0;
    switch (opcode) {
      case IORING_OP.READ:
      case IORING_OP.WRITE: {
        const { addr } = this.buffer(Number(command.range?.buffer ?? 0));
        return { fd, off, addr, len, opFlags };
      }
      case IORING_OP.SPLICE:
        return { fd, off, addr: offsetOf(command.offIn), len, opFlags, spliceFdIn: from };
      case IORING_OP.FALLOCATE:
        // its length stands in addr, its mode in len
        return { fd, off, addr: len, len: bits.mode ?? 0 };
      default:
        return { fd, off, len, opFlags };
    }
  }

  private buffer(index: number): Buffer {
    this.buffers[index] ??= this.machine.kernel.memory.alloc(RING_BUFFER);
    return this.buffers[index];
  }

  /** Descriptor of a file, opened on first use. @throws NoSuchFile */
  private fdOf(file: RingFile | undefined, direct: boolean, end: 'reader' | 'writer', at: Span): number {
    if (file === undefined) return 0;
    if ('fd' in file) return file.fd;
    const key = this.pipes.has(file.path)
      ? `${end} ${file.path}`
      : `${direct ? 'direct' : 'cached'} ${file.path}`;
    const known = this.fds.get(key);
    if (known !== undefined) return known;
    const opened = this.openFile(file.path, direct);
    if (!opened) throw new NoSuchFile(noFile(file.path), at);
    const fd = FIRST_FD + this.fds.size;
    this.fds.set(key, fd);
    this.machine.uring.install(this.task.tgid, fd, opened);
    return fd;
  }

  private openFile(path: string, direct: boolean): OpenFile | undefined {
    const pipe = this.pipes.get(path);
    if (pipe) return { kind: 'pipe', pipe };
    const file = this.machine.file(path, false);
    return file && this.machine.open(file, direct);
  }

  /** `submit`: enters the kernel, then prints and consumes the CQEs that are there. */
  *submit(command: SubmitCommand): Gen<number> {
    const ring = yield* this.open();
    const pending = ring.pending;
    const submitted = yield* ring.submitAndWaitPlain(command.wait ?? 0);
    const lines = [`submit: ${submitted} of ${pending} SQEs`];
    ring.reap((lo, hi, res) => {
      const userData = (BigInt(hi) << 32n) | BigInt(lo);
      lines.push(`cqe user_data=0x${userData.toString(16)} res=${res}`);
    });
    for (const line of lines) this.ctx.print(line);
    return submitted < 0 ? 1 : 0;
  }
}

/** An offset as a number; all ones are -1. */
function offsetOf(offset: bigint | undefined): number {
  return offset === NO_OFFSET ? -1 : Number(offset ?? 0n);
}

/**
 * The machine's state after one event, as plain data that JSON can hold. 64-bit values (user_data, pointers) are `0x` text.
 * `null` means that the trace does not say, never that the value is zero.
 */
export interface MachineState {
  /** Number of the event after which this holds; -1 is before the first one. */
  readonly event: number;
  /** Time of that event, ns; null before the first one. */
  readonly time: number | null;
  /** The trace carries the facts of user space that only the simulator knows. */
  readonly simulated: boolean;
  readonly devices: readonly DeviceState[];
  readonly slots: readonly SlotState[];
  readonly rings: readonly RingState[];
  readonly requests: readonly RingRequestState[];
  readonly pipes: readonly PipeState[];
  readonly pages: readonly PageState[];
  readonly disks: readonly DiskState[];
  readonly tasks: readonly TaskState[];
  readonly ios: readonly ClientIoState[];
  readonly commands: readonly CommandState[];
  readonly fuse: readonly FuseState[];
  readonly totals: TotalsState;
}

/** What an io_uring request waits for. `woken`: its wait queue fired, the task work is not run yet. */
export type RingRequestPhase =
  | 'submitted'
  | 'linked'
  | 'deferred'
  | 'io-wq queued'
  | 'io-wq running'
  | 'poll armed'
  | 'woken'
  | 'armed'
  | 'failed'
  | 'cancelled';

/** Where a ublk slot is in its life (ublk_io.flags put in one word). */
export type SlotPhase =
  | 'FREE'
  | 'ACTIVE'
  | 'OWNED'
  | 'NEED_GET_DATA'
  | 'GET_DATA_QUEUED'
  | 'CANCELED'
  | 'ABORTED';

/** Where the block request of a slot is. `tag held`: it has the driver tag, queue_rq is next. */
export type SlotRequestPhase =
  | 'none'
  | 'tag held'
  | 'queued'
  | 'delivered'
  | 'committed'
  | 'requeued'
  | 'failed';

/** A ublk device. `id` is the number N of /dev/ublkcN. */
export interface DeviceState {
  /** Position in order of appearance; 0 is the first device of the trace. */
  readonly index: number;
  readonly id: number | null;
  readonly state: string | null;
  readonly queues: number | null;
  readonly depth: number | null;
  /** Feature flags, `0x` text. */
  readonly flags: string | null;
  /** `major:minor` of its disk. */
  readonly disk: string | null;
  /** Slots whose command waits in the driver, as far as seen. */
  readonly armed: number;
  /** Requests between queue_rq and their end, as far as seen. */
  readonly inFlight: number;
  /** Driver tags taken; only the simulator tells. */
  readonly tagsInUse: number | null;
}

/** The descriptor iod[tag] as the server reads it. It keeps the last request until the next one overwrites it. */
export interface DescriptorState {
  readonly op: string | null;
  /** cmd_flags of the request as queue_rq saw them, `0x` text. */
  readonly flags: string | null;
  readonly startSector: number | null;
  readonly nrSectors: number | null;
  /** Buffer address of the last FETCH or COMMIT, `0x` text. */
  readonly addr: string | null;
}

/** One (queue, tag) pair of a device, what the driver calls ublk_io. */
export interface SlotState {
  readonly device: number;
  readonly queue: number;
  readonly tag: number;
  readonly state: SlotPhase | null;
  /** true where the slot was recognised by the user_data of its command alone. */
  readonly inferred: boolean;
  /** Command that waits in the driver. */
  readonly command: {
    readonly ring: number | null;
    readonly req: string | null;
    readonly userData: string | null;
    readonly op: string | null;
  };
  /** Result that the last COMMIT carried: bytes or -errno. */
  readonly result: number | null;
  readonly request: SlotRequestPhase | null;
  /** Deliveries seen. */
  readonly deliveries: number;
  /** Bytes that the RFC's `handled` counted for this delivery. */
  readonly handled: number | null;
  /** Bytes of the request that were filled, where the trace tells. */
  readonly filled: number | null;
  readonly iod: DescriptorState;
}

/** A completion that may still be in the ring. */
export interface CqeState {
  readonly userData: string;
  readonly res: number;
  readonly flags: number;
}

/** An SQE that user space filled and the kernel has not taken. */
export interface SqeState {
  readonly index: number;
  readonly userData: string;
  /** Bytes in hexadecimal. */
  readonly bytes: string;
}

/** An io_uring. Counters are free-running as in the shared memory; `id` is its order of appearance. */
export interface RingState {
  readonly id: number;
  readonly ptr: string;
  readonly fd: number | null;
  readonly owner: string | null;
  readonly flags: string | null;
  /** head: SQEs the kernel has taken. tail: known from facts, or within io_uring_enter from to_submit. */
  readonly sq: {
    readonly entries: number | null;
    readonly head: number | null;
    readonly tail: number | null;
    readonly pending: number | null;
    readonly sqes: readonly SqeState[];
  };
  /** head is known from facts; otherwise only while a task waits for a first CQE (then it equals tail). */
  readonly cq: {
    readonly entries: number | null;
    readonly head: number | null;
    readonly tail: number | null;
    readonly ready: number | null;
    /** The newest CQEs that are not known to be reaped, oldest first, at most {@link MAX_CQES}. */
    readonly cqes: readonly CqeState[];
    /** CQEs on the kernel's overflow list. */
    readonly overflow: number | null;
  };
  readonly inFlight: number;
  /** min_events of the task that sleeps for CQEs; 0 when nobody does. */
  readonly waiting: number;
}

/** Most CQEs that a ring lists. */
export const MAX_CQES = 64;

/** An io_uring request in flight. Identity is pointer plus time span: pointers are recycled at once. */
export interface RingRequestState {
  readonly ring: number;
  readonly req: string;
  readonly userData: string | null;
  readonly opcode: string | null;
  readonly state: RingRequestPhase;
  /** Event that submitted it; null where it began before the trace. */
  readonly since: number | null;
  /** Success posts no CQE (IOSQE_CQE_SKIP_SUCCESS), so its end may be invisible. */
  readonly skip: boolean;
  /** Request that it was linked after. */
  readonly link: string | null;
  /** `hashed` or `normal` where it went to io-wq. */
  readonly queue: string | null;
}

/** A pipe. Indices are free-running; occupancy is head - tail. */
export interface PipeState {
  readonly id: number;
  readonly ptr: string | null;
  readonly owner: string | null;
  /** Slots; known once more than 2 were filled or a buffer was refused. */
  readonly ringSize: number | null;
  readonly head: number | null;
  readonly tail: number | null;
  readonly occupancy: number | null;
  readonly consumedByRead: boolean | null;
  readonly buffers: readonly { readonly page: string; readonly offset: number; readonly len: number }[];
}

/** A page of a request that was seen in a pipe. */
export interface PageState {
  readonly ptr: string;
  /** Reference count when last seen. */
  readonly refs: number | null;
  readonly pipe: number | null;
  /** Slot index in the pipe's ring (index & (ringSize - 1) where the size is known). */
  readonly slot: number | null;
  readonly device: number | null;
  readonly queue: number | null;
  readonly tag: number | null;
  /** Byte of the request at which the page starts. */
  readonly requestOffset: number | null;
  /** Where its data came from. */
  readonly fill: string | null;
}

/** A disk of the block layer: a ublk disk or one below or beside it. */
export interface DiskState {
  readonly major: number;
  readonly minor: number;
  /** Index of the ublk device; null where the trace has not shown it to be one. */
  readonly device: number | null;
  /** Requests allocated and not yet issued, as far as seen. */
  readonly allocated: number;
  /** Of these, in the scheduler or software queue. */
  readonly inserted: number;
  /** Issued and not complete. */
  readonly inFlight: readonly { readonly op: string; readonly sector: number; readonly sectors: number }[];
  readonly requeued: number;
  readonly completed: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** A task that did something the state knows. */
export interface TaskState {
  readonly comm: string;
  readonly pid: number;
  readonly syscall: string | null;
  /** Ring that it entered. */
  readonly ring: number | null;
  readonly waiting: boolean;
  /** Requests in its plug; null where no plug was seen to start. */
  readonly plug: number | null;
  /** Request that this io-wq worker runs. */
  readonly request: string | null;
  /** The request was concluded from queue order, not named by an event. */
  readonly requestInferred: boolean;
  readonly pipe: number | null;
}

/** A client's I/O that is not done. */
export interface ClientIoState {
  readonly id: number;
  readonly line: number;
  readonly op: string;
  readonly offset: number;
  readonly length: number;
}

/** A command of the session that runs. */
export interface CommandState {
  readonly line: number;
  readonly text: string;
}

/** A FUSE request without an answer. */
export interface FuseState {
  readonly connection: number;
  readonly unique: number;
  readonly opcode: string;
  readonly len: number;
}

/** Counts since the trace began. */
export interface TotalsState {
  readonly sqes: number;
  readonly cqes: number;
  readonly punts: number;
  /** Copies by the driver; bytes where the trace tells their length. */
  readonly copies: number;
  readonly copiedBytes: number | null;
  readonly splices: number;
  readonly splicedBytes: number;
}

/** The state as JSON text; every value is already plain. */
export function stateToJson(state: MachineState): string {
  return JSON.stringify(state);
}

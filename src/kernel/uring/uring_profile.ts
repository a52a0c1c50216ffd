/** What differs between the kernels that ring programs can run on. */

/** Switches of one kernel version; each names the rule, not the version. */
export interface UringProfile {
  readonly name: '6.1' | '6.12' | '6.18' | '7.3';
  /** First opcode number that this kernel does not know. */
  readonly opLast: number;
  /** Blocking ops are marked at prep and never tried inline; before, the inline try said -EAGAIN. */
  readonly forceAsyncAtPrep: boolean;
  /** A drain waits until the only live requests are those behind it; before, it compared sequence numbers. */
  readonly drainByLive: boolean;
  /** Workers hand completions of DEFER_TASKRUN rings to the submitter. */
  readonly workerDefersCqe: boolean;
  /** A worker that finds the CQ full hands the completion to the submitter. */
  readonly workerDefersOverflow: boolean;
  /** Result of a splice that a cancel interrupts. */
  readonly interruptedSplice: number;
  /** io_uring_link names the direct predecessor; before, the head of the chain. */
  readonly linkTracesPredecessor: boolean;
  /** Parallel direct writes of ext4 are not hashed. */
  readonly parallelDio: boolean;
  /** Direct writes of parts of blocks that hold data end when the disk says so, as those of whole blocks; before, they waited. */
  readonly partialDioEndsLater: boolean;
  /** Task work runs in the order it was added; before, newest first. */
  readonly taskWorkFifo: boolean;
  /** Pipes are opened with FMODE_NOWAIT. */
  readonly pipeNowait: boolean;
  /** RWF bits the kernel knows. */
  readonly rwfSupported: number;
  /** A failed request freed by a worker still passes through task work. */
  readonly workerFreesByTaskWork: boolean;
  /** Bits of cancel_flags that exist. */
  readonly cancelFlags: number;
  /** A TIMEOUT may repeat. */
  readonly multishotTimers: boolean;
  /** NOP checks its flags word. */
  readonly nopFlags: number;
  /** FSYNC refuses a negative offset at prep. */
  readonly fsyncChecksOffset: boolean;
  /**
   * Whose file is looked up before it is queued or linked, instead of when it runs: of all that follow in a chain, are
   * deferred or forced to a worker; of those forced to a worker, but not of a splice; of none.
   */
  readonly earlyFiles: 'all' | 'async' | 'none';
  /** What READ_FIXED and WRITE_FIXED look at when they are taken: the buffer's index, its range too, or nothing. */
  readonly fixedAtPrep: 'index' | 'range' | 'nothing';
  /** Task work that starts a request heeds FORCE_ASYNC; before, it tried inline. */
  readonly taskWorkForcesAsync: boolean;
  /** A request that fails without having run posts at once; later, with the next flush. */
  readonly failedPostsAtOnce: boolean;
  /** Completions of task work are flushed after each round; before, when no work was left. */
  readonly flushesEachRound: boolean;
  /** Workers hand completions of DRAIN requests to the submitter. */
  readonly workerDefersDrain: boolean;
  /** A CQE of a request that goes on comes after what was completed before it. */
  readonly multishotFlushes: boolean;
  /** HIPRI on a ring without IOPOLL: the error. */
  readonly hipriError: number;
}

const NEW: UringProfile = {
  name: '6.18',
  opLast: 63,
  forceAsyncAtPrep: true,
  drainByLive: true,
  workerDefersCqe: true,
  workerDefersOverflow: true,
  interruptedSplice: -512,
  linkTracesPredecessor: true,
  parallelDio: true,
  partialDioEndsLater: true,
  taskWorkFifo: true,
  pipeNowait: true,
  rwfSupported: 0x1ff,
  workerFreesByTaskWork: true,
  cancelFlags: 0x3f,
  multishotTimers: true,
  nopFlags: 0x1f,
  fsyncChecksOffset: true,
  earlyFiles: 'none',
  fixedAtPrep: 'nothing',
  taskWorkForcesAsync: true,
  failedPostsAtOnce: false,
  flushesEachRound: true,
  workerDefersDrain: false,
  multishotFlushes: true,
  hipriError: -22,
};

const PROFILES: readonly UringProfile[] = [
  {
    ...NEW,
    name: '6.1',
    opLast: 49,
    forceAsyncAtPrep: false,
    drainByLive: false,
    workerDefersCqe: false,
    workerDefersOverflow: false,
    interruptedSplice: -4,
    linkTracesPredecessor: false,
    parallelDio: false,
    partialDioEndsLater: false,
    taskWorkFifo: false,
    pipeNowait: false,
    rwfSupported: 0x1f,
    workerFreesByTaskWork: false,
    cancelFlags: 0xf,
    multishotTimers: false,
    nopFlags: 0xffffffff,
    fsyncChecksOffset: false,
    earlyFiles: 'all',
    fixedAtPrep: 'index',
    taskWorkForcesAsync: false,
    failedPostsAtOnce: true,
    flushesEachRound: false,
    multishotFlushes: false,
  },
  {
    ...NEW,
    name: '6.12',
    opLast: 58,
    drainByLive: false,
    workerDefersOverflow: false,
    rwfSupported: 0x7f,
    nopFlags: 0x1,
    interruptedSplice: -4,
    fsyncChecksOffset: false,
    fixedAtPrep: 'range',
  },
  NEW,
  { ...NEW, name: '7.3', opLast: 65, interruptedSplice: -4, earlyFiles: 'async', workerDefersDrain: true },
];

/** Names of the kernels, oldest first. */
export const URING_PROFILE_NAMES: readonly string[] = PROFILES.map((profile) => profile.name);

/** Kernel of ring programs that name none. */
export const DEFAULT_URING_PROFILE = '6.18';

/** The profile nearest to a kernel release such as `6.18.44-foo`: its own, else that of the newest kernel before it. */
export function nearestProfile(release: string): UringProfile {
  const order = (version: string): number => {
    const [major = 0, minor = 0] = version.split(/[.-]/, 2).map(Number);
    return major * 1000 + minor;
  };
  return PROFILES.findLast((profile) => order(profile.name) <= order(release)) ?? PROFILES[0]!;
}

/** The profile of a kernel version, or undefined. */
export function uringProfile(name: string): UringProfile | undefined {
  return PROFILES.find((profile) => profile.name === name);
}

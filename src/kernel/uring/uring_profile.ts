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
  /** NOP checks its flags word. */
  readonly nopFlags: number;
  /** FSYNC refuses a negative offset at prep. */
  readonly fsyncChecksOffset: boolean;
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
  taskWorkFifo: true,
  pipeNowait: true,
  rwfSupported: 0x1ff,
  workerFreesByTaskWork: true,
  cancelFlags: 0x3f,
  nopFlags: 0x1f,
  fsyncChecksOffset: true,
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
    taskWorkFifo: false,
    pipeNowait: false,
    rwfSupported: 0x1f,
    workerFreesByTaskWork: false,
    cancelFlags: 0xf,
    nopFlags: 0xffffffff,
    fsyncChecksOffset: false,
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
  },
  NEW,
  { ...NEW, name: '7.3', opLast: 65, interruptedSplice: -4 },
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

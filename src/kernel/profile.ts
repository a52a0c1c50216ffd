/**
 * Times that the simulated machine takes, in ns. They order things plausibly and are not measurements.
 */
export interface Costs {
  /** Entering and leaving a system call, each. */
  readonly syscall: number;
  /** A sleeping task gets its CPU back: least time, and the spread above it. */
  readonly wake: number;
  readonly wakeSpread: number;
  /** A kblockd worker starts. */
  readonly kworker: number;
  /** An io-wq worker thread is created. */
  readonly newWorker: number;
  /** Copying 1 KiB. */
  readonly copyKiB: number;
  /** User space handles one CQE. */
  readonly handleCqe: number;
  /** Backing device: least service time, spread, and time for 1 KiB of payload. */
  readonly device: number;
  readonly deviceSpread: number;
  readonly deviceKiB: number;
  /** File system work of a fallocate. */
  readonly fallocate: number;
  /** A process starts. */
  readonly exec: number;
}

/** Rules that changed between kernels; each names the rule, not the version. */
export interface KernelRules {
  /** Blocking operations are marked at prep and go to a worker without an inline try. */
  readonly forceAsyncAtPrep: boolean;
  /** Plain descriptors of followers are looked up when the chain is put together; later, only those of forced-async requests. */
  readonly filesAtLink: boolean;
  /** io_uring_link names the direct predecessor; before, the head of the chain. */
  readonly linkTracesPredecessor: boolean;
  /** Direct writes of a regular file are not hashed: they run beside each other. */
  readonly parallelDio: boolean;
  /** Task work runs in the order it was added; before, newest first. */
  readonly taskWorkFifo: boolean;
  /** A request that ended in a worker is freed by task work of its submitter. */
  readonly workerFreesByTaskWork: boolean;
  /** Whether ext4 takes a direct write without blocking differs from write to write; before, from file to file. */
  readonly nowaitPerWrite: boolean;
  /** A plug that is issued without a scheduler is traced as any other. */
  readonly tracesEveryUnplug: boolean;
  /** Direct reads of files carry REQ_SYNC. */
  readonly syncReads: boolean;
  /** ublk_drv dispatches each request by task work of its own; a WRITE that succeeded ends as a whole. */
  readonly ublkDispatch: boolean;
  /** Devices get CMD_IOCTL_ENCODE, and commands their encoded numbers. */
  readonly ublkIoctl: boolean;
  /** 64-bit request flags, and the tracepoints' later names and forms. */
  readonly laterTracepoints: boolean;
}

/** One kernel that can be simulated. */
export interface KernelProfile {
  readonly name: '6.1' | '6.1+splice-zc' | '7.3';
  readonly rules: KernelRules;
  /** The four patches of the RFC of Nov 2022 are in. */
  readonly spliceZc: boolean;
  /** ublk_drv is a module: URING_CMD_COMP_IN_TASK is forced on (a built-in driver uses task_work_add). */
  readonly ublkModule: boolean;
  /**
   * ext4 takes direct writes of its files without blocking. Recorded: always on the RFC kernel, for one of five files on 6.1;
   * where it does not, io_uring punts them.
   */
  readonly nowaitWrites: boolean;
  readonly costs: Costs;
}

const COSTS: Costs = {
  syscall: 300,
  wake: 1500,
  wakeSpread: 1500,
  kworker: 2500,
  newWorker: 25000,
  copyKiB: 60,
  handleCqe: 400,
  device: 60000,
  deviceSpread: 40000,
  deviceKiB: 250,
  fallocate: 30000,
  exec: 200000,
};

const RULES_61: KernelRules = {
  forceAsyncAtPrep: false,
  filesAtLink: true,
  linkTracesPredecessor: false,
  parallelDio: false,
  taskWorkFifo: false,
  workerFreesByTaskWork: false,
  nowaitPerWrite: false,
  tracesEveryUnplug: false,
  syncReads: false,
  ublkDispatch: false,
  ublkIoctl: false,
  laterTracepoints: false,
};

const RULES_73: KernelRules = {
  forceAsyncAtPrep: true,
  filesAtLink: false,
  linkTracesPredecessor: true,
  parallelDio: true,
  taskWorkFifo: true,
  workerFreesByTaskWork: true,
  nowaitPerWrite: true,
  tracesEveryUnplug: true,
  syncReads: true,
  ublkDispatch: true,
  ublkIoctl: true,
  laterTracepoints: true,
};

/** The profile of a name, or undefined when it cannot be simulated. */
export function kernelProfile(name: string): KernelProfile | undefined {
  switch (name) {
    case '6.1':
      return { name, rules: RULES_61, spliceZc: false, ublkModule: true, nowaitWrites: false, costs: COSTS };
    case '6.1+splice-zc':
      return { name, rules: RULES_61, spliceZc: true, ublkModule: false, nowaitWrites: true, costs: COSTS };
    case '7.3':
      return { name, rules: RULES_73, spliceZc: false, ublkModule: true, nowaitWrites: false, costs: COSTS };
    default:
      return undefined;
  }
}

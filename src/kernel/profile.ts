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

/** One kernel that can be simulated. */
export interface KernelProfile {
  readonly name: '6.1' | '6.1+splice-zc';
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

/** The profile of a name, or undefined when it cannot be simulated. */
export function kernelProfile(name: string): KernelProfile | undefined {
  switch (name) {
    case '6.1':
      return { name, spliceZc: false, ublkModule: true, nowaitWrites: false, costs: COSTS };
    case '6.1+splice-zc':
      return { name, spliceZc: true, ublkModule: false, nowaitWrites: true, costs: COSTS };
    default:
      return undefined;
  }
}

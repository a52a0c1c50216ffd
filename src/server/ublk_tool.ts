import { UBLK_CMD } from '../uapi/ublk_cmds';
import type { UblkParams } from '../uapi/ublk_params';
import { UBLK_ANY_DEV_ID, UBLK_F, UBLK_F_SPLICE_ZC_RFC, UBLK_PARAM_TYPE } from '../uapi/ublk_abi';
import type { Machine } from '../kernel/machine';
import type { Buffer } from '../kernel/memory';
import type { IoTask } from '../kernel/request';
import type { Gen } from '../kernel/sched';
import type { UblkDevice } from '../kernel/ublk_drv';
import { ControlRing, EMPTY_INFO } from './control_ring';
import { type AddOptions, type Daemon, pidFile, startDaemon } from './daemon';
import type { Qcow2Image } from './qcow2/target';

const DAEMON_EXIT_POLL = 100_000_000;

/** Everything that ublk commands of a session share. */
export class UblkTool {
  readonly daemons: Daemon[] = [];

  constructor(private readonly machine: Machine) {}

  /** `ublk add`: creates the device, starts the daemon and the disk. Returns an exit status; `print` gets its output. */
  *add(task: IoTask, options: AddOptions, print: (text: string) => void): Gen<number> {
    const ctrl = yield* ControlRing.open(this.machine, task, options.facts);
    const old = options.version === 'ublksrv-1.2';
    // 1.2 asks for the feature mask first; no device of that id exists yet, so a 6.1 driver answers -ENODEV
    if (old) yield* ctrl.command(UBLK_CMD.GET_FEATURES, { devId: 0xffffffff, len: 8 }, true);
    const id = options.id < 0 ? UBLK_ANY_DEV_ID : options.id;
    const info = ctrl.infoBuffer({
      nrHwQueues: options.queues,
      queueDepth: options.depth,
      state: 0,
      ioDescSize: 0,
      maxIoBufBytes: options.maxIoBufBytes,
      devId: id,
      ublksrvPid: task.pid,
      flags: BigInt(options.flags),
      ublksrvFlags: 0n,
      ownerUid: 0,
      ownerGid: 0,
    });
    const added = yield* ctrl.command(UBLK_CMD.ADD_DEV, { devId: id, addr: info.addr, len: 64 });
    if (added < 0) {
      print(`can't add dev ${options.id}, ret ${added}`);
      return 1;
    }
    const devId = ctrl.readInfo(info).devId;
    const device = this.machine.ublk.device(devId);
    if (!device) return 1;
    if (old) {
      // the tool looks whether the node is there by opening it
      device.opened = true;
      this.machine.ublk.release(device);
    }
    for (let q = 0; q < device.info.queues; q++) {
      yield* ctrl.command(UBLK_CMD.GET_QUEUE_AFFINITY, { devId, data0: q, addr: info.addr, len: 64 });
    }
    const daemon = startDaemon(this.machine, device, options);
    this.daemons.push(daemon);
    yield* pidFile(daemon);
    if (!daemon.started) {
      print(`start daemon of dev ${devId} failed`);
      yield* ctrl.command(UBLK_CMD.DEL_DEV, { devId });
      return 1;
    }
    yield* ctrl.command(UBLK_CMD.SET_PARAMS, {
      devId,
      addr: ctrl.paramsBuffer(this.paramsOf(options, daemon.image)).addr,
      len: 64,
    });
    const started = yield* ctrl.command(UBLK_CMD.START_DEV, { devId, data0: daemon.main.pid });
    if (started < 0) {
      print(`start dev ${devId} failed, ret ${started}`);
      return 1;
    }
    yield* this.getInfo(ctrl, options.version, devId, info);
    if (old) yield* ctrl.command(UBLK_CMD.GET_QUEUE_AFFINITY, { devId, data0: 0, addr: info.addr, len: 64 });
    print(this.describe(device));
    return 0;
  }

  /** `ublk del`: GET_DEV_INFO, STOP_DEV, wait for the daemon, DEL_DEV. */
  *del(
    task: IoTask,
    ids: number[],
    version: AddOptions['version'],
    facts: boolean,
    print: (text: string) => void,
  ): Gen<number> {
    const ctrl = yield* ControlRing.open(this.machine, task, facts);
    let status = 0;
    for (const devId of ids) {
      const info = ctrl.infoBuffer(EMPTY_INFO);
      const found = yield* this.getInfo(ctrl, version, devId, info);
      if (found < 0) {
        print(`can't find ublk device ${devId}`);
        status = 1;
        continue;
      }
      yield* ctrl.command(UBLK_CMD.STOP_DEV, { devId });
      const daemon = this.daemonOf(devId);
      for (let i = 0; daemon?.alive && i < 30; i++) yield DAEMON_EXIT_POLL;
      const deleted = yield* ctrl.command(UBLK_CMD.DEL_DEV, { devId });
      if (deleted < 0) {
        print(`delete dev ${devId} failed, ret ${deleted}`);
        status = 1;
      }
    }
    return status;
  }

  /** `ublk list`. */
  *list(
    task: IoTask,
    ids: number[],
    version: AddOptions['version'],
    facts: boolean,
    print: (text: string) => void,
  ): Gen<number> {
    const ctrl = yield* ControlRing.open(this.machine, task, facts);
    let status = 0;
    for (const devId of ids) {
      const info = ctrl.infoBuffer(EMPTY_INFO);
      const found = yield* this.getInfo(ctrl, version, devId, info);
      const device = this.machine.ublk.device(devId);
      if (found < 0 || !device) {
        print(`can't get dev info from ${devId}: ${found}`);
        status = 1;
        continue;
      }
      if (version === 'ublksrv-1.2') {
        yield* ctrl.command(UBLK_CMD.GET_QUEUE_AFFINITY, { devId, data0: 0, addr: info.addr, len: 64 });
      }
      print(this.describe(device));
    }
    return status;
  }

  /** `ublk recover`: START_USER_RECOVERY, a new daemon, END_USER_RECOVERY. */
  *recover(task: IoTask, devId: number, facts: boolean, print: (text: string) => void): Gen<number> {
    const ctrl = yield* ControlRing.open(this.machine, task, facts);
    const old = this.daemons.findLast((daemon) => daemon.device.info.devId === devId);
    let ret = yield* ctrl.command(UBLK_CMD.START_USER_RECOVERY, { devId });
    for (let i = 0; ret === -16 && i < 100; i++) {
      yield DAEMON_EXIT_POLL;
      ret = yield* ctrl.command(UBLK_CMD.START_USER_RECOVERY, { devId });
    }
    if (ret < 0 || !old) {
      print(`can't start recovery for ${devId} ret ${ret}`);
      return 1;
    }
    const daemon = startDaemon(this.machine, old.device, old.options);
    this.daemons.push(daemon);
    yield* pidFile(daemon);
    ret = yield* ctrl.command(UBLK_CMD.END_USER_RECOVERY, { devId, data0: daemon.main.pid });
    if (ret < 0) {
      print(`can't end recovery for ${devId} ret ${ret}`);
      return 1;
    }
    print(this.describe(old.device));
    return 0;
  }

  /** The daemon of a device that was started last and still lives. */
  daemonOf(devId: number): Daemon | undefined {
    return this.daemons.findLast((daemon) => daemon.alive && daemon.device.info.devId === devId);
  }

  /** SIGKILL or another signal to every thread of a daemon. */
  signal(daemon: Daemon, signal: 'KILL' | 'TERM' | 'STOP' | 'CONT'): void {
    const { sched } = this.machine.kernel;
    for (const thread of daemon.threads) {
      if (signal === 'STOP') sched.setStopped(thread, true);
      else if (signal === 'CONT') sched.setStopped(thread, false);
      else sched.kill(thread);
    }
    if (signal === 'KILL' || signal === 'TERM') {
      daemon.device.daemonDying(daemon.threads[0]);
      for (const thread of daemon.threads) daemon.device.daemonDying(thread);
      this.machine.ublk.scheduleMonitor(daemon.device);
    }
  }

  /** GET_DEV_INFO; 1.2 tries three newer commands first, which a 6.1 driver answers with -EOPNOTSUPP. */
  private *getInfo(
    ctrl: ControlRing,
    version: AddOptions['version'],
    devId: number,
    info: Buffer,
  ): Gen<number> {
    if (version === 'ublksrv-1.2') {
      yield* ctrl.command(UBLK_CMD.GET_FEATURES, { devId, addr: info.addr, len: 8 }, true);
      yield* ctrl.command(UBLK_CMD.GET_DEV_INFO2, { devId, addr: info.addr, len: 64 }, true);
      yield* ctrl.command(UBLK_CMD.GET_DEV_INFO2, { devId, addr: info.addr, len: 64 });
    }
    return yield* ctrl.command(UBLK_CMD.GET_DEV_INFO, { devId, addr: info.addr, len: 64 });
  }

  private paramsOf(options: AddOptions, image: Qcow2Image | undefined): UblkParams {
    const loop = options.target === 'loop';
    const direct = loop && options.direct;
    const shift = (bytes: number): number => Math.round(Math.log2(bytes));
    const file = options.backing?.file;
    const size = image?.header.size ?? (loop ? (file?.size ?? 0) : 250 * 1024 ** 3);
    const raw = options.backing?.kind === 'block';
    return {
      len: 64,
      types: loop ? UBLK_PARAM_TYPE.BASIC | UBLK_PARAM_TYPE.DISCARD : UBLK_PARAM_TYPE.BASIC,
      basic: {
        attrs: 0,
        logicalBsShift: direct && !raw ? shift(options.blockSize) : 9,
        physicalBsShift: direct && !raw ? shift(options.blockSize) : 12,
        ioOptShift: 12,
        ioMinShift: 9,
        maxSectors: options.maxIoBufBytes >> 9,
        // so that no request of the disk crosses a cluster
        chunkSectors: image ? 2 ** (image.header.clusterBits - 9) : 0,
        devSectors: BigInt(Math.floor(size / 512)),
        virtBoundaryMask: 0n,
      },
      discard: {
        discardAlignment: 0,
        discardGranularity: loop ? options.blockSize : 0,
        maxDiscardSectors: loop ? 0xffffffff >>> 9 : 0,
        // the recorded 1.2 gets BLKZEROOUT as plain writes, the recorded stand-in of Nov 2022 as WRITE_ZEROES
        maxWriteZeroesSectors: loop && options.version === 'ublksrv-2022-11' ? 0xffffffff >>> 9 : 0,
        maxDiscardSegments: 1,
      },
      devt: null,
      zoned: null,
      dmaAlign: null,
      segment: null,
      integrity: null,
    };
  }

  private describe(device: UblkDevice): string {
    const { info } = device;
    const state = device.state;
    return (
      `dev id ${info.devId}: nr_hw_queues ${info.queues} queue_depth ${info.depth} ` +
      `block size ${device.disk?.limits.logicalBlockSize ?? 0} dev_capacity ${device.disk?.sectors ?? 0}\n` +
      `\tmax rq size ${info.maxIoBufBytes} daemon pid ${device.serverPid} flags 0x${info.flags.toString(16)} state ${state}`
    );
  }
}

/** UBLK_F_* that `ublk add` asks the driver for. */
export function addFlags(options: {
  readonly splice: boolean;
  readonly zeroCopy: boolean;
  readonly compInTask: boolean;
  readonly needGetData: boolean;
  readonly userRecovery: boolean;
  readonly recoveryReissue: boolean;
}): number {
  let flags = 0;
  if (options.splice) flags |= UBLK_F_SPLICE_ZC_RFC;
  else if (options.zeroCopy) flags |= UBLK_F.SUPPORT_ZERO_COPY;
  if (options.compInTask) flags |= UBLK_F.URING_CMD_COMP_IN_TASK;
  if (options.needGetData) flags |= UBLK_F.NEED_GET_DATA;
  if (options.userRecovery) flags |= UBLK_F.USER_RECOVERY;
  if (options.recoveryReissue) flags |= UBLK_F.USER_RECOVERY_REISSUE;
  return flags;
}

import { UBLK_F, UBLK_F_SPLICE_ZC_RFC, UBLK_MAX_QUEUE_DEPTH, UBLK_PARAM_TYPE } from '../uapi/ublk_abi';
import { UBLK_CMD } from '../uapi/ublk_cmds';
import { decodeParams, type UblkParams } from '../uapi/ublk_params';
import { decodeCtrlCmd, decodeDevInfo, encodeDevInfo } from '../uapi/ublk_structs';
import { Disk } from './disk';
import type { IoUring } from './io_uring';
import type { Kernel } from './kernel';
import { EAGAIN, type OpenFile, type UringCmd } from './open_file';
import type { IoTask } from './request';
import type { Gen } from './sched';
import { UblkDevice } from './ublk_drv';

const ENODEV = -19;
const EINVAL = -22;
const EEXIST = -17;
const EBUSY = -16;
const EACCES = -13;
const EFAULT = -14;
const EOPNOTSUPP = -95;
/** Commands that a control command finds: the second invocation, in a worker. */
const WORKER_FLAGS = 0;
const MONITOR_PERIOD = 5_000_000_000;
/** First minor and major that sd-less machines give to dynamic block devices. */
const BLKEXT_MAJOR = 259;
/** Sectors that the partition parsers of the recorded kernels read, in pages of 8 sectors. */
const PART_SCAN_SECTORS = [0, 8, 24];

/** What the control path needs to know of a disk that appears or goes. */
export interface DiskRegistry {
  add(name: string, disk: Disk): void;
  remove(name: string): void;
  /** Buffered read of one page of the new disk. */
  readPage(task: IoTask, disk: Disk, sector: number): Gen<void>;
}

interface Entry {
  device: UblkDevice;
  params: UblkParams | undefined;
  used: boolean;
}

/** The control device of ublk_drv 6.1: /dev/ublk-control, and the work that watches servers. */
export class UblkDriver {
  private readonly entries = new Map<number, Entry>();
  private readonly monitorBase = 0;
  /** When the monitor work of a device is due, ns; it is queued once at a time. */
  private readonly monitors = new Map<UblkDevice, number>();

  constructor(
    private readonly kernel: Kernel,
    private readonly uring: IoUring,
    private readonly registry: DiskRegistry,
    private readonly partScan: boolean,
  ) {}

  /** /dev/ublk-control. Every command wants to sleep, so the nonblocking attempt answers -EAGAIN. */
  readonly controlFile: OpenFile = {
    kind: 'ublk-control',
    uringCmd: () => EAGAIN,
    uringCmdBlocking: (cmd) => this.control(cmd),
  };

  /** The device of an id. */
  device(id: number): UblkDevice | undefined {
    return this.entries.get(id)?.device;
  }

  /** Ids in use, ascending. */
  ids(): number[] {
    return [...this.entries.keys()].sort((a, b) => a - b);
  }

  /** The last reference to /dev/ublkcN is gone (ublk_ch_release). */
  release(device: UblkDevice): void {
    this.kernel.rec.emit.ublk_ch_release();
    device.opened = false;
    device.released.wakeAll();
  }

  /** A server died: the monitor sees it at its next tick. */
  scheduleMonitor(device: UblkDevice, now = false): void {
    const { sched, rec } = this.kernel;
    const next = now
      ? rec.now
      : Math.floor((rec.now - this.monitorBase) / MONITOR_PERIOD + 1) * MONITOR_PERIOD;
    const pending = this.monitors.get(device);
    if (pending !== undefined && pending <= next) return;
    this.monitors.set(device, next);
    sched.at(next, () => {
      // mod_delayed_work moved it to an earlier time
      if (this.monitors.get(device) !== next) return;
      this.kernel.queueKblockd(0, () => {
        this.monitors.delete(device);
        this.monitor(device);
      });
    });
  }

  /** ublk_daemon_monitor_work */
  private monitor(device: UblkDevice): void {
    const { emit } = this.kernel.rec;
    emit.ublk_daemon_monitor_work();
    const dying = device.queues.filter((queue) => queue.dying);
    if (dying.length === 0 || device.state !== 'LIVE') return;
    if (device.canRecover) {
      if (device.disk) device.disk.quiesced = true;
      for (const queue of dying) device.abortQueue(queue);
      this.setState(device, 'QUIESCED');
      device.cancel();
      return;
    }
    for (const queue of dying) device.abortQueue(queue);
    emit.ublk_stop_work_fn();
    const worker = this.kernel.newTask('kworker/u4:1', 0);
    this.kernel.sched.start(worker, this.stop(worker, device));
  }

  private *control(cmd: UringCmd): Gen<number> {
    const ctrl = decodeCtrlCmd(cmd.view, cmd.at);
    const nr = cmd.cmdOp & 0xff;
    const { emit } = this.kernel.rec;
    const data0 = Number(BigInt.asIntN(53, ctrl.data0));
    emit.ublk_ctrl_uring_cmd(
      this.kernel.u64(cmd.cmdOp),
      this.kernel.u64(ctrl.devId),
      this.kernel.i32(data0),
      WORKER_FLAGS,
    );
    yield 500;
    const worker = this.kernel.sched.current as IoTask;
    if (nr === UBLK_CMD.ADD_DEV) return this.addDev(Number(ctrl.addr), ctrl.devId, ctrl.queueId, ctrl.len);
    const entry = this.entries.get(ctrl.devId);
    if (!entry) return ENODEV;
    const { device } = entry;
    switch (nr) {
      case UBLK_CMD.GET_QUEUE_AFFINITY:
        return data0 < device.queues.length ? 0 : EINVAL;
      case UBLK_CMD.GET_DEV_INFO:
        return this.writeInfo(device, Number(ctrl.addr));
      case UBLK_CMD.SET_PARAMS:
        return this.setParams(entry, Number(ctrl.addr));
      case UBLK_CMD.GET_PARAMS:
        return entry.params ? 0 : EINVAL;
      case UBLK_CMD.START_DEV:
        return yield* this.start(worker, entry, data0);
      case UBLK_CMD.STOP_DEV:
        yield* this.stop(worker, device);
        return 0;
      case UBLK_CMD.DEL_DEV:
        return yield* this.del(worker, device, ctrl.devId);
      case UBLK_CMD.START_USER_RECOVERY:
        return this.startRecovery(device);
      case UBLK_CMD.END_USER_RECOVERY:
        return yield* this.endRecovery(worker, device, data0);
      default:
        return EOPNOTSUPP;
    }
  }

  /** ublk_ctrl_add_dev */
  private addDev(addr: number, devId: number, queueId: number, len: number): number {
    const place = this.kernel.memory.find(addr);
    if (!place || len < 64 || queueId !== 0xffff) return EINVAL;
    const bytes = this.kernel.memory.touch(place.buffer, place.offset, 64);
    const view = new DataView(bytes.buffer, bytes.byteOffset, 64);
    const info = decodeDevInfo(view, 0);
    let id = devId;
    if (devId === 0xffffffff) {
      id = 0;
      while (this.entries.has(id)) id++;
    } else if (this.entries.has(devId)) {
      return EEXIST;
    }
    if (info.queueDepth < 1 || info.queueDepth > UBLK_MAX_QUEUE_DEPTH || info.nrHwQueues < 1) return EINVAL;
    const known =
      UBLK_F.URING_CMD_COMP_IN_TASK |
      UBLK_F.NEED_GET_DATA |
      UBLK_F.USER_RECOVERY |
      UBLK_F.USER_RECOVERY_REISSUE;
    let flags =
      Number(info.flags & 0xffffffffn) & (known | (this.kernel.profile.spliceZc ? UBLK_F_SPLICE_ZC_RFC : 0));
    if (this.kernel.profile.ublkModule) flags |= UBLK_F.URING_CMD_COMP_IN_TASK;
    if (this.kernel.profile.rules.ublkIoctl) flags |= UBLK_F.CMD_IOCTL_ENCODE;
    const device = new UblkDevice(
      this.kernel,
      this.uring,
      {
        devId: id,
        queues: Math.min(info.nrHwQueues, this.kernel.cpus),
        depth: info.queueDepth,
        maxIoBufBytes: info.maxIoBufBytes - (info.maxIoBufBytes % 4096),
        flags,
      },
      (d) => this.scheduleMonitor(d, true),
    );
    this.entries.set(id, { device, params: undefined, used: false });
    this.setState(device, 'DEAD');
    return this.writeInfo(device, addr);
  }

  private writeInfo(device: UblkDevice, addr: number): number {
    const place = this.kernel.memory.find(addr);
    if (!place) return EFAULT;
    const bytes = this.kernel.memory.touch(place.buffer, place.offset, 64);
    encodeDevInfo(new DataView(bytes.buffer, bytes.byteOffset, 64), 0, {
      nrHwQueues: device.info.queues,
      queueDepth: device.info.depth,
      state: device.state === 'LIVE' ? 1 : device.state === 'QUIESCED' ? 2 : 0,
      ioDescSize: 0,
      maxIoBufBytes: device.info.maxIoBufBytes,
      devId: device.info.devId,
      ublksrvPid: device.serverPid,
      flags: BigInt(device.info.flags),
      ublksrvFlags: 0n,
      ownerUid: 0,
      ownerGid: 0,
    });
    return 0;
  }

  private setParams(entry: Entry, addr: number): number {
    if (entry.used) return EACCES;
    const place = this.kernel.memory.find(addr);
    if (!place) return EFAULT;
    const bytes = this.kernel.memory.touch(place.buffer, place.offset, 64);
    const params = decodeParams(new DataView(bytes.buffer, bytes.byteOffset, 64), 0, 64);
    const { basic, discard } = params;
    if (!(params.types & UBLK_PARAM_TYPE.BASIC)) return EINVAL;
    if (basic.logicalBsShift < 9 || basic.logicalBsShift > 12) return EINVAL;
    if (basic.logicalBsShift > basic.physicalBsShift) return EINVAL;
    if (basic.maxSectors > entry.device.info.maxIoBufBytes >> 9) return EINVAL;
    if (
      params.types & UBLK_PARAM_TYPE.DISCARD &&
      (discard.maxDiscardSegments !== 1 || !discard.discardGranularity)
    ) {
      return EINVAL;
    }
    entry.params = params;
    return 0;
  }

  /** ublk_ctrl_start_dev: waits for all FETCHes, then the disk appears and its partition table is read. */
  private *start(worker: IoTask, entry: Entry, pid: number): Gen<number> {
    const { device, params } = entry;
    if (pid <= 0) return EINVAL;
    if (!params) return EINVAL;
    yield* device.ready.until(worker, () => device.isReady);
    if (device.state === 'LIVE' || entry.used) return EEXIST;
    const id = device.info.devId;
    const single = device.info.queues === 1;
    const disk = new Disk(
      this.kernel,
      `ublkb${id}`,
      BLKEXT_MAJOR,
      id,
      Number(params.basic.devSectors),
      {
        maxSectors: params.basic.maxSectors,
        chunkSectors: params.basic.chunkSectors,
        logicalBlockSize: 1 << params.basic.logicalBsShift,
        maxDiscardSectors: params.types & UBLK_PARAM_TYPE.DISCARD ? params.discard.maxDiscardSectors : 0,
        maxWriteZeroesSectors:
          params.types & UBLK_PARAM_TYPE.DISCARD ? params.discard.maxWriteZeroesSectors : 0,
        writeCache: (params.basic.attrs & 4) !== 0,
      },
      device,
      device.info.queues,
      device.info.depth,
      single,
    );
    device.disk = disk;
    device.serverPid = pid;
    this.setState(device, 'LIVE');
    entry.used = true;
    this.registry.add(disk.name, disk);
    if (this.partScan) {
      for (const sector of PART_SCAN_SECTORS) {
        if (sector + 8 <= disk.sectors) yield* this.registry.readPage(worker, disk, sector);
      }
    }
    return 0;
  }

  /** ublk_stop_dev: del_gendisk, then armed commands are answered with -ENODEV. */
  private *stop(worker: IoTask, device: UblkDevice): Gen<void> {
    this.kernel.rec.emit.ublk_stop_dev();
    if (device.state !== 'DEAD') {
      const { disk } = device;
      if (disk) {
        device.forceAbort = device.canRecover;
        if (device.state === 'QUIESCED') {
          disk.quiesced = false;
          for (const rq of [...disk.startedRequests()]) device.failRequest(rq);
        }
        disk.dead = true;
        this.registry.remove(disk.name);
        // what waits is dispatched once more: the driver fails it where there is no server to take it
        disk.kickRequeue();
        for (const hctx of disk.hctxs) disk.runHctx(hctx, true, worker);
        yield* disk.drain(worker);
      }
      device.serverPid = -1;
      this.setState(device, 'DEAD');
    }
    device.cancel();
  }

  private *del(worker: IoTask, device: UblkDevice, id: number): Gen<number> {
    yield* this.stop(worker, device);
    yield* device.released.until(worker, () => !device.opened);
    this.entries.delete(id);
    return 0;
  }

  private startRecovery(device: UblkDevice): number {
    if (!device.canRecover) return EINVAL;
    if (device.opened || device.state !== 'QUIESCED') return EBUSY;
    device.resetSlots();
    return 0;
  }

  private *endRecovery(worker: IoTask, device: UblkDevice, pid: number): Gen<number> {
    if (!device.canRecover) return EINVAL;
    yield* device.ready.until(worker, () => device.isReady);
    if (device.state !== 'QUIESCED') return EBUSY;
    device.serverPid = pid;
    if (device.disk) device.disk.quiesced = false;
    this.setState(device, 'LIVE');
    device.disk?.kickRequeue();
    for (const hctx of device.disk?.hctxs ?? []) device.disk?.runHctx(hctx, true, worker);
    return 0;
  }

  private setState(device: UblkDevice, state: UblkDevice['state']): void {
    device.state = state;
    const { rec } = this.kernel;
    rec.emit.ublk_dev_state(
      device.info.devId,
      rec.trace.strings.id(state),
      device.info.queues,
      device.info.depth,
      device.info.flags,
    );
  }
}

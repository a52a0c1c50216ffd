import { REQ_OP } from '../uapi/block';
import { getSafeU64, putSafeU64 } from '../uapi/bytes';
import { UBLK_F, UBLK_F_SPLICE_ZC_RFC, UBLK_IO_FLAG } from '../uapi/ublk_abi';
import { UBLK_IO, UBLK_IO_RES } from '../uapi/ublk_cmds';
import { IO_DESC_SIZE } from '../uapi/ublk_structs';
import type { BlkDriver } from './blk_driver';
import type { Disk } from './disk';
import type { IoUring } from './io_uring';
import type { Kernel } from './kernel';
import { EIOCBQUEUED, type OpenFile, type UringCmd } from './open_file';
import type { Request } from './request';
import { WaitQueue } from './sched';
import { ISSUE_FROM_TASK, issueFlags } from './ublk_issue';
import { type UblkInfo, type UblkIo, makeQueue, type UblkQueue } from './ublk_queue';
import { copyUserPages, filledBytes } from './ublk_copy';
import { descriptorFlags } from './ublk_desc';
import { ublkSpliceRead } from './ublk_splice';

const EINVAL = -22;
const EBUSY = -16;
const EIO = -5;
const { ACTIVE, OWNED_BY_SRV, ABORTED, NEED_GET_DATA } = UBLK_IO_FLAG;
/** One ublk device: the data plane of ublk_drv 6.1 (drivers/block/ublk_drv.c). */
export class UblkDevice implements BlkDriver {
  readonly queueRqs = false;
  readonly queues: UblkQueue[];
  disk: Disk | undefined;
  state: 'DEAD' | 'LIVE' | 'QUIESCED' = 'DEAD';
  /** /dev/ublkcN is open (only one opener). */
  opened = false;
  /** All slots of all queues are armed. */
  readonly ready: WaitQueue;
  /** The char device was released. */
  readonly released: WaitQueue;
  serverPid = -1;
  /** ublk_stop_dev of a device with recovery: what is queued from now on fails instead of waiting for a server. */
  forceAbort = false;
  private readonly issueFlags: number;

  constructor(
    readonly kernel: Kernel,
    private readonly uring: IoUring,
    readonly info: UblkInfo,
    /** Called when the driver notices that a server died, so that the monitor runs at once. */
    private readonly kickMonitor: (device: UblkDevice) => void,
  ) {
    this.queues = Array.from({ length: info.queues }, (_, id) => makeQueue(id, info.depth));
    this.ready = new WaitQueue(kernel.sched);
    this.released = new WaitQueue(kernel.sched);
    this.issueFlags = kernel.rec.trace.wide.ofNumber(issueFlags(kernel.profile.rules.laterTracepoints));
  }

  get isReady(): boolean {
    return this.queues.every((queue) => queue.nrReady === queue.depth);
  }

  get spliceZc(): boolean {
    return (this.info.flags & UBLK_F_SPLICE_ZC_RFC) !== 0 && this.kernel.profile.spliceZc;
  }

  get needGetData(): boolean {
    return (this.info.flags & UBLK_F.NEED_GET_DATA) !== 0;
  }

  get canRecover(): boolean {
    return (this.info.flags & UBLK_F.USER_RECOVERY) !== 0;
  }

  /** Requests that no server took wait for the next one. */
  private get requeues(): boolean {
    return this.canRecover && !this.forceAbort;
  }

  private get compInTask(): boolean {
    return this.kernel.profile.ublkModule || (this.info.flags & UBLK_F.URING_CMD_COMP_IN_TASK) !== 0;
  }

  /** The char device as an open file. */
  readonly charFile: OpenFile = {
    kind: 'ublk-char',
    uringCmd: (cmd) => this.ioCommand(cmd),
    splice: {
      spliceRead: (worker, pos, pipe, len, flags) => ublkSpliceRead(this, worker, pos, pipe, len, flags),
      filled: (pos, length, source) => this.splicedIn(pos, length, source),
    },
  };

  /** ublk_queue_rq */
  queueRq(rq: Request): void {
    const { kernel } = this;
    const queue = this.queues[rq.hctx.index];
    kernel.rec.emit.ublk_queue_rq(queue.id, rq.tag, kernel.u64(rq.sector), rq.bytes, kernel.u64(rq.opf));
    if (kernel.profile.rules.ublkDispatch) kernel.rec.emit.ublk_prep_req(rq.tag);
    this.setupDescriptor(queue, rq);
    rq.handled = 0;
    rq.fills = [];
    if (this.forceAbort) {
      this.disk?.end(rq, EIO);
      return;
    }
    this.disk?.start(rq, kernel.sched.current?.commId ?? 0);
    if (queue.dying || !queue.daemon) {
      this.abort(queue, rq);
      return;
    }
    this.queueCmd(queue, rq);
  }

  /** The server's thread or ring goes away. */
  daemonDying(task: object): void {
    for (const queue of this.queues) if (queue.daemon === task) queue.dying = true;
  }

  /** ublk_abort_queue: requests that the dead server owns are failed, or requeued where it may be restarted. */
  abortQueue(queue: UblkQueue): void {
    for (let tag = 0; tag < queue.depth; tag++) {
      const io = queue.ios[tag];
      if (io.flags & ACTIVE) continue;
      const rq = this.requestOf(queue, tag);
      if (!rq || io.flags & ABORTED) continue;
      io.flags |= ABORTED;
      if (this.requeues && this.info.flags & UBLK_F.USER_RECOVERY_REISSUE) this.disk?.requeue(rq, -1);
      else this.failRequest(rq);
    }
  }

  /** ublk_cancel_dev: idle armed commands are answered with -ENODEV. */
  cancel(): void {
    this.kernel.rec.emit.ublk_cancel_dev();
    for (const queue of this.queues) {
      for (const io of queue.ios) {
        if (!(io.flags & ACTIVE) || !io.cmd) continue;
        const { cmd } = io;
        io.flags = ACTIVE | UBLK_IO_FLAG.CANCELED;
        io.cmd = undefined;
        cmd.done(UBLK_IO_RES.ABORT);
      }
    }
  }

  /** START_USER_RECOVERY: every slot is free again for the next server. */
  resetSlots(): void {
    for (const queue of this.queues) {
      for (const io of queue.ios) Object.assign(io, { flags: 0, addr: 0, res: 0, cmd: undefined });
      queue.nrReady = 0;
      queue.daemon = undefined;
      queue.dying = false;
    }
  }

  /** The started request of a tag (blk_mq_tag_to_rq with its checks). */
  requestOf(queue: UblkQueue, tag: number): Request | undefined {
    const rq = this.disk?.hctxs[queue.id]?.rqs[tag];
    return rq?.started ? rq : undefined;
  }

  /** blk_mq_end_request with BLK_STS_IOERR. */
  failRequest(rq: Request): void {
    this.kernel.rec.emit.ublk_fail_req(rq.tag);
    this.disk?.end(rq, EIO);
  }

  private setupDescriptor(queue: UblkQueue, rq: Request): void {
    const at = rq.tag * IO_DESC_SIZE;
    queue.descs.setUint32(at, descriptorFlags(rq.opf), true);
    queue.descs.setUint32(at + 4, rq.nrSectors, true);
    putSafeU64(queue.descs, at + 8, rq.sector);
    putSafeU64(queue.descs, at + 16, queue.ios[rq.tag].addr);
  }

  /** ublk_queue_cmd: the request that finds the list empty kicks the daemon. */
  private queueCmd(queue: UblkQueue, rq: Request): void {
    const { daemon } = queue;
    if (this.kernel.profile.rules.ublkDispatch) {
      queue.ios[rq.tag].cmd?.completeInTask(() => {
        this.kernel.rec.emit.ublk_cmd_tw_cb();
        this.deliver(queue, rq);
      });
      return;
    }
    if (this.compInTask) {
      this.kernel.rec.emit.ublk_queue_cmd();
      queue.ioCmds.push(rq);
      if (queue.ioCmds.length > 1) return;
      queue.ios[rq.tag].cmd?.completeInTask(() => {
        this.kernel.rec.emit.ublk_rq_task_work_cb();
        this.runIoCmds(queue);
      });
      return;
    }
    queue.ioCmds.push(rq);
    if (queue.ioCmds.length > 1) return;
    if (!daemon || !this.uring.addPlainTaskWork(daemon, () => this.runIoCmds(queue))) {
      for (const waiting of queue.ioCmds.splice(0)) this.abort(queue, waiting);
    }
  }

  private runIoCmds(queue: UblkQueue): void {
    for (const rq of queue.ioCmds.splice(0)) this.deliver(queue, rq);
  }

  /** __ublk_rq_task_work */
  private deliver(queue: UblkQueue, rq: Request): void {
    const { emit } = this.kernel.rec;
    const io = queue.ios[rq.tag];
    if (queue.dying || this.kernel.sched.current !== queue.daemon) {
      this.abort(queue, rq);
      return;
    }
    const later = this.kernel.profile.rules.ublkDispatch;
    if (later) emit.ublk_dispatch_req(queue.id, rq.tag);
    else emit.ublk_rq_task_work(rq.tag, 2);
    if (this.needGetData && (rq.op === REQ_OP.WRITE || rq.op === REQ_OP.FLUSH)) {
      if (!(io.flags & NEED_GET_DATA)) {
        io.flags |= NEED_GET_DATA;
        this.completeCmd(io, UBLK_IO_RES.NEED_GET_DATA);
        return;
      }
      io.flags &= ~NEED_GET_DATA;
      putSafeU64(queue.descs, rq.tag * IO_DESC_SIZE + 16, io.addr);
    }
    const mapped = this.mapIo(rq, io);
    if (mapped !== rq.bytes) {
      if (mapped === 0) {
        this.disk?.requeue(rq, 3_000_000);
        return;
      }
      queue.descs.setUint32(rq.tag * IO_DESC_SIZE + 4, mapped >> 9, true);
    }
    this.completeCmd(io, UBLK_IO_RES.OK);
  }

  /** ubq_complete_io_cmd */
  private completeCmd(io: UblkIo, res: number): void {
    io.flags |= OWNED_BY_SRV;
    io.flags &= ~ACTIVE;
    const { cmd } = io;
    io.cmd = undefined;
    if (this.kernel.profile.rules.ublkDispatch)
      this.kernel.rec.emit.io_uring_cmd_done(this.kernel.i32(res), ISSUE_FROM_TASK);
    cmd?.done(res);
  }

  /** ublk_map_io: for a WRITE in copy mode the payload goes into the server's buffer. Bytes mapped. */
  private mapIo(rq: Request, io: UblkIo): number {
    const { emit } = this.kernel.rec;
    if (this.kernel.profile.rules.ublkDispatch) emit.ublk_start_io(rq.tag);
    else emit.ublk_map_io(rq.tag);
    let mapped = rq.bytes;
    if (!this.spliceZc && rq.op === REQ_OP.WRITE)
      mapped = copyUserPages(this.kernel, rq, io.addr, rq.bytes, true);
    if (!this.kernel.profile.rules.ublkDispatch) emit.ublk_map_io_ret(mapped);
    return mapped;
  }

  /** ublk_unmap_io: for a READ in copy mode the result goes from the server's buffer into the request. Bytes copied. */
  private unmapIo(queue: UblkQueue, rq: Request, io: UblkIo): number {
    const { emit } = this.kernel.rec;
    emit.ublk_unmap_io(rq.tag);
    let done = rq.bytes;
    if (!this.spliceZc && rq.op === REQ_OP.READ) {
      done = copyUserPages(this.kernel, rq, io.addr, Math.min(io.res, rq.bytes), false);
      this.fill(queue, rq, 0, done, 'server-buffer');
    }
    emit.ublk_unmap_io_ret(done);
    return done;
  }

  private fill(queue: UblkQueue, rq: Request, offset: number, length: number, source: string): void {
    if (length <= 0) return;
    const { rec } = this.kernel;
    rq.fills.push({ offset, length, source });
    rec.emit.page_fill(this.info.devId, queue.id, rq.tag, offset, length, rec.trace.strings.id(source));
  }

  private splicedIn(pos: number, length: number, source: string): void {
    const queue = this.queues[Math.floor(pos / 2 ** 42)];
    const tag = Math.floor(pos / 2 ** 30) % 4096;
    const rq = queue && this.requestOf(queue, tag);
    if (rq && rq.op === REQ_OP.READ) this.fill(queue, rq, pos % 2 ** 30, length, source);
  }

  /** __ublk_ch_uring_cmd: every answer, also a refusal, goes through io_uring_cmd_done. */
  private ioCommand(cmd: UringCmd): number {
    const { emit } = this.kernel.rec;
    const { view, at } = cmd;
    const nr = cmd.cmdOp & 0xff;
    const qid = view.getUint16(at, true);
    const tag = view.getUint16(at + 2, true);
    const result = view.getInt32(at + 4, true);
    const addr = getSafeU64(view, at + 8);
    this.kernel.rec.later.addr = this.kernel.u64(addr);
    emit.ublk_ch_uring_cmd(this.kernel.u64(cmd.cmdOp), qid, tag, this.kernel.i32(result), this.issueFlags);
    const error = this.handle(cmd, nr, qid, tag, result, addr);
    if (error) cmd.done(error);
    emit.ublk_ch_uring_cmd_ret(this.kernel.i32(EIOCBQUEUED));
    return EIOCBQUEUED;
  }

  /** The checks in the order of 6.1; 0 when the command was accepted. */
  private handle(cmd: UringCmd, nr: number, qid: number, tag: number, result: number, addr: number): number {
    const queue = this.queues[qid];
    if (!queue) return EINVAL;
    if (queue.daemon && queue.daemon !== cmd.task) return EINVAL;
    if (tag >= queue.depth) return EINVAL;
    const io = queue.ios[tag];
    if (io.flags & ACTIVE) return EBUSY;
    if (((io.flags & NEED_GET_DATA) !== 0) !== (nr === UBLK_IO.NEED_GET_DATA)) return EINVAL;
    const rq = this.requestOf(queue, tag);
    switch (nr) {
      case UBLK_IO.FETCH_REQ:
        if (queue.nrReady === queue.depth) return EBUSY;
        if (io.flags & OWNED_BY_SRV) return EINVAL;
        if (!addr && !this.needGetData) return EINVAL;
        io.cmd = cmd;
        io.flags |= ACTIVE;
        io.addr = addr;
        this.markReady(queue, cmd);
        return 0;
      case UBLK_IO.COMMIT_AND_FETCH_REQ:
        if (!addr && (!this.needGetData || rq?.op === REQ_OP.READ)) return EINVAL;
        if (!(io.flags & OWNED_BY_SRV)) return EINVAL;
        io.addr = addr;
        io.flags |= ACTIVE;
        io.cmd = cmd;
        this.commit(queue, tag, result);
        return 0;
      case UBLK_IO.NEED_GET_DATA:
        if (!(io.flags & OWNED_BY_SRV)) return EINVAL;
        io.addr = addr;
        io.cmd = cmd;
        io.flags |= ACTIVE;
        if (rq) this.queueCmd(queue, rq);
        return 0;
      default:
        return EINVAL;
    }
  }

  private markReady(queue: UblkQueue, cmd: UringCmd): void {
    this.kernel.rec.emit.ublk_mark_io_ready();
    queue.nrReady++;
    if (queue.nrReady === queue.depth) queue.daemon = cmd.task as UblkQueue['daemon'];
    if (this.isReady) this.ready.wakeAll();
  }

  /** ublk_commit_completion: the slot is armed already when the request ends. */
  private commit(queue: UblkQueue, tag: number, result: number): void {
    const io = queue.ios[tag];
    this.kernel.rec.emit.ublk_commit_completion(queue.id, tag, this.kernel.i32(result));
    io.flags &= ~OWNED_BY_SRV;
    io.res = result;
    const rq = this.requestOf(queue, tag);
    if (rq) this.complete(queue, rq, io);
  }

  /** ublk_complete_rq */
  private complete(queue: UblkQueue, rq: Request, io: UblkIo): void {
    const { kernel, disk } = this;
    kernel.rec.emit.ublk_complete_rq(rq.tag, kernel.u64(rq.sector), rq.bytes, rq.handled);
    if (!disk) return;
    if (io.res === 0 && rq.op === REQ_OP.READ) io.res = EIO;
    if (io.res < 0) {
      disk.end(rq, io.res);
      return;
    }
    if (!rq.hasData || (rq.op !== REQ_OP.READ && kernel.profile.rules.ublkDispatch)) {
      disk.end(rq, 0);
      return;
    }
    const unmapped = this.unmapIo(queue, rq, io);
    const done = Math.min(unmapped, io.res, rq.bytes);
    if (rq.op === REQ_OP.READ) this.expose(queue, rq, done);
    if (disk.update(rq, 0, done)) disk.requeue(rq);
    else disk.finish(rq);
  }

  /** Tells how much of what the reader gets was really filled by the backend. */
  private expose(queue: UblkQueue, rq: Request, length: number): void {
    this.kernel.rec.emit.page_expose(this.info.devId, queue.id, rq.tag, 0, length, filledBytes(rq, length));
  }

  /** __ublk_abort_rq */
  private abort(_queue: UblkQueue, rq: Request): void {
    this.kernel.rec.emit.ublk_abort_rq(rq.tag);
    if (this.requeues) this.disk?.requeue(rq, -1);
    else this.disk?.end(rq, EIO);
    this.kickMonitor(this);
  }
}

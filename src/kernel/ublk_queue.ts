import type { UringCmd } from './open_file';
import type { IoTask, Request } from './request';

/** One slot of a queue (struct ublk_io). Flags are UBLK_IO_FLAG. */
export interface UblkIo {
  flags: number;
  /** Buffer that the server gave, user address; 0 for none. */
  addr: number;
  /** Result that was committed. */
  res: number;
  /** The armed command. */
  cmd: UringCmd | undefined;
}

/** One hardware queue of a device (struct ublk_queue). */
export interface UblkQueue {
  readonly id: number;
  readonly depth: number;
  readonly ios: UblkIo[];
  /** The descriptor array that the server maps read-only. */
  readonly descs: DataView;
  /** The thread that armed the last slot. */
  daemon: IoTask | undefined;
  nrReady: number;
  /** Requests that wait for the task work of the daemon, oldest first. */
  ioCmds: Request[];
  /** The daemon thread is exiting or gone (PF_EXITING). */
  dying: boolean;
}

/** A queue with all slots free. */
export function makeQueue(id: number, depth: number): UblkQueue {
  return {
    id,
    depth,
    ios: Array.from({ length: depth }, () => ({ flags: 0, addr: 0, res: 0, cmd: undefined })),
    descs: new DataView(new ArrayBuffer(depth * 24)),
    daemon: undefined,
    nrReady: 0,
    ioCmds: [],
    dying: false,
  };
}

/** Numbers of a device that the control path negotiated. */
export interface UblkInfo {
  readonly devId: number;
  readonly queues: number;
  readonly depth: number;
  readonly maxIoBufBytes: number;
  /** UBLK_F_*, as granted. */
  readonly flags: number;
}

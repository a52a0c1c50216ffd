import type { Buffer } from '../../kernel/memory';
import type { SqeFields } from '../ring_user';
import type { Qcow2Header } from './format';

/** The coroutine has to suspend: it was added to the waiters of what it needs, or its own meta I/O is on the way. */
export const WAIT = Symbol('wait');
export type Wait = typeof WAIT;

/** A CQE of the target, as its coroutine sees it. */
export interface TargetCqe {
  readonly op: number;
  readonly tgtData: number;
  readonly res: number;
}

/** A coroutine: yields to suspend; resumed with a CQE, or without one when somebody woke it. */
export type Co = Generator<undefined, void, TargetCqe | undefined>;

/** What the target needs of the queue that it runs in. */
export interface Qcow2Host {
  readonly depth: number;
  /** FSYNC|LINK behind the WRITE that it should precede, as shipped. */
  readonly linkAsShipped: boolean;
  /** io_uring_get_sqe, filled: one more target I/O in flight. */
  push(fields: SqeFields): void;
  /** ublksrv_complete_io */
  complete(tag: number, res: number): void;
  descriptor(tag: number): { op: number; offset: number; bytes: number; addr: number };
  /** Fills the request's buffer with zeros. */
  zeroFill(addr: number, bytes: number): void;
  alloc(bytes: number): Buffer;
  bytes(buffer: Buffer): Uint8Array;
  /** ns */
  now(): number;
  /** A line of the server's log. */
  log(text: string): void;
}

/** What the parts of the target share. */
export interface Qcow2Shared {
  readonly header: Qcow2Header;
  readonly host: Qcow2Host;
  /** IDs of metadata I/O, told back by tgt_data. */
  readonly metaIos: MetaIos;
  resume(tag: number): void;
}

/** A metadata object, as its I/O finds it. */
interface MetaObject {
  ioDone(tag: number, cqe: TargetCqe): void;
}

/** Metadata objects by the ID that their I/O carries in user_data (ID + 1). */
export class MetaIos {
  private list: (MetaObject | undefined)[] = [];

  add(meta: MetaObject): number {
    const free = this.list.indexOf(undefined);
    if (free < 0) return this.list.push(meta) - 1;
    this.list[free] = meta;
    return free;
  }

  get(id: number): MetaObject | undefined {
    return this.list[id];
  }

  remove(id: number): void {
    this.list[id] = undefined;
    if (this.list.every((meta) => meta === undefined)) this.list = [];
  }
}

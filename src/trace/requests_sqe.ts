import { grown } from './requests_block';

/** How a CQE came about. */
export const VIA = { unknown: 0, inline: 1, taskWork: 2, ioWq: 3 } as const;
/** Names of {@link VIA}, as printed; null while the request has no CQE. */
export const VIA_NAMES = [null, 'inline', 'task-work', 'io-wq'] as const;

/** What an SQE is to a ublk server, by its user_data. */
export const SQE_KIND = { other: 0, command: 1, target: 2, fuse: 3 } as const;

const INITIAL = 256;

/** SQEs in columns. The same kernel request pointer serves many SQEs, one after the other. */
export class SqeStore {
  count = 0;
  /** Word of user_data. */
  data = new Uint32Array(INITIAL);
  ring = new Uint16Array(INITIAL);
  kind = new Uint8Array(INITIAL);
  /** Low byte of the command, or the op of target I/O, from user_data. */
  op = new Uint8Array(INITIAL);
  tag = new Uint16Array(INITIAL);
  /** String id of the opcode; 0 where the trace does not print it. */
  opcode = new Uint32Array(INITIAL);
  submit = new Int32Array(INITIAL);
  complete = new Int32Array(INITIAL);
  result = new Float64Array(INITIAL);
  via = new Uint8Array(INITIAL);
  /** 1 where it was handed to a worker, 2 where a worker has begun with it. */
  punted = new Uint8Array(INITIAL);
  /** Slot life that it belongs to. */
  life = new Int32Array(INITIAL);
  /** Next SQE of the same chain, and the next one of the same life. */
  link = new Int32Array(INITIAL);
  next = new Int32Array(INITIAL);
  /** Bytes of block I/O that it caused. */
  bytes = new Float64Array(INITIAL);

  add(data: number, ring: number, kind: number, op: number, tag: number): number {
    if (this.count === this.data.length) this.grow();
    const q = this.count++;
    this.data[q] = data;
    this.ring[q] = ring;
    this.kind[q] = kind;
    this.op[q] = op;
    this.tag[q] = tag;
    this.submit[q] = -1;
    this.complete[q] = -1;
    this.life[q] = -1;
    this.link[q] = -1;
    this.next[q] = -1;
    return q;
  }

  private grow(): void {
    const size = this.data.length * 2;
    this.data = grown(this.data, new Uint32Array(size));
    this.ring = grown(this.ring, new Uint16Array(size));
    this.kind = grown(this.kind, new Uint8Array(size));
    this.op = grown(this.op, new Uint8Array(size));
    this.tag = grown(this.tag, new Uint16Array(size));
    this.opcode = grown(this.opcode, new Uint32Array(size));
    this.submit = grown(this.submit, new Int32Array(size));
    this.complete = grown(this.complete, new Int32Array(size));
    this.result = grown(this.result, new Float64Array(size));
    this.via = grown(this.via, new Uint8Array(size));
    this.punted = grown(this.punted, new Uint8Array(size));
    this.life = grown(this.life, new Int32Array(size));
    this.link = grown(this.link, new Int32Array(size));
    this.next = grown(this.next, new Int32Array(size));
    this.bytes = grown(this.bytes, new Float64Array(size));
  }
}

/** What the events of a life say about its data path. */
export const MARK = {
  copy: 1,
  getData: 2,
  userCopy: 4,
  splice: 8,
  registered: 16,
  fixed: 32,
  batch: 64,
  plain: 128,
} as const;

/**
 * Lives of slots as the server sees them: from the CQE that delivers a request to the COMMIT that ends it.
 * A life that began before the trace has no delivery.
 */
export class LifeStore {
  count = 0;
  ring = new Uint16Array(INITIAL);
  tag = new Int32Array(INITIAL);
  /** Block request or FUSE request, -1 while unknown. */
  request = new Int32Array(INITIAL);
  deliver = new Int32Array(INITIAL);
  /** The commands, as SQE numbers: delivering, NEED_GET_DATA, COMMIT. */
  fetch = new Int32Array(INITIAL);
  getData = new Int32Array(INITIAL);
  commit = new Int32Array(INITIAL);
  open = new Uint8Array(INITIAL);
  fuse = new Uint8Array(INITIAL);
  marks = new Uint16Array(INITIAL);
  firstSqe = new Int32Array(INITIAL);
  lastSqe = new Int32Array(INITIAL);
  /** Event by which the life became known. */
  seen = new Int32Array(INITIAL);

  add(ring: number, tag: number, event: number): number {
    if (this.count === this.ring.length) this.grow();
    const s = this.count++;
    this.ring[s] = ring;
    this.tag[s] = tag;
    this.request[s] = -1;
    this.deliver[s] = -1;
    this.fetch[s] = -1;
    this.getData[s] = -1;
    this.commit[s] = -1;
    this.open[s] = 1;
    this.firstSqe[s] = -1;
    this.lastSqe[s] = -1;
    this.seen[s] = event;
    return s;
  }

  /** Adds a backend SQE to the end of the life's list. */
  append(s: number, q: number, sqes: SqeStore): void {
    sqes.life[q] = s;
    if (this.firstSqe[s] < 0) this.firstSqe[s] = q;
    else sqes.next[this.lastSqe[s]] = q;
    this.lastSqe[s] = q;
  }

  private grow(): void {
    const size = this.ring.length * 2;
    this.ring = grown(this.ring, new Uint16Array(size));
    this.tag = grown(this.tag, new Int32Array(size));
    this.request = grown(this.request, new Int32Array(size));
    this.deliver = grown(this.deliver, new Int32Array(size));
    this.fetch = grown(this.fetch, new Int32Array(size));
    this.getData = grown(this.getData, new Int32Array(size));
    this.commit = grown(this.commit, new Int32Array(size));
    this.open = grown(this.open, new Uint8Array(size));
    this.fuse = grown(this.fuse, new Uint8Array(size));
    this.marks = grown(this.marks, new Uint16Array(size));
    this.firstSqe = grown(this.firstSqe, new Int32Array(size));
    this.lastSqe = grown(this.lastSqe, new Int32Array(size));
    this.seen = grown(this.seen, new Int32Array(size));
  }
}

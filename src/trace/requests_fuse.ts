import { type MatchState, OWNER } from './requests_state';
import { SQE_KIND } from './requests_sqe';
import type { CommandListener, RingPart } from './requests_ring';

/** Bytes of fuse_out_header, and of fuse_in_header with fuse_write_in. */
const OUT_HEADER = 16;
const WRITE_HEADER = 80;

/** One FUSE request. Event numbers are -1 and texts empty where the trace does not say. */
export interface FuseRequest {
  readonly connection: number;
  readonly unique: number;
  op: string;
  /** Length of the request message, bytes; -1 while unknown. */
  sent: number;
  send: number;
  end: number;
  error: number;
  /** Length of the answer, bytes; -1 while unknown. */
  answer: number;
  life: number;
  /** CPU of the caller, which chooses the queue. */
  cpu: number;
}

interface Entry {
  readonly index: number;
  life: number;
}

/** FUSE requests over io_uring and over /dev/fuse. The ring entry is told by user_data, the queue by its thread. */
export class FusePart implements CommandListener {
  readonly requests: FuseRequest[] = [];
  /** Queue id of each ring. */
  readonly qids = new Map<number, number>();
  private readonly byUnique = new Map<number, number>();
  private readonly entries = new Map<number, Entry>();
  private readonly entryCounts = new Map<number, number>();

  constructor(
    private readonly state: MatchState,
    private readonly ring: RingPart,
  ) {}

  send(e: number): void {
    this.ring.listener = this;
    const { state } = this;
    const f = this.of(state.num(e, 0), state.num(e, 1), e);
    const request = this.requests[f];
    request.op = state.has(e, 2) ? state.trace.strings.text(state.word(e, 2)) : '';
    request.sent = state.has(e, 3) ? state.num(e, 3) : -1;
    request.send = e;
    state.owner[e] = f * 4 + OWNER.fuse;
  }

  end(e: number, task: number): void {
    this.ring.listener = this;
    const { state } = this;
    const f = this.of(state.num(e, 0), state.num(e, 1), e);
    const request = this.requests[f];
    request.end = e;
    request.error = -Math.abs(state.num(e, 2));
    request.answer = state.has(e, 3) ? state.num(e, 3) : -1;
    state.owner[e] = f * 4 + OWNER.fuse;
    const life = state.tasks.commit[task];
    if (life >= 0 && state.lives.fuse[life] === 1 && state.lives.request[life] < 0) this.bind(f, life);
  }

  submitted(e: number, task: number, sqe: number, ring: number, data: number): void {
    const { state } = this;
    const entry = this.entry(ring, data, task);
    state.sqes.kind[sqe] = SQE_KIND.fuse;
    const life = entry.life;
    if (life < 0 || state.lives.open[life] === 0) return;
    state.lives.open[life] = 0;
    state.lives.commit[life] = sqe;
    state.sqes.life[sqe] = life;
    state.tasks.commit[task] = life;
    state.owner[e] = life * 4 + OWNER.life;
  }

  completed(e: number, task: number, sqe: number, ring: number, data: number): void {
    const { state } = this;
    if (state.sqes.kind[sqe] !== SQE_KIND.fuse && state.sqes.submit[sqe] >= 0) return;
    if (state.sqes.result[sqe] < 0) return;
    const entry = this.entry(ring, data, task);
    state.sqes.kind[sqe] = SQE_KIND.fuse;
    const life = state.lives.add(ring, entry.index, e);
    state.lives.fuse[life] = 1;
    state.lives.deliver[life] = e;
    state.lives.fetch[life] = sqe;
    entry.life = life;
    state.owner[e] = life * 4 + OWNER.life;
  }

  /** Joins what no answer joined: deliveries of a queue take its oldest request that waits. */
  finish(): void {
    const { lives } = this.state;
    let next = 0;
    for (let life = 0; life < lives.count; life++) {
      if (lives.fuse[life] === 0 || lives.request[life] >= 0) continue;
      const qid = this.qids.get(lives.ring[life]);
      while (next < this.requests.length && this.requests[next].life >= 0) next++;
      for (let f = next; f < this.requests.length; f++) {
        const request = this.requests[f];
        if (request.send > lives.deliver[life]) break;
        if (request.life >= 0 || request.end >= 0 || request.send < 0 || request.cpu !== qid) continue;
        this.bind(f, life);
        break;
      }
    }
  }

  /** Bytes of payload, null where the messages do not tell. */
  length(request: FuseRequest): number | null {
    if (request.op === 'FUSE_WRITE' && request.sent >= WRITE_HEADER) return request.sent - WRITE_HEADER;
    return null;
  }

  /** Bytes or -errno, null while unknown. Over io_uring the length of the answer is not that of its payload. */
  result(request: FuseRequest): number | null {
    if (request.end < 0) return null;
    if (request.error < 0) return request.error;
    if (request.op === 'FUSE_READ')
      return request.life < 0 && request.answer >= OUT_HEADER ? request.answer - OUT_HEADER : null;
    return request.op === 'FUSE_WRITE' || request.op === '' ? null : 0;
  }

  private bind(f: number, life: number): void {
    this.requests[f].life = life;
    this.state.lives.request[life] = f;
  }

  private of(connection: number, unique: number, e: number): number {
    const key = connection * 2 ** 40 + unique;
    const known = this.byUnique.get(key);
    if (known !== undefined && this.requests[known].end < 0) return known;
    const f = this.requests.length;
    const cpu = this.state.trace.cpu[e];
    this.requests.push({
      connection,
      unique,
      op: '',
      sent: -1,
      send: -1,
      end: -1,
      error: 0,
      answer: -1,
      life: -1,
      cpu,
    });
    this.byUnique.set(key, f);
    return f;
  }

  private entry(ring: number, data: number, task: number): Entry {
    const key = ring * 2 ** 32 + data;
    let entry = this.entries.get(key);
    if (!entry) {
      const index = this.entryCounts.get(ring) ?? 0;
      this.entryCounts.set(ring, index + 1);
      entry = { index, life: -1 };
      this.entries.set(key, entry);
    }
    if (!this.qids.has(ring)) {
      const { comm } = this.state.trace.taskOf(task);
      const named = /-(\d+)$/.exec(comm);
      this.qids.set(ring, named ? Number(named[1]) : this.state.trace.cpu[this.state.rings[ring].first]);
    }
    return entry;
  }
}

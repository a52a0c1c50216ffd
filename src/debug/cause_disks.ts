import type { Trace } from '../trace/trace';

/** A block event names its disk; an event of a request that names none is about the disk of the request. */
export class CauseDisks {
  private readonly forms: (Form | undefined)[] = [];

  constructor(private readonly trace: Trace) {}

  /** Number of the disk that event e names, -1 where it names none. */
  named(e: number): number {
    const { major, minor } = this.form(e);
    if (major < 0 || minor < 0) return -1;
    const { trace } = this;
    return trace.word(e, major) * 0x100000 + trace.word(e, minor);
  }

  /** Disk of the client's I/O, whose events are `list`: the first one named; -1 where another event comes before any. */
  own(list: Uint32Array): number {
    const first = list.length === 0 ? -1 : this.named(list[0]);
    if (first >= 0) return first;
    // a request whose beginning was lost may still tell of its disk where the driver has handed it over
    for (let k = 0; k < list.length; k++) {
      const name = this.trace.nameOf(list[k]);
      if (name.startsWith('io_uring_') || name.startsWith('fuse_')) return -1;
      const disk = this.named(list[k]);
      if (disk >= 0) return disk;
    }
    return -1;
  }

  /**
   * Disk of event e, at place k of the events of a request. The ends of requests that name none go with the block event that
   * follows on the same CPU.
   */
  of(e: number, list: Uint32Array, k: number, own: number): number {
    const named = this.named(e);
    if (named >= 0) return named;
    const { trace } = this;
    if (trace.nameOf(e) === 'blk_mq_end_request') {
      for (let j = k + 1; j < list.length && j < k + 8; j++)
        if (trace.cpu[list[j]] === trace.cpu[e] && this.ends(list[j])) return this.named(list[j]);
    }
    return own;
  }

  /** Whether event e ends I/O at a disk that it names. */
  ends(e: number): boolean {
    const name = this.trace.nameOf(e);
    return name === 'block_rq_complete' || name === 'block_rq_error';
  }

  /** Whether two events may be about the same sectors: what does not say which may be. */
  overlap(a: number, b: number): boolean {
    const { trace } = this;
    const [from, other] = [trace.num(a, 'sector'), trace.num(b, 'sector')];
    if (from === undefined || other === undefined || from === other) return true;
    // a flush ends at sector -1
    if (from < 0 || other < 0) return true;
    return from < other ? other < from + this.sectors(a) : from < other + this.sectors(b);
  }

  private sectors(e: number): number {
    return this.trace.num(e, 'nr_sector') ?? (this.trace.num(e, 'len') ?? 0) / 512;
  }

  private form(e: number): Form {
    const id = this.trace.shape[e];
    let form = this.forms[id];
    if (form === undefined) {
      const { fields } = this.trace.shapes.get(id);
      form = { major: fields.get('major') ?? -1, minor: fields.get('minor') ?? -1 };
      this.forms[id] = form;
    }
    return form;
  }
}

/** Places of the numbers of the disk in the words of a text form, -1 for none. */
interface Form {
  readonly major: number;
  readonly minor: number;
}

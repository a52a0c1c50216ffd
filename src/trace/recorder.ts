import { EVENTS, type EventArgs, type EventName, eventNames } from './schema';
import { Trace } from './trace';

/** One function per event of the schema: words in, number of the event out. */
export type EmitTable = { readonly [N in EventName]: (...words: EventArgs<N>) => number };

/** Who is running: the task, CPU and flags columns of the next events. */
export interface Stamp {
  task: number;
  cpu: number;
  flags: number;
}

/**
 * Writes events of the schema into a trace. `now` and `stamp` are set by the scheduler before a context runs;
 * every event advances `now` by `step` ns, so that no two events of one trace share a time.
 */
export class Recorder {
  /** Words of fields that only a later form of an event has. */
  readonly later: Record<string, number> = {};
  /** Virtual time of the next event, ns. */
  now = 0;
  readonly stamp: Stamp = { task: 0, cpu: 0, flags: 0 };
  readonly emit: EmitTable;

  constructor(
    readonly trace: Trace = new Trace(),
    /** Called with the number of each event after it was written. */
    private readonly after: (event: number) => void = () => {},
    /** Time that one event takes, ns. */
    private readonly step = 100,
    /** Forms other than the first that events are written in. */
    private readonly forms: Readonly<Partial<Record<EventName, number>>> = {},
  ) {
    this.emit = this.table();
  }

  private table(): EmitTable {
    const table: Record<string, (...words: number[]) => number> = {};
    for (const name of eventNames()) table[name] = this.writer(name);
    return table as unknown as EmitTable;
  }

  private writer(name: EventName): (...words: number[]) => number {
    const { trace, stamp } = this;
    const shape = trace.shapes.of(name, this.forms[name] ?? 0);
    const total = shape.template.names.length;
    const probe = shape.template.names[0] === 'loc';
    const place = probe ? trace.strings.id(probePlace(name)) : 0;
    const skip = probe ? 1 : 0;
    const n = total - skip;
    const finish = (): number => {
      this.now += this.step;
      const i = trace.commit(this.now, shape.id, stamp.task, stamp.cpu, stamp.flags, total);
      this.after(i);
      return i;
    };
    if (this.forms[name] !== undefined) {
      const given = trace.shapes.of(name).template.names;
      const places = shape.template.names.map((field) => ({ field, k: given.indexOf(field) - skip }));
      return (...args: number[]) => {
        const at = trace.reserve(total);
        places.forEach(({ field, k }, i) => {
          trace.words[at + i] = i < skip ? place : k < 0 ? (this.later[field] ?? 0) : args[k];
        });
        return finish();
      };
    }
    if (n > 8) {
      return (...args: number[]) => {
        const at = trace.reserve(total);
        if (probe) trace.words[at] = place;
        for (let k = 0; k < n; k++) trace.words[at + skip + k] = args[k];
        return finish();
      };
    }
    return (a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0) => {
      let at = trace.reserve(total);
      const { words } = trace;
      if (probe) words[at++] = place;
      if (n > 0) words[at] = a;
      if (n > 1) words[at + 1] = b;
      if (n > 2) words[at + 2] = c;
      if (n > 3) words[at + 3] = d;
      if (n > 4) words[at + 4] = e;
      if (n > 5) words[at + 5] = f;
      if (n > 6) words[at + 6] = g;
      if (n > 7) words[at + 7] = h;
      return finish();
    };
  }
}

/** The place that a function probe prints in parentheses; the simulator has no addresses, so its offset is always 0. */
export function probePlace(name: EventName): string {
  const { fn } = EVENTS[name];
  return name.endsWith('_ret') ? `<- ${fn}` : `${fn}+0x0`;
}

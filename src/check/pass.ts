import type { Trace } from '../trace/trace';

/** A trace read from front to end: names of events that occur, and fields by index. */
export class Pass {
  /** Names of the events that occur in this trace. */
  readonly names: ReadonlySet<string>;

  constructor(readonly trace: Trace) {
    const seen = new Uint8Array(trace.shapes.size);
    const { shape } = trace;
    for (let e = 0; e < trace.length; e++) seen[shape[e]] = 1;
    const names = new Set<string>();
    for (let id = 0; id < seen.length; id++) if (seen[id] === 1) names.add(trace.shapes.get(id).name);
    this.names = names;
  }

  /** Whether one of these events occurs. */
  has(...names: readonly string[]): boolean {
    return names.some((name) => this.names.has(name));
  }

  /** Indices of the fields of a shape, -1 for those that it lacks. */
  fields(shape: number, names: readonly string[]): number[] {
    const { fields, raw } = this.trace.shapes.get(shape);
    return names.map((name) => (raw ? -1 : (fields.get(name) ?? -1)));
  }

  /** Raw word of a field; equal words are equal values. */
  word(e: number, k: number): number {
    return k < 0 ? 0 : this.trace.words[this.trace.at[e] + k];
  }

  /** Field as a signed number, NaN where the event has none. */
  num(e: number, k: number): number {
    if (k < 0) return NaN;
    const word = this.trace.words[this.trace.at[e] + k];
    return word < 0x80000000 ? word : this.trace.wide.number(word);
  }

  /** Text of a field, empty where the event has none. */
  text(e: number, k: number): string {
    return k < 0 ? '' : this.trace.strings.text(this.trace.words[this.trace.at[e] + k]);
  }

  /** user_data as it is printed. */
  data(word: number): string {
    return `0x${this.trace.wide.big(word).toString(16)}`;
  }
}

/** What is done with an event: the fields it needs, and the function, called with their indices. */
export interface Step {
  readonly fields: readonly string[];
  /** How many of the first fields have to be there; an event without them changes nothing. */
  readonly needs: number;
  readonly run: (e: number, f: readonly number[]) => void;
}

/** Calls the steps of each event, in order. `broken` is called at every place where events are missing. */
export class StepRunner {
  private readonly runs: readonly (readonly { run: Step['run']; fields: readonly number[] }[])[];
  private readonly gaps: readonly number[];
  private gap = 0;
  private done = 0;

  constructor(
    private readonly pass: Pass,
    steps: ReadonlyMap<string, readonly Step[]>,
    private readonly broken: () => void,
  ) {
    const { notes, shapes } = pass.trace;
    this.runs = Array.from({ length: shapes.size }, (_, id) => {
      const list = steps.get(shapes.get(id).name) ?? [];
      const bound = list.map((step) => ({
        run: step.run,
        needs: step.needs,
        fields: pass.fields(id, step.fields),
      }));
      return bound.filter(({ needs, fields }) => fields.slice(0, needs).every((k) => k >= 0));
    });
    this.gaps = notes
      .filter(({ kind, lost }) => (kind === 'lost' && lost !== 0) || kind === 'damaged')
      .map(({ before }) => before);
  }

  /** Goes on up to event `to` (without it); false once the end of the trace is reached. */
  advance(to: number): boolean {
    const { runs, gaps } = this;
    const { length, shape } = this.pass.trace;
    const end = Math.min(to, length);
    for (let e = this.done; e < end; e++) {
      while (this.gap < gaps.length && gaps[this.gap] <= e) {
        if (gaps[this.gap++] > 0) this.broken();
      }
      const list = runs[shape[e]];
      for (let k = 0; k < list.length; k++) list[k].run(e, list[k].fields);
    }
    this.done = end;
    return end < length;
  }
}

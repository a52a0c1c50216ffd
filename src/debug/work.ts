import type { Sliced } from '../trace/slices';

/** What the one who waits for long work lends to it. */
export interface Work {
  /** Lets the host run something else; called every few milliseconds of work. */
  readonly pause: () => Promise<void>;
  /** Told how far the work is, from 0 to 1. */
  readonly progress?: (share: number) => void;
  /** Looked at after each slice; true gives the work up. */
  readonly cancelled?: () => boolean;
}

/** Tells whether work has run for so many milliseconds since it was last told to pause. */
export function dueAfter(ms: number): () => boolean {
  let since = Date.now();
  return () => {
    const now = Date.now();
    if (now - since < ms) return false;
    since = now;
    return true;
  };
}

/**
 * Sliced work that several may wait for. Whoever waits drives it, and may give up without the others: what was done so far stays done,
 * and nothing runs while nobody waits.
 */
export class SharedWork<T> {
  private readonly steps: Sliced<T>;
  private end: { readonly value: T } | { readonly error: unknown } | undefined;

  constructor(work: Sliced<T>) {
    this.steps = work;
  }

  /** The outcome; undefined while there is none. */
  get value(): T | undefined {
    return this.end !== undefined && 'value' in this.end ? this.end.value : undefined;
  }

  /** The outcome, or undefined where this waiter gave up. @throws what the work threw. */
  async wait(by: Work): Promise<T | undefined> {
    while (this.end === undefined) {
      const share = this.step();
      if (share === undefined) break;
      by.progress?.(share);
      await by.pause();
      if (by.cancelled?.() === true) return undefined;
    }
    return this.outcome();
  }

  /** The outcome, without letting anything else run. @throws what the work threw. */
  finish(): T {
    while (this.end === undefined) this.step();
    return this.outcome();
  }

  /** One slice: how far the work is then; undefined at its end. */
  private step(): number | undefined {
    try {
      const step = this.steps.next();
      if (step.done !== true) return step.value;
      this.end = { value: step.value };
    } catch (error) {
      this.end = { error };
    }
    return undefined;
  }

  private outcome(): T {
    const { end } = this;
    if (end !== undefined && 'value' in end) return end.value;
    throw end?.error;
  }
}

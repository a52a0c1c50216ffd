/**
 * Long work in slices: a slice takes a few milliseconds, its value is how much is done, from 0 to 1; the outcome is returned. Between
 * two slices others may run, or the work may be dropped.
 */
export type Sliced<T> = Generator<number, T, void>;

/** Does all of the work at once. */
export function finish<T>(work: Sliced<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

import type { Filter } from './filter';
import type { OpenTrace } from './model';
import { dueAfter, type Work } from './work';

/** Events or requests tested between two looks at the clock: one that reads the state takes up to a millisecond. */
const SLICE = 4;
/** Longest stretch between two pauses, ms. */
const STRETCH_MS = 4;

/** The events of a trace that a filter shows, in order, found in slices; undefined where `work` was cancelled. */
export async function eventsShown(
  open: OpenTrace,
  filter: Filter,
  work: Work,
): Promise<Uint32Array | undefined> {
  const forms = filter.forms(open);
  const test = filter.events(open);
  const { shape } = open.trace;
  return passing(open.length, (i) => forms[shape[i]] === 1 || (forms[shape[i]] === 2 && test(i)), work);
}

/** The requests that a filter shows; as {@link eventsShown}. */
export async function requestsShown(
  open: OpenTrace,
  filter: Filter,
  work: Work,
): Promise<Uint32Array | undefined> {
  return passing(open.requests.length, filter.requests(open), work);
}

async function passing(
  length: number,
  test: (index: number) => boolean,
  work: Work,
): Promise<Uint32Array | undefined> {
  const found = new Uint32Array(length);
  const due = dueAfter(STRETCH_MS);
  let count = 0;
  for (let i = 0; i < length; i++) {
    if (i % SLICE === 0 && due()) {
      work.progress?.(i / length);
      await work.pause();
      if (work.cancelled?.() === true) return undefined;
    }
    if (test(i)) found[count++] = i;
  }
  work.progress?.(1);
  return work.cancelled?.() === true ? undefined : found.slice(0, count);
}

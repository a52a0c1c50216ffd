import type { Filter } from './filter';
import type { OpenTrace } from './model';
import type { Work } from './work';

/** Events or requests tested between two pauses. */
const SLICE = 1 << 14;

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
  let count = 0;
  for (let from = 0; from < length; from += SLICE) {
    const to = Math.min(length, from + SLICE);
    for (let i = from; i < to; i++) if (test(i)) found[count++] = i;
    work.progress?.(to / length);
    await work.pause();
    if (work.cancelled?.() === true) return undefined;
  }
  return found.slice(0, count);
}

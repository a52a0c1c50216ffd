import { compileFilter, FilterError } from '../debug/filter';
import type { OpenTrace } from '../debug/model';
import { requestLabel } from '../debug/request_label';
import { eventText } from '../trace/print';
import type { Sliced } from '../trace/slices';

/** Events between two looks at the clock. */
const SLICE = 1024;
/** Traces up to this length are looked through for all hits of a plain text too. */
const COUNTED = 100_000;
/** A query with one of these is meant as a filter. */
const FILTER = /[=<>~]|&&|\|\||^!|^\w+$/;

/** What a search found; event -1: nothing. */
export interface Found {
  readonly event: number;
  readonly request: number;
  readonly error?: string;
  readonly hits?: number;
}

/**
 * The next event from `from` on (forwards or backwards, once around the end of the trace) that a filter of the product's language
 * matches; a query that is none is looked for as plain text in event, task and request. Where the whole trace is looked at
 * anyway, `hits` tells how many there are.
 */
export function* find(open: OpenTrace, query: string, from: number, backwards: boolean): Sliced<Found> {
  const { length } = open;
  const text = query.trim();
  if (text === '' || length === 0) return { event: -1, request: -1, hits: 0 };
  const { test, error, quick } = testOf(open, text);
  const step = backwards ? -1 : 1;
  const counted = quick || length <= COUNTED;
  let event = -1;
  let hits = 0;
  for (let k = 0; k < length && (event < 0 || counted); k++) {
    if (k % SLICE === SLICE - 1) yield k / length;
    const at = (((from + step * k) % length) + length) % length;
    if (!test(at)) continue;
    hits++;
    if (event < 0) event = at;
  }
  return {
    event,
    request: event < 0 ? -1 : open.requests.requestOf(event),
    ...(event < 0 && error !== undefined ? { error } : {}),
    ...(counted ? { hits } : {}),
  };
}

function testOf(
  open: OpenTrace,
  text: string,
): { test: (event: number) => boolean; quick: boolean; error?: string } {
  if (FILTER.test(text)) {
    try {
      return { test: compileFilter(text, open.trace).events(open), quick: true };
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      // nothing contains it as text either: then the person is told what is wrong with the filter
      const said = /[=<>~]/.test(text) ? { error: error.message } : {};
      return { test: plainTest(open, text), quick: false, ...said };
    }
  }
  return { test: plainTest(open, text), quick: false };
}

function plainTest({ trace, requests }: OpenTrace, text: string): (event: number) => boolean {
  const wanted = text.toLowerCase();
  const has = (hay: string): boolean => hay.toLowerCase().includes(wanted);
  const tasks = new Map<number, boolean>();
  const rows = new Map<number, boolean>();
  const ask = (known: Map<number, boolean>, key: number, hay: () => string): boolean => {
    let answer = known.get(key);
    if (answer === undefined) {
      answer = has(hay());
      known.set(key, answer);
    }
    return answer;
  };
  return (event) => {
    const task = trace.task[event];
    const row = requests.requestOf(event);
    return (
      ask(tasks, task, () => `${trace.taskOf(task).comm}-${trace.taskOf(task).pid}`) ||
      (row >= 0 && ask(rows, row, () => requestLabel(requests, row))) ||
      has(eventText(trace, event))
    );
  };
}

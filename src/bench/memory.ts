import { matchRequests } from '../trace/requests';
import { type Figure, retained } from './measure';
import type { Setting } from './setting';
import { readTrace, simulatedText } from './workloads';

const GIB = 1 << 30;

/** What a trace keeps in memory, per event, and its requests; with --full that of 10 M events too. */
export function* memoryFigures({ sizes, full }: Setting): Generator<Figure> {
  const { bytes, events } = simulatedText(sizes.events);
  const read = retained(() => readTrace(bytes));
  yield amount('memory: columns', 'B/event', read.arrays / events, 64);
  yield amount('memory: other heap', 'B/event', read.heap / events);
  const match = retained(() => matchRequests(read.made));
  yield amount('memory: requests', 'B/event', (match.arrays + match.heap) / events);
  if (!full) return;
  // The text comes again and again, so its times jump back; a text of 10 M events would not fit beside its trace.
  const large = retained(() => readTrace(bytes, Math.ceil(1e7 / events)));
  yield amount(`memory: ${large.made.length} events`, 'GiB', (large.arrays + large.heap) / GIB, 1e9 / GIB);
}

function amount(bench: string, unit: string, value: number, goal?: number): Figure {
  return { bench, unit, better: 'lower', median: value, runs: 1, ...(goal === undefined ? {} : { goal }) };
}

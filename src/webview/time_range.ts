import type { TraceSummary } from './protocol';

/** Times shown, ns since the start of the trace. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

/** Length of the longest trace, ns. */
export function longest(traces: readonly TraceSummary[]): number {
  return traces.reduce((most, trace) => Math.max(most, trace.length), 0);
}

/** The whole of a trace with a little air at both ends; a trace without length gets a microsecond. */
export function wholeRange(length: number): TimeRange {
  const air = length > 0 ? length * 0.02 : 500;
  return { from: -air, to: length + air };
}

import { matchRequests } from '../../src/trace/requests';
import type { RequestJson } from '../../src/trace/requests_types';
import { parseTrace } from './oracle';

/** All requests of a text in the form of `requests --json`. */
export function requestsOf(text: string): RequestJson[] {
  const table = matchRequests(parseTrace(text).trace);
  return Array.from({ length: table.length }, (_, r) => table.toJson(r));
}

/** The text without function probes: what a recording of tracepoints alone would hold. */
export function withoutProbes(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/: \w+: \(/.test(line))
    .join('\n');
}

import type { DebugProtocol } from '@vscode/debugprotocol';
import { RequestError } from './dap_host';
import type { OpenTrace } from './model';
import { requestLabel } from './request_label';

/** Most requests listed as threads. */
const MOST = 200;
/** The thread of the whole trace. */
export const WHOLE_TRACE = 1;
/** Stands for requests in flight that are not listed. */
export const MORE = 0x7fffffff;

/** Thread of a request: the same for as long as the trace is open. */
export function threadOf(request: number | undefined): number {
  return request === undefined ? WHOLE_TRACE : request + 2;
}

/** Request of a thread; undefined for the whole trace. */
export function requestOfThread(thread: number, open: OpenTrace): number | undefined {
  const row = thread - 2;
  return row >= 0 && row < open.requests.length ? row : undefined;
}

/** @throws RequestError for a thread that is none of the trace, or stands for several. */
export function checkThread(thread: number | undefined, open: OpenTrace): void {
  if (thread === undefined || thread === WHOLE_TRACE || requestOfThread(thread, open) !== undefined) return;
  if (thread === MORE) throw new RequestError('this stands for several requests; go to one of them first');
  throw new RequestError(`there is no thread ${thread}`, false);
}

/** The whole trace, and the requests in flight at the cursor. */
export function listThreads(open: OpenTrace): DebugProtocol.Thread[] {
  const { event, request } = open.cursor;
  const { rows, more } = open.inFlight.at(event, MOST);
  if (request !== undefined && !rows.includes(request)) rows.push(request);
  const threads = [{ id: WHOLE_TRACE, name: 'whole trace' }];
  for (const row of rows) threads.push({ id: threadOf(row), name: requestLabel(open.requests, row) });
  if (more > 0) threads.push({ id: MORE, name: `${more} more` });
  return threads;
}

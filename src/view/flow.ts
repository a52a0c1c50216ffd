import type { OpenTrace } from '../debug/model';
import { requestLabel } from '../debug/request_label';
import type { Flow } from '../webview/protocol_data';
import { atOrAbove } from './spans';
import type { Timeline } from './timeline';

/** Most events of a request that are shown. */
const MOST_EVENTS = 4000;
/** Causes are looked for this long, ms; the rest of the events hang on the one before them. */
const BUDGET = 20;

/** The events of one request, where each lies, and which of them brought which about. */
export function flowOf(
  { requests, causes }: OpenTrace,
  { times, lanes, firstTag, tagOf }: Timeline,
  request: number,
): Flow {
  if (!(request >= 0 && request < requests.length)) throw new RangeError(`there is no request ${request}`);
  const list = requests.events(request).slice(0, MOST_EVENTS);
  const event = Int32Array.from(list);
  const arrows: number[] = [];
  const end = performance.now() + BUDGET;
  for (let k = 1; k < list.length; k++) {
    const cause = performance.now() < end ? causes.parent(list[k]) : -1;
    const place = cause < 0 ? -1 : atOrAbove(list, cause, 0, k);
    // a cause outside of the request (its client, its session) has no point here
    if (place >= 0 && list[place] === cause) arrows.push(place, k);
    else if (cause < 0) arrows.push(k - 1, k);
  }
  return {
    request,
    tag: firstTag + tagOf[request],
    label: requestLabel(requests, request),
    event,
    track: Uint32Array.from(list, (i) => lanes.of(i)),
    time: Float64Array.from(list, (i) => times.at(i)),
    arrows: Uint32Array.from(arrows),
  };
}

import type { OpenTrace } from '../debug/model';
import type { Sliced } from '../trace/slices';
import { type ChangeIndex, STRETCH } from '../trace/state';
import type { Requests } from '../webview/protocol';
import { sentence } from './explain';
import type { Translate } from './machine_names';

/** How far back is looked: what a person still connects with what is on the screen. */
const FARTHEST = 32;
/** Most variables of a part that are looked at. */
const MOST_PATHS = 48;

/** The last event at or before `event` that changed one of these state variables; a slice is a stretch of events. */
export function* lastChange(
  open: OpenTrace,
  changes: ChangeIndex,
  { event, paths }: Pick<Requests['lastChange']['ask'], 'event' | 'paths'>,
  t: Translate,
): Sliced<Requests['lastChange']['answer']> {
  if (!(Number.isInteger(event) && event < open.length)) throw new RangeError(`there is no event ${event}`);
  const some = paths.slice(0, MOST_PATHS);
  const last = Math.floor(event / STRETCH);
  const first = Math.max(0, last - FARTHEST + 1);
  for (let n = last; event >= 0 && some.length > 0 && n >= first; n--) {
    const found = Math.max(
      -1,
      ...changes.stretch(some, n).map((list) => list.findLast((e) => e <= event) ?? -1),
    );
    if (found >= 0) return { event: found, text: sentence(open, found, t) };
    yield (last - n + 1) / (last - first + 1);
  }
  return { event: -1, text: '' };
}

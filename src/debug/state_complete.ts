import { stateLeaves } from '../trace/state';
import type { OpenTrace } from './model';
import { pathPatterns } from './state_schema';

/** Most paths that are proposed at once. */
const MOST = 200;

/** Paths that begin so: those at the cursor, else those of elsewhere in the trace, else how they are written. */
export function pathsFrom(open: OpenTrace | undefined, start: string): string[] {
  const last = (open?.length ?? 0) - 1;
  const places =
    open === undefined || last < 0 ? [] : [open.cursor.event, last >> 1, last >> 2, last - (last >> 2), last];
  for (const event of new Set(places)) {
    const leaves = open === undefined || event < 0 ? [] : stateLeaves(open.states.at(event)).keys();
    const found = [...leaves].filter((path) => path.startsWith(start));
    if (found.length > 0) return found.slice(0, MOST);
  }
  return pathPatterns(start.slice(0, start.indexOf(':')));
}

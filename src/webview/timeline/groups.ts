import type { Tracks } from '../protocol_data';

/** Groups that are closed at first: tasks that have nothing to do with the requests, where other contexts are there to see. */
export function closedAtFirst(tracks: Tracks): ReadonlySet<string> {
  const groups = new Set(tracks.group);
  return new Set(groups.size > 1 && groups.has('Other tasks') ? ['Other tasks'] : []);
}

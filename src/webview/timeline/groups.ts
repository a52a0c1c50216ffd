import type { Tracks } from '../protocol_data';

/** A queue with more tags than this is closed at first: its tags would push all contexts out of sight. */
const MANY_TAGS = 64;

/**
 * Groups that are closed at first: queues with very many tags, and tasks that have nothing to do with the requests, where other
 * contexts are there to see.
 */
export function closedAtFirst(tracks: Tracks): ReadonlySet<string> {
  const groups = new Set(tracks.group);
  const closed = new Set<string>();
  if (groups.size > 1 && groups.has('Other tasks')) closed.add('Other tasks');
  const tags = new Map<string, number>();
  for (let track = 0; track < tracks.kind.length; track++) {
    if (tracks.kind[track] !== 'tag') continue;
    const group = tracks.group[track]!;
    const count = (tags.get(group) ?? 0) + 1;
    tags.set(group, count);
    if (count > MANY_TAGS) closed.add(group);
  }
  return closed;
}

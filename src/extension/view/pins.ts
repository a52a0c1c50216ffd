import { tagKey } from '../../view/tag_tracks';
import type { WindowMemory } from '../memory';
import { tagOf } from '../places';
import type { Shown } from './answers';

/** Keys of the tags that are pinned, or on which anything is pinned, in the order in which that was done. */
export function pinsOf(shown: readonly Shown[], memory: WindowMemory): string[] {
  const keys = shown.flatMap(({ entry }) =>
    memory
      .pins(entry)
      .filter(({ row }) => row >= 0)
      .map(({ row }) => tagKey(entry.open.requests, row)),
  );
  return [...new Set(keys)];
}

/** Pins a tag by its key in all the traces that have it, or lets it go with all that is pinned on it. */
export function setPin(shown: readonly Shown[], key: string, on: boolean, memory: WindowMemory): void {
  for (const { entry, view } of shown) {
    const row = view.requestOnTag(key);
    if (row >= 0) memory.pinTag(entry, tagOf(entry.open, row), on);
  }
}

import { quote } from '../session/diagnostics';
import { usageError } from './errors';

/** Which requests `--tag` means: all lives of a (queue, tag), or one. */
export interface TagFilter {
  readonly queue: number;
  readonly tag: number;
  readonly life: number | undefined;
}

/** Reads `Q:T` or `Q:T#LIFE`. */
export function readTagFilter(text: string): TagFilter {
  const match = /^(\d{1,9}):(\d{1,9})(?:#(\d{1,9}))?$/.exec(text);
  if (match === null)
    throw usageError(`--tag needs QUEUE:TAG or QUEUE:TAG#LIFE, like 0:3 or 0:3#2, not ${quote(text)}`);
  const [queue, tag, life] = match.slice(1).map((part) => (part === undefined ? undefined : Number(part)));
  if (life === 0) throw usageError('--tag counts lives from 1');
  return { queue: queue!, tag: tag!, life };
}

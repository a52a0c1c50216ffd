import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openRing } from '../../src/debug/open_ring';
import { finish } from '../../src/trace/slices';
import { viewSlices } from '../../src/view/view';
import { TIE_KINDS } from '../../src/webview/protocol_data';
import { english } from '../extension/english';

async function tiesOf(name: string): Promise<string[] | undefined> {
  const text = readFileSync(join(__dirname, '..', '..', 'samples', `${name}.ring.json`), 'utf8');
  const open = await openRing(name, text, { pause: async () => undefined }, {});
  const { tracks, ties, length } = finish(viewSlices(open, english)).summary('x');
  if (ties === undefined) return undefined;
  return Array.from(ties.kind, (kind, k) => {
    const [from, to] = [ties.fromTrack[k]!, ties.toTrack[k]!].map((track) => tracks.name[track]);
    expect(ties.fromTime[k]!).toBeLessThanOrEqual(ties.toTime[k]!);
    const never = ties.toTime[k] === length ? ', never' : '';
    return `${TIE_KINDS[kind]}: ${from} -> ${to}${never}`;
  });
}

describe('ties between SQEs', () => {
  it('are links, broken ones apart', async () => {
    expect(await tiesOf('chain-short-read')).toEqual([
      'brokenLink: user_data 11 -> user_data 12',
      'brokenLink: user_data 12 -> user_data 13',
      'link: user_data 21 -> user_data 22',
      expect.stringMatching(/^link: user_data 22 -> user_data 23/),
    ]);
  });

  it('are drains, from the request that is waited for', async () => {
    expect(await tiesOf('drain-behind-fetch')).toEqual([
      expect.stringMatching(/^drain: user_data 10\d -> user_data 1, never$/),
      expect.stringMatching(/^drain: user_data (10\d|1) -> user_data 2, never$/),
    ]);
    expect(await tiesOf('drain-freed')).toEqual([
      expect.stringMatching(/^drain: user_data 10\d -> user_data 1$/),
      expect.stringMatching(/^drain: user_data 1 -> user_data 2$/),
    ]);
  });

  it('are not there where nothing is tied', async () => {
    expect(await tiesOf('cqe-order-is-not-tag-order')).toBeUndefined();
  });
});

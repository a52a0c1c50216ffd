import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { agrees, compareTraces } from '../../src/cli/conformance_traces';
import { IOU_NAMES, iouFixtures } from '../support/iou';

const DIR = fileURLToPath(new URL('../fixtures/iou/', import.meta.url));
mkdirSync(DIR, { recursive: true });

describe('recorded io_uring programs', () => {
  it.each(IOU_NAMES)('%s: program and events are those of the recordings', async (name) => {
    for (const [file, text] of Object.entries(iouFixtures(name)))
      await expect(text).toMatchFileSnapshot(join(DIR, file));
  });

  it('run as on 6.1, 6.18 and 7.3, but for what has a reason', { timeout: 120_000 }, () => {
    const verdicts = compareTraces(DIR);
    expect(verdicts).toHaveLength(IOU_NAMES.length * 3);
    expect(verdicts.filter(({ compared }) => compared === 0)).toEqual([]);
    const others = verdicts.filter((verdict) => !agrees(verdict));
    expect(others.filter(({ reason }) => reason === '')).toEqual([]);
    expect(
      others.map(({ program, kernel, events, outcome }) => `${program} ${kernel}: ${events}, ${outcome}`),
    ).toMatchInlineSnapshot(`
      [
        "async 6.1: other, allowed",
        "async 7.3: other, allowed",
        "direct_parallel 6.1: other, allowed",
        "direct_parallel 7.3: other, allowed",
        "drain 6.1: other, not allowed",
        "drain 6.18: other, not allowed",
        "drain 7.3: other, not allowed",
        "fixed_buf_file 6.1: other, predicted",
        "fixed_buf_file 6.18: other, predicted",
        "hardlink_short_read 6.1: other, predicted",
        "hardlink_short_read 7.3: other, predicted",
        "link_short_read 6.1: other, not allowed",
        "link_short_read 7.3: other, not allowed",
      ]
    `);
  });
});

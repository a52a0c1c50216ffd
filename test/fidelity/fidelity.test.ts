import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { listRecordings } from '../support/oracle';
import { DROPPED_EVENTS, DROPPED_FIELDS, DROPPED_OTHERWISE } from './dropped';
import { diffLines, type IoScore, lifeScore, scoreOf } from './score';

/** Recordings that the simulator cannot run again, and why. */
const LEFT_OUT: readonly (readonly [RegExp, string])[] = [
  [/^k6\.1-iou-/, 'io_uring programs, no ublk device'],
  [/off-minus1|user-pipe|lifetime|frozen|subrange/, 'the fault cannot be said in a session'],
  [/backing-error/, 'the backing device is a device-mapper target with bad sectors'],
];

/** A miss and its reason; `same` is what must be equal nevertheless. */
interface Explained {
  readonly ios: readonly number[];
  readonly why: string;
  readonly same: 'events in any order' | 'all but the backing disk' | 'nothing';
}

/** Misses at queue depth 1. */
const EXPLAINED: Readonly<Record<string, Explained>> = {
  'rfc-zc-commit-before-splice-race': {
    ios: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    why: 'the worker that splices and the COMMIT of the same submit run on two CPUs: their events interleave differently in every run',
    same: 'events in any order',
  },
  'k7.3-qcow2-ublksrvold-q1d16': {
    ios: [3],
    why: 'the FSYNC of the tables runs in the one worker in front of this WRITE, in the recording before it: which of the two the block events belong to cannot be told from the trace',
    same: 'all but the backing disk',
  },
  'rfc-zc-overcommit-leak-buffered': {
    ios: [1],
    why: 'the recorded reader kept the device open, so pages of its first read were still cached; sessions have no such client, and each dd opens it anew',
    same: 'nothing',
  },
  'rfc-zc-short-backing': {
    ios: [4, 5],
    why: 'the block that the write behind the end of the file allocated does not lie behind the others on disk: two backing requests where the simulated file has one',
    same: 'all but the backing disk',
  },
};

const NAMES = listRecordings().filter(
  (name) => /^(k6\.1-|k7\.3-qcow2-|rfc-)/.test(name) && !LEFT_OUT.some(([pattern]) => pattern.test(name)),
);

const rows: string[] = [];

describe('requests of the simulator and of the recordings', () => {
  it.each(NAMES)(
    '%s: every client I/O at queue depth 1 has the recorded sequence',
    { timeout: 60_000 },
    (name) => {
      const score = scoreOf(name);
      const single = score.ios.map((io, index) => ({ io, index })).filter(({ io }) => io.depth === 1);
      const deep = score.ios.filter((io) => io.depth > 1);
      rows.push(`| ${name} | ${ratio(single.map(({ io }) => io))} | ${ratio(deep)} |`);
      const explained = EXPLAINED[name];
      for (const { io, index } of single) {
        if (io.equal) continue;
        const lines = diffLines(io.recorded.events, io.simulated.events);
        expect(
          explained?.ios.includes(index),
          `${io.recorded.op} ${io.recorded.offset}\n${lines.join('\n')}`,
        ).toBe(true);
        if (explained)
          expect(comparable(io.simulated.events, explained)).toEqual(
            comparable(io.recorded.events, explained),
          );
      }
      // a flush of a disk without a volatile cache makes no request; everything else does
      const empty = single
        .filter(({ io }) => io.recorded.events.length === 0)
        .map(({ io }) => io.recorded.op);
      expect(empty.filter((op) => op !== 'flush')).toEqual([]);
      expect(score.ios.some((io) => io.recorded.events.length > 0)).toBe(true);
    },
  );
});

describe('setup and teardown', () => {
  it.each(NAMES.filter((name) => name.includes('-life-')))('%s: every task does what it did', (name) => {
    const roles = lifeScore(name);
    rows.push(`| ${name}, setup and teardown, by task | ${ratio(roles)} | |`);
    expect(roles.length).toBeGreaterThan(6);
    for (const role of roles) {
      expect(
        role.equal,
        `${role.phase} of ${role.role}\n${diffLines(role.recorded, role.simulated).join('\n')}`,
      ).toBe(true);
    }
  });
});

afterAll(() => {
  const table = [
    '| recording | equal at queue depth 1 | equal at greater depth (not asserted) |',
    '|---|---|---|',
    ...rows,
  ].join('\n');
  console.log(table);
  if (process.env.FIDELITY_DOC !== '1') return;
  const file = join(__dirname, '..', '..', 'docs', 'fidelity.md');
  const dropped = [...DROPPED_FIELDS, ...DROPPED_EVENTS, ...DROPPED_OTHERWISE];
  const list = dropped.map(({ what, why }) => `| ${what} | ${why} |`).join('\n');
  const text = readFileSync(file, 'utf8')
    .replace(/(<!-- scores -->\n)[\s\S]*(<!-- end of scores -->)/, `$1${table}\n$2`)
    .replace(
      /(<!-- dropped -->\n)[\s\S]*(<!-- end of dropped -->)/,
      `$1| what | why |\n|---|---|\n${list}\n$2`,
    );
  writeFileSync(file, text);
});

/** What of a sequence must be equal where a miss is explained. */
function comparable(events: readonly string[], { same }: Explained): string[] {
  if (same === 'nothing') return [];
  if (same === 'events in any order') return [...events].sort();
  return events.filter((line) => !/^block_(?!.* major=259)/.test(line));
}

function ratio(list: readonly Pick<IoScore, 'equal'>[]): string {
  return list.length === 0 ? '' : `${list.filter((io) => io.equal).length} of ${list.length}`;
}

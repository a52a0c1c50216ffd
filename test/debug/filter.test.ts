import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { compileFilter, FilterError, filterProblem } from '../../src/debug/filter';
import { eventsShown, requestsShown } from '../../src/debug/filter_scan';
import { completeFilter } from '../../src/debug/filter_complete';
import { openSession } from '../../src/debug/open';
import type { OpenTrace } from '../../src/debug/model';

const path = join(__dirname, '../../samples/loop-zc.ublk');

async function sample(): Promise<OpenTrace> {
  return openSession('loop-zc.ublk', readFileSync(path, 'utf8'), { pause: async () => {} });
}

function rows(open: OpenTrace, text: string): number[] {
  const test = compileFilter(text).requests(open);
  return Array.from({ length: open.requests.length }, (_, r) => r).filter(test);
}

function events(open: OpenTrace, text: string): number[] {
  const test = compileFilter(text).events(open);
  return Array.from({ length: open.length }, (_, i) => i).filter(test);
}

describe('filter on requests', () => {
  test('agrees with the request table', async () => {
    const open = await sample();
    const all = Array.from({ length: open.requests.length }, (_, r) => r);
    const row = (r: number) => open.requests.get(r);
    const cases: [string, (r: number) => boolean][] = [
      ['tag == 3', (r) => row(r).tag === 3],
      ['tag == 3 && op == read', (r) => row(r).tag === 3 && row(r).op === 'READ'],
      ['op == READ && length >= 64k', (r) => row(r).op === 'READ' && (row(r).length ?? 0) >= 65536],
      ['latency > 50us', (r) => (row(r).end ?? NaN) - row(r).start > 50000],
      ['latency > 50µs', (r) => (row(r).end ?? NaN) - row(r).start > 50000],
      ['!(op == READ) || tag < 2', (r) => row(r).op !== 'READ' || (row(r).tag ?? 9) < 2],
      ['opcode == SPLICE', (r) => row(r).sqes.some((s) => s.opcode === 'SPLICE')],
      ['path == splice', (r) => row(r).path === 'splice'],
      ['device ~ BLKB', (r) => row(r).device.includes('blkb')],
      ['res < 0', (r) => (row(r).result ?? 0) < 0],
      [
        'user_data == 0x8000000000000002',
        (r) => row(r).sqes.some((s) => s.user_data === '0x8000000000000002'),
      ],
    ];
    for (const [text, expected] of cases) expect(rows(open, text), text).toEqual(all.filter(expected));
    expect(rows(open, 'op == READ && length >= 64k').length).toBeGreaterThan(0);
  });
});

describe('filter on events', () => {
  test('reads fields of the event, then of its request', async () => {
    const open = await sample();
    expect(events(open, 'name == ublk_queue_rq').every((i) => open.trace.nameOf(i) === 'ublk_queue_rq')).toBe(
      true,
    );
    const spliced = events(open, 'name ~ splice && length >= 64k');
    expect(spliced.length).toBeGreaterThan(0);
    const tag2 = events(open, 'tag == 2');
    expect(
      tag2.every((i) => (open.trace.num(i, 'tag') ?? open.requests.tag[open.requests.requestOf(i)]) === 2),
    ).toBe(true);
    expect(events(open, 'result == -EIOCBQUEUED')).toEqual([]);
    expect(events(open, 'ret == -529').length).toBeGreaterThan(0);
    expect(events(open, 'event >= 10 && event < 12')).toEqual([10, 11]);
  });

  test('a comparison with something unknown is false either way', async () => {
    const open = await sample();
    const without = events(open, '!(tag >= 0)');
    expect(without.length).toBeGreaterThan(0);
    const unequal = new Set(events(open, 'tag != 99'));
    expect(without.some((i) => unequal.has(i))).toBe(false);
  });
});

describe('errors', () => {
  test.each([
    ['', 1, 'expected a field'],
    ['tga == 3', 1, "did you mean 'tag'"],
    ['tag = 3', 5, "write '=='"],
    ['tag == 3 & res < 0', 10, "write '&&'"],
    ['tag == abc', 8, 'tag is a number'],
    ['latency > 64k', 11, 'latency is a time'],
    ['length >= 5us', 11, 'length is a size'],
    ['(tag == 3', 1, "'(' without ')'"],
    ['tag == 3)', 9, "')' without '('"],
    ['tag == 3 res < 0', 10, 'expected && or ||'],
    ['tag ==', 7, 'expected a value'],
    ['name == "x', 9, 'has no end'],
    ['tag ~ 3', 1, 'compares texts'],
  ])('%s', (text, column, reason) => {
    const problem = filterProblem(text);
    expect(problem?.column).toBe(column);
    expect(problem?.message).toContain(reason);
  });

  test('any text is understood or refused with a column within it', () => {
    const piece = fc.constantFrom(
      'tag',
      '==',
      '&&',
      '||',
      '!',
      '(',
      ')',
      '3',
      'op',
      'READ',
      '64k',
      '-EIO',
      '~',
      '"',
      ' ',
      '50us',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((p) => p.join(' ')),
        ),
        (text) => {
          try {
            compileFilter(text);
          } catch (error) {
            if (!(error instanceof FilterError)) throw error;
            expect(error.column).toBeGreaterThanOrEqual(1);
            expect(error.column).toBeLessThanOrEqual(text.length + 1);
          }
        },
      ),
    );
  });
});

describe('many events at once', () => {
  test('finds the events that pass one by one, and says of text forms only what holds', async () => {
    const open = await sample();
    const leaf = fc.constantFrom(
      'tag == 3',
      'name ~ splice',
      'name == ublk_queue_rq',
      'task ~ iou',
      'opcode == SPLICE',
      'res > 0',
      'latency > 50us',
      'op == READ',
      'cpu == 0',
      'req',
      'event < 200',
    );
    const { filter } = fc.letrec<{ filter: string; both: string; not: string }>((tie) => ({
      filter: fc.oneof({ maxDepth: 3 }, leaf, tie('both'), tie('not')),
      both: fc
        .tuple(tie('filter'), fc.constantFrom('&&', '||'), tie('filter'))
        .map(([a, op, b]) => `(${a} ${op} ${b})`),
      not: tie('filter').map((a) => `!(${a})`),
    }));
    await fc.assert(
      fc.asyncProperty(filter, async (text) => {
        const compiled = compileFilter(text, open.trace);
        const forms = compiled.forms(open);
        const passing = events(open, text);
        const set = new Set(passing);
        for (let i = 0; i < open.length; i++) {
          const form = forms[open.trace.shape[i]];
          if (form !== 2 && (form === 1) !== set.has(i)) expect([i, form]).toEqual('what the event says');
        }
        const found = await eventsShown(open, compiled, { pause: async () => {} });
        expect([...(found ?? [])]).toEqual(passing);
      }),
    );
    const given = await eventsShown(open, compileFilter('tag == 3'), {
      pause: async () => {},
      cancelled: () => true,
    });
    expect(given).toBeUndefined();
  });
});

test.each(['events', 'requests'] as const)(
  'however dear a test is, %s are filtered in short slices',
  async (what) => {
    const open = await sample();
    let now = 0;
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => now);
    const dear = (): boolean => {
      now += 1;
      return true;
    };
    const filter = { ...compileFilter('slot:0:3:state == OWNED'), events: () => dear, requests: () => dear };
    const pauses = [0];
    const work = { pause: async () => void pauses.push(now) };
    try {
      await (what === 'events' ? eventsShown : requestsShown)(open, filter, work);
    } finally {
      clock.mockRestore();
    }
    expect(now).toBe(what === 'events' ? open.length : open.requests.length);
    const slices = [...pauses, now].map((at, k, all) => at - (all[k - 1] ?? 0));
    expect(Math.max(...slices)).toBeLessThanOrEqual(8);
  },
);

describe('completion', () => {
  const labels = (text: string): string[] => completeFilter(text, text.length).map((c) => c.label);
  test('fields, signs, values', () => {
    expect(labels('')).toContain('tag');
    expect(labels('late')).toEqual(['latency']);
    expect(labels('tag ')).toContain('==');
    expect(labels('op == R')).toEqual(['READ']);
    expect(labels('opcode == SPL')).toEqual(['SPLICE']);
    expect(labels('name == ublk_queue')).toContain('ublk_queue_rq');
    expect(labels('tag == 3 ')).toEqual(['&&', '||']);
    expect(labels('tag == 3 && pa')).toContain('path');
  });
  test('replaces the word that was begun', () => {
    const [only] = completeFilter('tag == 3 && late > 5', 16);
    expect(only).toMatchObject({ text: 'latency', start: 12, end: 16 });
  });
  test('state variables by their paths, before a colon is typed and after it', async () => {
    expect(labels('')).toEqual(expect.arrayContaining(['slot:', 'ring:', 'pipe:', 'page:', 'device:']));
    expect(labels('tag == 3 && sl')).toEqual(['slot:']);
    expect(labels('!(ri')).toEqual(['ring', 'ring:']);
    expect(labels('slot:')).toContain('slot:QUEUE:TAG:state');
    const open = await sample();
    open.cursor.move(open.length >> 1, undefined, 'test');
    const text = 'tag == 3 && slot:0:3:st';
    expect(completeFilter(text, text.length, open)).toEqual([
      expect.objectContaining({ kind: 'state', text: 'slot:0:3:state', start: 12, end: text.length }),
    ]);
    expect(filterProblem('slot:0:3:state == OWNED', open.trace)).toBeUndefined();
  });
  test('values of a state variable behind a sign, quoted where they have to be', async () => {
    expect(labels('slot:0:3:state == ')).toEqual(expect.arrayContaining(['FREE', 'ACTIVE', 'OWNED']));
    expect(labels('tag == 3 && slot:0:3:state != OW')).toEqual(['OWNED']);
    expect(labels('slot:0:3:inferred == ')).toEqual([]);
    const open = await sample();
    open.cursor.move(open.length >> 1, undefined, 'test');
    const proposed = (text: string) => completeFilter(text, text.length, open);
    expect(proposed('slot:0:3:state == "O')).toEqual([
      expect.objectContaining({ kind: 'value', label: 'OWNED', text: '"OWNED"', start: 18, end: 20 }),
    ]);
    expect(proposed('slot:0:3:inferred == ').map(({ text }) => text)).toEqual(['true', 'false']);
    expect(proposed('device:0:state == ').map(({ label }) => label)).toContain('LIVE');
    for (const start of ['slot:0:3:request == ', 'slot:0:3:command.op != ', 'device:0:state == ']) {
      const all = proposed(start);
      expect(all.length).toBeGreaterThan(0);
      for (const { text } of all) expect(filterProblem(start + text, open.trace)).toBeUndefined();
    }
    expect(proposed('ring:0:sq.head == ')).toEqual([]);
  });
});

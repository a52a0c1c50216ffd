import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { OpenTrace } from '../../src/debug/model';
import { StackIndex } from '../../src/debug/stack';
import { parseSession } from '../../src/session/parse';
import { finish } from '../../src/trace/slices';
import { stateLeaves } from '../../src/trace/state';
import { english } from '../../src/view/machine_names';
import { percentiles } from '../../src/view/quantiles';
import { withZeroCopy } from '../../src/view/variants';
import { TraceView } from '../../src/view/view';
import type { StepName } from '../../src/webview/protocol';
import { fromText, recording, sample, timelineOf } from './support';

const SEED = { seed: 20221104 };
const STACK = join(__dirname, '..', '..', 'media', 'stack');
const stack = new StackIndex(
  readdirSync(STACK).map((name) => ({ name, text: readFileSync(join(STACK, name), 'utf8') })),
);

const CASES = [
  { name: 'samples/loop-zc', open: () => sample('loop-zc.ublk') },
  { name: '6.1 copy', open: () => recording('k6.1-loop-copy-ublksrvold-direct-q1d32') },
  { name: '6.18 FUSE', open: () => recording('k6.18-fuse-uring-q4-hp') },
] as const;

describe.each(CASES)('answers about $name', ({ open: load }) => {
  let open: OpenTrace;
  let view: TraceView;
  beforeAll(async () => {
    open = await load();
    view = new TraceView(open, timelineOf(open), english, stack);
  });

  it('what changed last: the nearest event at or before which a value was another', () => {
    const last = open.length - 1;
    for (const share of [0.2, 0.5, 0.8, 1]) {
      const event = Math.floor(share * last);
      const leaves = stateLeaves(open.states.at(event));
      const paths = [...leaves.keys()].filter((path) => /^(slot|ring):/.test(path)).slice(0, 12);
      const found = finish(view.lastChange({ trace: 0, event, paths }));
      const same = (a: number, b: number): boolean => {
        const [x, y] = [stateLeaves(open.states.at(a)), stateLeaves(open.states.at(b))];
        return paths.every((path) => (x.get(path) ?? null) === (y.get(path) ?? null));
      };
      if (found.event >= 0) {
        expect(same(found.event, event)).toBe(true);
        expect(same(found.event - 1, found.event)).toBe(false);
        expect(found.text).toContain(open.trace.nameOf(found.event));
      }
    }
    expect(finish(view.lastChange({ trace: 0, event: last, paths: [] }))).toEqual({ event: -1, text: '' });
    expect(finish(view.lastChange({ trace: 0, event: last, paths: ['totals::sqes'] })).event).toBeGreaterThan(
      0,
    );
    expect(() => finish(view.lastChange({ trace: 0, event: last + 1, paths: [] }))).toThrow(RangeError);
  });

  it('statistics equal a count one by one', () => {
    const { times } = view.timeline;
    const { requests, trace } = open;
    const part = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(part, part, (a, b) => {
        const [from, to] = [Math.min(a, b) * times.length, Math.max(a, b) * times.length];
        const found = finish(view.statistics({ trace: 0, from, to }));
        const events = Array.from({ length: open.length }, (_, i) => i).filter(
          (i) => times.at(i) >= from && times.at(i) <= to,
        );
        expect(found.events).toBe(events.length);
        expect(found.cqes).toBe(events.filter((i) => trace.nameOf(i) === 'io_uring_complete').length);
        const ended = Array.from({ length: requests.length }, (_, r) => r).filter((r) => {
          const end = requests.end[r]! - times.start;
          return requests.status[r] !== 3 && end >= from && end <= to;
        });
        expect(found.latency.count).toBe(ended.length);
        const took = ended.map((r) => requests.end[r]! - requests.start[r]!).sort((x, y) => x - y);
        expect(found.latency.max).toBe(took.at(-1) ?? 0);
        expect(found.latency.p50).toBe(took[Math.ceil(took.length / 2) - 1] ?? 0);
        // the phases are all of the time
        const shares = found.phases.reduce((sum, phase) => sum + phase.total, 0);
        expect(shares).toBe(took.reduce((sum, ns) => sum + ns, 0));
      }),
      { ...SEED, numRuns: 40 },
    );
  });

  it('a flow has the events of the request in order, and causes before effects', () => {
    for (let r = 0; r < Math.min(open.requests.length, 20); r++) {
      const flow = view.flow(r);
      expect([...flow.event]).toEqual([...open.requests.events(r)]);
      for (let k = 0; k < flow.arrows.length; k += 2)
        expect(flow.arrows[k]!).toBeLessThan(flow.arrows[k + 1]!);
      expect(flow.arrows.length).toBeGreaterThan(0);
    }
    expect(() => view.flow(open.requests.length)).toThrow(RangeError);
  });

  it('the table has every event once, or those of one request', () => {
    const seen: number[] = [];
    for (let offset = 0; offset < open.length; offset += 700) {
      const { rows, total, columns } = view.table({ trace: 0, offset, count: 700 });
      expect(total).toBe(open.length);
      for (const row of rows) {
        seen.push(row.event);
        expect(row.cells.length).toBe(columns.length);
      }
    }
    expect(seen).toEqual(Array.from({ length: open.length }, (_, i) => i));
    const one = view.table({ trace: 0, offset: 0, count: 1000, request: 1 });
    expect(one.rows.map((row) => row.event)).toEqual([...open.requests.events(1)]);
  });

  it('every event is explained, with a function and, where the pseudo-code has it, a lesson', () => {
    for (let i = 0; i < open.length; i += 13) {
      const said = view.explain(i);
      expect(said.line).toContain(open.trace.nameOf(i).replace(/^sys_(enter|exit)_/, 'sys_'));
      expect(said.what).not.toBe('');
      expect(said.where.context).toMatch(/on CPU \d+/);
      for (const { event } of said.why) expect(event).toBeLessThan(i);
      for (const { event } of said.next) expect(event === -1 || event > i).toBe(true);
      if (stack.locate(said.name) !== undefined) expect(said.where.lesson).toContain('Lesson:');
    }
  });

  it('a search finds the next hit in both directions, once around', () => {
    const names = Array.from({ length: open.length }, (_, i) => open.trace.nameOf(i));
    const hits = names.flatMap((name, i) => (name === 'io_uring_complete' ? [i] : []));
    const ask = (from: number, backwards: boolean, query = 'name == io_uring_complete'): number =>
      finish(view.search({ trace: 0, query, from, backwards })).event;
    fc.assert(
      fc.property(fc.nat(open.length - 1), (from) => {
        expect(ask(from, false)).toBe(hits.find((i) => i >= from) ?? hits[0]);
        expect(ask(from, true)).toBe(hits.findLast((i) => i <= from) ?? hits.at(-1));
      }),
      { ...SEED, numRuns: 30 },
    );
    expect(ask(0, false, 'uring_comp')).toBe(hits[0]);
    expect(finish(view.search({ trace: 0, query: 'tag == ', from: 0, backwards: false })).error).toBeTruthy();
    expect(ask(0, false, 'no such text anywhere')).toBe(-1);
    expect(
      finish(view.search({ trace: 0, query: 'name == io_uring_complete', from: 0, backwards: false })).hits,
    ).toBe(hits.length);
  });

  it('steps through the trace keep the request, steps of it stay in it', () => {
    const row = Math.min(3, open.requests.length - 1);
    const [first] = open.requests.events(row);
    const go = (name: StepName): number => {
      const next = view.step(name);
      open.cursor.move(next.event, next.request);
      return next.event;
    };
    open.cursor.move(first!, row);
    expect(go('next')).toBe(first! + 1);
    expect(open.cursor.request).toBe(row);
    expect(open.requests.events(row)).toContain(go('nextOfRequest'));
    expect(open.requests.events(row)).toContain(go('previousOfRequest'));
    expect(view.cursor()).toMatchObject({ request: row, event: open.cursor.event });
    expect(go('first')).toBe(0);
    expect(go('last')).toBe(open.length - 1);
    expect(open.cursor.request).toBe(row);
    expect(go('firstOfRequest')).toBe(first);
    expect(go('lastOfRequest')).toBe(open.requests.events(row).at(-1));
    open.cursor.move(first!, undefined);
    const own = view.step('nextOfRequest');
    expect(own.request).toBe(open.requests.requestOf(first!));
    const events = Array.from({ length: open.length }, (_, k) => k);
    const of = (event: number): number => open.requests.requestOf(event);
    const none = events.find((event) => of(event) < 0 && event < first!) ?? -1;
    open.cursor.move(none, undefined);
    const found = view.step('nextOfRequest');
    expect(found.event).toBe(events.find((event) => event > none && of(event) >= 0));
    expect(found.request).toBe(of(found.event));
  });
});

describe('an explanation', () => {
  let view: TraceView;
  beforeAll(async () => {
    const open = await recording('k7.3-loop-zc-regbuf-kublk-q1d32');
    view = new TraceView(open, timelineOf(open), english, stack);
  });
  const field = (event: number, name: string): string | undefined =>
    view.explain(event).fields.find((each) => each.name === name)?.value;

  it('decodes flags and pointers', () => {
    expect(field(14, 'flags')).toBe('0x400049 (FIXED_FILE | IO_HARDLINK | CQE_SKIP_SUCCESS)');
    expect(field(15, 'ring')).toBe('0xaad08a1e');
    expect(field(28, 'result')).toBe('4096');
  });

  it('names the disk of a block event', () => {
    expect(view.explain(26).what).toContain('Disk: the backing disk.');
    expect(view.explain(27).what).toContain('Disk: the backing disk 254,0.');
    expect(view.explain(39).what).toContain('Disk: the ublk disk ');
  });

  it('tells what the event brings about first, and what is next in time only', () => {
    const [effect, following] = view.explain(22).next;
    expect(effect).toMatchObject({ event: 25, text: expect.stringContaining('because of this') });
    expect(following).toMatchObject({ event: 23, text: expect.stringContaining('next in time only') });
  });
});

describe('warnings', () => {
  it('tell of events beyond 2^53 ns, with the line of the first', async () => {
    const line = (seconds: string): string =>
      `           iogen-814     [001] .....    ${seconds}: block_getrq: 259,0 RS 0 + 8 [iogen]\n`;
    const open = await fromText(
      `# tracer: nop\n${line('50.599591')}${line('9007300.000001')}${line('9007301.000001')}`,
    );
    const { warnings } = new TraceView(open, timelineOf(open), english).summary('x');
    expect(open.length).toBe(1);
    expect(warnings).toEqual([
      '2 events have times beyond 2^53 ns (104 days of the clock) and are left out, the first in line 3',
    ]);
  });
});

describe('percentiles', () => {
  it('are those of the sorted column, however large', () => {
    const few = fc.array(fc.nat(1e9), { minLength: 1, maxLength: 50 });
    const shape = fc.tuple(few, fc.nat(200));
    fc.assert(
      fc.property(shape, ([values, times]) => {
        const column = Float64Array.from(
          { length: values.length * (times + 1) },
          (_, k) => values[k % values.length]! + (k >> 6),
        );
        const sorted = column.slice().sort();
        const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1]!;
        expect(percentiles(column)).toEqual({
          count: column.length,
          p50: at(0.5),
          p90: at(0.9),
          p99: at(0.99),
          max: sorted.at(-1),
        });
      }),
      { ...SEED, numRuns: 100 },
    );
  });
});

describe('a session with and without zero copy', () => {
  const adds = (text: string): boolean[] =>
    parseSession(text, '').commands.flatMap((command) =>
      command.kind === 'ublk-add' ? [command.zeroCopy] : [],
    );

  it.each([
    'ublk add -t loop -f disk.img -z -q 1 -d 4',
    'ublk add -t loop -f disk.img -q 1 -d 4',
    'ublk add -z -t loop -f disk.img',
    'ublk add -t loop --zero_copy 1 -f disk.img',
    'ublk add -t loop \\\n  -f disk.img \\\n  -z -q 2',
    'taskset -c 1 ublk add -t loop -f -z.img',
  ])('changes %j and nothing else', (command) => {
    const text = `#: seed 3\ntruncate -s 1M disk.img\n${command}\n# ublk add -z in a comment\n`;
    for (const on of [true, false]) {
      const changed = withZeroCopy(text, on);
      expect(adds(changed)).toEqual([on]);
      expect(changed.split('\n').length).toBe(text.split('\n').length);
      expect(withZeroCopy(changed, on)).toBe(changed);
      expect(changed).toContain('# ublk add -z in a comment');
    }
  });
});

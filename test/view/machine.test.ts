import { beforeAll, describe, expect, it } from 'vitest';
import type { OpenTrace } from '../../src/debug/model';
import { diffState, type Leaf, stateLeaves } from '../../src/trace/state';
import { machineView } from '../../src/view/machine';
import type { Exploded, MachinePart, MachineView } from '../../src/webview/protocol_faces';
import { fromText, recording, sample, simulated } from './support';

/** Parts by the kind at the start of their ids. */
function partsOf(view: MachineView): MachinePart[] {
  const { clients, tasks, devices, rings, requests, slots, pipes, pages, disks } = view;
  return [...clients, ...tasks, ...devices, ...rings, ...requests, ...slots, ...pipes, ...pages, ...disks];
}

type Leaves = ReadonlyMap<string, Leaf>;

function shown(value: unknown): string {
  if (value === true) return 'yes';
  return value === false ? 'no' : value === '' ? 'nothing' : String(value);
}

/** Values of a view that are not those of the state at their path; null is said as unknown or none. */
function wrongValues(values: readonly Exploded[], after: Leaves, before: Leaves): string[] {
  const says = (text: string, leaf: Leaf | undefined): boolean =>
    leaf === null ? text === 'unknown' || text === 'none' : text === shown(leaf);
  return values
    .filter(({ path, value, previous }) => {
      if (path === '') return false;
      const [now, was] = [after.get(path), before.get(path)];
      if (!says(value, now)) return true;
      if (previous === undefined) return (was ?? null) !== (now ?? null);
      return previous === '' ? was !== undefined : !says(previous, was);
    })
    .map(({ path, value, previous }) => `${path} ${value} was ${previous}`);
}

function idOfPath(path: string): string {
  return path.slice(0, path.lastIndexOf(':'));
}

describe.each([
  ['samples/loop-zc.ublk', () => sample('loop-zc.ublk')],
  ['a recording of the RFC', () => recording('rfc-zc-subrange-two-halves-8k')],
  ['a recording of 7.3', () => recording('k7.3-loop-copy-kublk-q1d32')],
])('the machine of %s', (_, load) => {
  let open: OpenTrace;
  beforeAll(async () => {
    open = await load();
  });

  it('marks at every event exactly what differs from the state before', () => {
    for (let e = 0; e < open.length; e++) {
      const before = open.states.at(e - 1);
      const after = open.states.at(e);
      const diff = diffState(before, after);
      const [old, leaves] = [stateLeaves(before), stateLeaves(after)];
      const view = machineView(open, e, open.requests.requestOf(e));
      const whole = diff.filter((c) => c.before === undefined || c.after === undefined);
      const plain = diff.filter((c) => c.before !== undefined && c.after !== undefined);
      const paths = new Set(plain.map((c) => c.path));
      const echo = (path: string): boolean =>
        path.endsWith('.items') && paths.has(path.replace(/items$/, 'count'));
      const told = view.changes.map((change) => change.path).filter((path) => path !== '');
      expect(told.toSorted()).toEqual([...paths].filter((path) => !echo(path)).toSorted());
      const entities = new Set(whole.map((c) => idOfPath(c.path)));
      expect(view.changes.filter((change) => change.path === '')).toHaveLength(entities.size);

      const touched = new Set(diff.map((c) => idOfPath(c.path)));
      const wrong: string[] = [];
      for (const part of partsOf(view)) {
        wrong.push(...wrongValues(part.values, leaves, old));
        const id = part.id.replace(/:(sq|cq)$/, '');
        const is = touched.has(id);
        if (id === part.id ? part.changed !== is : part.changed && !is) wrong.push(`${part.id} changed`);
      }
      for (const ring of after.rings)
        if (touched.has(`ring:${ring.id}`) && !view.rings.some((one) => one.ring === ring.id && one.changed))
          wrong.push(`ring ${ring.id} is not marked`);
      expect(wrong, `event ${e}`).toEqual([]);
    }
  });

  it('draws rings whose heads, tails and entries agree with the state', () => {
    for (let e = 0; e < open.length; e += 3) {
      const state = open.states.at(e);
      const view = machineView(open, e);
      for (const drawn of view.rings) {
        const ring = state.rings.find((one) => one.id === drawn.ring);
        const side = drawn.which === 'SQ' ? ring?.sq : ring?.cq;
        if (side === undefined) throw new Error(`ring ${drawn.ring} is not in the state`);
        expect(drawn.entries).toBe(side.entries ?? 0);
        expect(drawn.head.value).toBe(side.head === null ? 'unknown' : String(side.head));
        expect(drawn.tail.value).toBe(side.tail === null ? 'unknown' : String(side.tail));
        if (side.head === null || side.tail === null || side.entries === null) continue;
        const filled = new Set(drawn.filled.map((entry) => entry.slot));
        expect(filled.size).toBe(drawn.filled.length);
        if (drawn.which === 'CQ' || side.tail - side.head === drawn.filled.length)
          for (let p = side.head; p < side.head + drawn.filled.length; p++)
            expect(filled.has(p % side.entries)).toBe(true);
      }
    }
  });

  it('joins parts that are there', () => {
    for (let e = 0; e < open.length; e += 5) {
      const view = machineView(open, e, open.requests.requestOf(e));
      const ids = new Set([
        ...partsOf(view).map((part) => part.id),
        ...view.disks.flatMap((disk) => disk.inFlight.map((io) => io.id)),
      ]);
      for (const { from, to } of view.links) {
        expect(ids.has(from), from).toBe(true);
        expect(ids.has(to), to).toBe(true);
        expect(from).not.toBe(to);
      }
    }
  });

  it('tells each event in a sentence without holes', () => {
    for (let e = 0; e < open.length; e++) {
      const { title } = machineView(open, e);
      expect(title).toMatch(/\S.*/);
      expect(title).not.toMatch(/undefined|NaN|\{\d\}/);
    }
  });
});

describe('the machine', () => {
  it('follows a READ by splice from the client to the pages', async () => {
    const open = await sample('loop-zc.ublk');
    const row =
      [...Array(open.requests.length).keys()].find((r) => open.requests.op(r) === 'READ' && r > 8) ?? -1;
    const e = [...open.requests.events(row)].find((i) => open.trace.nameOf(i) === 'add_to_pipe') ?? -1;
    const view = machineView(open, e, row);
    expect(view.links.map((link) => link.to.replace(/:.*/, ''))).toEqual([
      'disk',
      'slot',
      'req',
      'task',
      'pipe',
      'page',
    ]);
    const page = view.pages.find((one) => one.changed);
    expect(page).toMatchObject({ focused: true, origin: 'not filled: old memory' });
    expect(view.title).toContain('no reference is taken');
  });

  it('shows what a recording does not say as unknown', async () => {
    const open = await recording('k7.3-loop-copy-kublk-q1d32');
    const view = machineView(open, 400);
    const sq = view.rings.find((ring) => ring.which === 'SQ');
    expect(sq).toMatchObject({ entries: 0, head: { value: 'unknown' } });
    expect(view.totals.find((total) => total.name === 'bytes copied')?.value).toBe('unknown');
  });

  it('of thousands of tags shows a page of slots and those that are busy, the rest in words', async () => {
    const open = await simulated(
      'ublk add -t null -q 4 -d 1024\nfio --name=j --filename=/dev/ublkb0 --direct=1 --ioengine=libaio --rw=randread --bs=4k --iodepth=4 --number_ios=8\n',
    );
    const e = open.requests.events(open.requests.length - 1)[4];
    const view = machineView(open, e, open.requests.length - 1);
    const total = open.states.at(e).slots.length;
    expect(total).toBeGreaterThan(1000);
    expect(view.slots.length).toBeLessThan(200);
    expect(view.slots.some((slot) => slot.focused)).toBe(true);
    const rest = total - view.slots.length;
    expect(view.leftOut.join()).toContain(`${rest.toLocaleString('en')} more slots, all idle`);
  });

  it('of a queue of 10,000 tags knows the last ones too', async () => {
    const lines = Array.from(
      { length: 10_000 },
      (_, tag) =>
        `  dd-10 [000] ..... ${(1 + tag / 1e5).toFixed(6)}: ublk_queue_rq: (ublk_queue_rq+0x0) qid=0 tag=${tag} sector=${tag * 8} len=4096 flags=0x0`,
    );
    const open = await fromText(`${lines.join('\n')}\n`);
    const { slots } = open.states.at(open.trace.length - 1);
    expect(slots.map((slot) => slot.tag)).toEqual(lines.map((_, tag) => tag));
    const view = machineView(open, open.trace.length - 1);
    expect(view.slots.find((slot) => slot.changed)?.id).toContain(':9999');
    expect(view.leftOut.join()).toMatch(/more slots/);
  });

  it('has no parts and says so where there are no events', async () => {
    const view = machineView(await simulated('# nothing\n'), 0);
    expect(partsOf(view)).toEqual([]);
    expect(view).toMatchObject({ event: -1, changes: [], links: [] });
  });
});

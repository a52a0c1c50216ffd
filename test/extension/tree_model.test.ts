import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OpenTrace } from '../../src/debug/model';
import { appearance } from '../../src/extension/tree/appearance';
import { nodeText } from '../../src/extension/tree/copy';
import { GROUPINGS, type Node } from '../../src/extension/tree/nodes';
import { PAGE, TreeModel, TreeModels, type TreeOptions } from '../../src/extension/tree_model';
import { parseSession } from '../../src/session/parse';
import { simulate } from '../../src/simulate';
import { english } from './english';

const root = new URL('../../', import.meta.url);

function openText(text: string, path = 'test.ublk'): OpenTrace {
  const session = parseSession(text, path);
  const { trace, output, exitCode } = simulate(session);
  return new OpenTrace(trace, { kind: 'session', path, session, output, exitCode });
}

const sample = openText(readFileSync(new URL('samples/loop-zc.ublk', root), 'utf8'), 'loop-zc.ublk');
const many = openText(
  [
    '#: kernel 6.1',
    'ublk add -t null -q 2 -d 8',
    'fio --name=j --filename=/dev/ublkb0 --direct=1 --ioengine=libaio --rw=randread --bs=4k --iodepth=8 --number_ios=2600',
  ].join('\n'),
);

const oneRequest = ['#: kernel 6.1', 'ublk add -t null', 'dd if=/dev/ublkb0 of=/dev/null bs=4k count=1'].join(
  '\n',
);

function model(open: OpenTrace, options: Partial<TreeOptions> = {}): TreeModel {
  return new TreeModel(open, 'key', { grouping: 'tag', t: english, ...options });
}

function* walk(tree: TreeModel, node: Node): Generator<Node> {
  yield node;
  for (const child of tree.children(node)) yield* walk(tree, child);
}

function look(node: Node, open: OpenTrace) {
  return appearance(node, { open, violations: [], pins: [], note: '', slotKnown: true, t: english });
}

describe('the tree of requests', () => {
  it.each(GROUPINGS)(
    'grouped by %s shows each request and each of its events once, with ids of their own',
    (grouping) => {
      for (const open of [sample, many]) {
        const tree = model(open, { grouping });
        const nodes = [...walk(tree, tree.root)];
        expect(new Set(nodes.map((node) => node.id)).size).toBe(nodes.length);
        const rows = nodes.flatMap((node) => (node.kind === 'request' ? [node.row] : []));
        expect(rows.sort((a, b) => a - b)).toEqual(
          Array.from({ length: open.requests.length }, (_, row) => row),
        );
        const events = nodes.flatMap((node) => (node.kind === 'event' ? [node.event] : []));
        expect(events.sort((a, b) => a - b)).toEqual(
          Array.from({ length: open.length }, (_, event) => event),
        );
      }
    },
  );

  it('never has more than a page of children, nor a child whose parent is another node', () => {
    for (const grouping of GROUPINGS) {
      const tree = model(many, { grouping });
      const wrong = [...walk(tree, tree.root)].filter((node) => {
        const children = tree.children(node);
        const strange = children.some((child) => child.parent !== node);
        return children.length > PAGE || strange || tree.hasChildren(node) !== children.length > 0;
      });
      expect(wrong).toEqual([]);
    }
  });

  it('names pages by the places of their items', () => {
    const tree = model(many, { grouping: 'time' });
    const pages = tree.children(tree.root).filter((node) => node.kind === 'page');
    const labels = pages.map((node) => look(node, many).label);
    expect(labels.slice(0, 2)).toEqual(['1–1,000', '1,001–2,000']);
    expect(labels.at(-1)).toBe(`2,001–${many.requests.length.toLocaleString('en-US')}`);
  });

  it('finds the node of any event or request, below the right parents', () => {
    fc.assert(
      fc.property(fc.constantFrom(...GROUPINGS), fc.nat(), (grouping, n) => {
        const tree = model(many, { grouping });
        const event = n % many.length;
        const node = tree.eventNode(event);
        expect(node?.event).toBe(event);
        let at: Node | undefined = node;
        while (at?.parent !== undefined) {
          expect(tree.children(at.parent)).toContain(at);
          at = at.parent;
        }
        expect(at).toBe(tree.root);
        const row = n % many.requests.length;
        expect(tree.requestNode(row)?.row).toBe(row);
      }),
      { numRuns: 40 },
    );
  });

  it('shows only the rows that a filter left, and finds no node for the others', () => {
    const rows = Uint32Array.of(1, 5);
    const tree = model(sample, { rows });
    const shown = [...walk(tree, tree.root)].flatMap((node) => (node.kind === 'request' ? [node.row] : []));
    expect(shown.sort((a, b) => a - b)).toEqual([1, 5]);
    expect(tree.requestNode(2)).toBeUndefined();
    expect(tree.eventNode(sample.requests.events(2)[0]!)).toBeUndefined();
    expect(tree.requestNode(5)?.row).toBe(5);
  });

  it('keeps pins and broken rules at the top', () => {
    const pins = [
      { row: 0, event: -1 },
      { row: 1, event: sample.requests.events(1)[2]! },
    ];
    const broken = { rule: 'INV-1', severity: 'K', event: 3, line: 4, message: 'm', evidence: [3] } as const;
    const tree = model(sample, { pins, violations: [broken] });
    const [first, second] = tree.children(tree.root);
    expect([first?.kind, second?.kind]).toEqual(['pins', 'violations']);
    expect(tree.children(first!).map((node) => node.kind)).toEqual(['request', 'event']);
    expect(look(tree.children(second!)[0]!, sample).label).toBe('INV-1');
  });

  it.each([
    ['a filter', sample, { rows: Uint32Array.of(5, 6, 7) }],
    ['a run with fewer requests', openText(oneRequest), {}],
  ])(
    'answers for the nodes of before %s by the tree they stand in, and keeps the new one clean',
    (_, open, how) => {
      const trees = new TreeModels();
      const before = trees.add(model(sample));
      const old = [...walk(before, before.root)];
      const after = trees.add(model(open, how));
      for (const node of old) {
        expect(after.hasChildren(node)).toBe(false);
        expect(after.children(node)).toEqual([]);
        expect(trees.of(node)).toBe(before);
        expect(look(node, trees.of(node)!.open).label).not.toBe('');
      }
      const shown = [...walk(after, after.root)].flatMap((node) =>
        node.kind === 'request' ? [node.row] : [],
      );
      expect(shown.sort((a, b) => a - b)).toEqual([...after.rows]);
      expect(trees.of(after.requestNode(after.rows[0]!)!)).toBe(after);
    },
  );

  it('opens an empty trace as a single line', () => {
    const empty = new OpenTrace(
      new (sample.trace.constructor as typeof import('../../src/trace/trace').Trace)(),
      sample.source,
    );
    const tree = model(empty);
    expect(tree.hasChildren(tree.root)).toBe(false);
    expect(tree.children(tree.root)).toEqual([]);
    expect(look(tree.root, empty).description).toBe('0 requests, 0 events');
  });
});

describe('what nodes say', () => {
  const tree = model(sample);
  const nodes = [...walk(tree, tree.root)];

  it('labels a request by what it did and what became of it', () => {
    const node = nodes.find((each) => each.kind === 'request')!;
    const { label, description, icon } = look(node, sample);
    expect(label).toMatch(/^#\d+ (READ|WRITE|FLUSH) \S+ KiB @ \S+ \S+$/);
    expect(description).toMatch(/^\d+ in [\d.]+ (µs|ms)$/);
    expect(icon).toBe('pass');
  });

  it('says what an event is', () => {
    const node = nodes.find(
      (each) => each.kind === 'event' && sample.trace.nameOf(each.event) === 'ublk_queue_rq',
    )!;
    const { label, description, tooltip } = look(node, sample);
    expect(label).toBe('ublk_queue_rq');
    expect(description).toMatch(/^\+[\d.]+ (ns|µs) {2}.*tag=\d/);
    expect(tooltip).toContain('ublk_queue_rq()');
  });

  it('copies a request as its trace lines', () => {
    const node = nodes.find((each) => each.kind === 'request')!;
    const lines = nodeText(tree, node, english).trimEnd().split('\n');
    if (node.kind !== 'request') throw new Error('unreachable');
    expect(lines.slice(1)).toEqual(
      [...sample.requests.events(node.row)].map((event) => sample.printer.line(event)),
    );
    const group = nodes.find((each) => each.kind === 'group')!;
    expect(nodeText(tree, group, english).trimEnd().split('\n')).toHaveLength(
      group.kind === 'group' ? group.rows.length : 0,
    );
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { checkRing, openRing } from '../../src/debug/open_ring';
import { requestLabel } from '../../src/debug/request_label';
import { hoverName, proposeNames } from '../../src/extension/ring/names';
import {
  askingOrder,
  orderItems,
  ordersDocument,
  ordersOf,
  type AskedOrder,
} from '../../src/extension/ring/orders';
import { placeAtOffset } from '../../src/extension/ring/places';
import { cqeOrder } from '../../src/ring/compare';
import { finish } from '../../src/trace/slices';
import { english } from './english';

const fixture = (name: string): string =>
  readFileSync(join(__dirname, '..', 'fixtures', 'ring', `${name}.json`), 'utf8');
const host = { pause: async () => undefined };

const PROGRAM = `{"name": "x", "ring": {"entries": 8},
 "files": {"in": {"kind": "file", "size": 6000}, "p": {"kind": "pipe", "size": 65536, "fixed": true}},
 "buffers": {"b": {"size": 8192}},
 "steps": [{"submit": [
   {"op": "READ", "file": "in", "buf": "b", "len": 10, "user_data": "7"},
   {"op": "TIMEOUT_REMOVE", "target": "", "user_data": "8"},
   {"op": "WRITE", "file": |`;
const at = PROGRAM.indexOf('|');
const text = PROGRAM.replace('|', '');

describe('places in a program', () => {
  it('are known while it is typed', () => {
    expect(placeAtOffset(text, at).path).toEqual(['steps', 0, 'submit', 2, 'file']);
    const place = placeAtOffset(text, text.indexOf('"in", "buf"') + 2);
    expect(place.path.at(-1)).toBe('file');
    expect(place.word).toMatchObject({ text: 'in', isKey: false });
    expect(placeAtOffset(text, text.indexOf('"ring"') + 2).word).toMatchObject({ text: 'ring', isKey: true });
  });
});

describe('names', () => {
  const labels = (offset: number): string[] => proposeNames(text, offset, english).map(({ label }) => label);

  it('are proposed where one is wanted', () => {
    expect(labels(at)).toEqual(['in', 'p.r', 'p.w']);
    expect(proposeNames(text, at, english)[0]).toMatchObject({ bare: true, detail: 'file, 6000 bytes' });
    expect(labels(text.indexOf('"b", "len"') + 1)).toEqual(['b']);
    expect(labels(text.indexOf('"target": "') + '"target": "'.length)).toEqual(['7', '8']);
    expect(labels(text.indexOf('"len": 10') + 7)).toEqual([]);
  });

  it('are explained', () => {
    expect(hoverName(text, text.indexOf('"b", "len"') + 1, english)?.text).toBe(
      '**b**: buffer of 8192 bytes',
    );
    expect(hoverName(text, text.indexOf('"x"') + 1, english)).toBeUndefined();
  });
});

describe('mistakes', () => {
  it('have a place', () => {
    expect(checkRing(fixture('link-ok'))).toMatchObject({ program: { name: 'link-ok' } });
    expect(checkRing('{"name": "x",\n "ring": {"entries": 0}, "steps": []}').mistake).toMatchObject({
      line: 2,
      column: 22,
      message: 'entries must be from 1 to 4096, not 0',
    });
    const full = `{"name": "x", "ring": {"entries": 1}, "steps": [
      {"submit": [{"op": "NOP", "user_data": "1"}], "to_submit": 0},
      {"submit": [{"op": "NOP", "user_data": "2"}]}]}`;
    expect(checkRing(full).mistake).toMatchObject({ line: 3, column: 19 });
  });

  it('are what opening says', async () => {
    await expect(openRing('x.ring.json', '{"name": 1}', host, {})).rejects.toThrow(/^x\.ring\.json:1:1: /);
    await expect(openRing('x.ring.json', fixture('link-ok'), host, { kernel: '5.4' })).rejects.toThrow(
      /run on 6\.1, 6\.12, 6\.18, 7\.3, not on "5\.4"/,
    );
  });
});

describe('all orders', () => {
  const orders = finish(ordersOf(fixture('setup-mix-coop')));
  const items = orderItems(orders, english);

  it('are listed, the likeliest first', () => {
    expect(items.length).toBeGreaterThan(2);
    expect(items[0]).toMatchObject({ description: 'likeliest', schedule: undefined });
    expect(new Set(items.map(({ label, detail }) => `${label} ${detail}`)).size).toBe(items.length);
  });

  it('are looked for in slices, with progress that grows', () => {
    const work = ordersOf(fixture('setup-mix-coop'));
    const shares: number[] = [];
    for (let step = work.next(); step.done !== true; step = work.next()) shares.push(step.value);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.every((share) => share >= 0 && share <= 1)).toBe(true);
  });

  it('open as the run they name', async () => {
    for (const { label, schedule } of items) {
      const how = schedule === undefined ? {} : { schedule };
      const { source } = await openRing('x.ring.json', fixture('setup-mix-coop'), host, how);
      expect(source.kind === 'ring' && cqeOrder(source)).toBe(label);
    }
  });

  it('are answered for when one is typed', async () => {
    const program = fixture('setup-mix-coop');
    const ask = (value: string): AskedOrder | undefined => finish(askingOrder(program, value, english));
    const turned = (items.at(-1)?.label.match(/\d+/g) ?? []).join(',');
    const given = ask(turned);
    expect(given).toMatchObject({ possible: true });
    const { source } = await openRing('x.ring.json', program, host, { schedule: given?.schedule ?? '' });
    expect(source.kind === 'ring' && cqeOrder(source)).toBe(given?.description);
    expect(ask('4, 2')).toMatchObject({
      label: '4, 2 cannot come',
      description: '2 before 4: batch',
      possible: false,
    });
    expect(ask('4, 2')?.detail).toContain('completes inline');
    for (const none of ['', '4', '4,', 'x,y', '4,99']) expect(ask(none)).toBeUndefined();
  });

  it('are looked for in slices, and dropped at once', () => {
    const reads = Array.from({ length: 8 }, (_, i) => ({
      op: 'READ',
      file: 'f',
      buf: 'b',
      len: 10,
      flags: ['ASYNC'],
      user_data: String(i),
    }));
    const many = JSON.stringify({
      name: 'many',
      ring: { entries: 8 },
      files: { f: { kind: 'file', size: 4096 } },
      buffers: { b: { size: 4096 } },
      steps: [{ submit: reads, wait: 8 }, { reap: 'all' }],
    });
    const now = vi.spyOn(performance, 'now');
    let clock = 0;
    now.mockImplementation(() => (clock += 10));
    try {
      const work = askingOrder(many, '7,6,5,4,3,2,1,0', english);
      const step = work.next();
      expect(step.done).toBe(false);
      expect(step.value).toBeGreaterThan(0);
      expect(step.value).toBeLessThan(1);
      expect(work.return(undefined).done).toBe(true);
    } finally {
      now.mockRestore();
    }
  });

  it('are written down with the rule of every guaranteed pair', () => {
    const page = ordersDocument(orders, english);
    expect(page).toContain('# setup-mix-coop on kernel 6.18: ');
    expect(page).toMatch(/- 2 before 4: batch \(/);
    expect(page).toContain('either may come first');
  });
});

it('requests of an opened program are its SQEs by user_data', async () => {
  const { requests } = await openRing('x.ring.json', fixture('link-ok'), host, {});
  expect(Array.from({ length: requests.length }, (_, r) => requestLabel(requests, r))).toEqual([
    'user_data 0x1 READ',
    'user_data 0x2 WRITE',
    'user_data 0x3 FSYNC',
  ]);
});

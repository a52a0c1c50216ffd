import { expect, test } from 'vitest';
import { Run } from '../../src/debug/dap_run';
import { compileFilter } from '../../src/debug/filter';
import type { OpenTrace } from '../../src/debug/model';
import { openSession } from '../../src/debug/open';
import { requestLabel } from '../../src/debug/request_label';
import { slotOfRequest } from '../../src/debug/slot_path';
import { readPath } from '../../src/trace/state';

const FIO = (disk: number): string =>
  `fio --name=j${disk} --filename=/dev/ublkb${disk} --direct=1 --ioengine=libaio --rw=randread --bs=4k --iodepth=4 --number_ios=9`;

async function opened(disks: readonly number[]): Promise<OpenTrace> {
  const lines = [...disks.map((d) => `ublk add -t null -n ${d} -d 8`), ...disks.map(FIO)];
  return openSession('disks.ublk', `${lines.join('\n')}\n`, { pause: async () => {} });
}

function rows(open: OpenTrace, text: string): number[] {
  const shown = compileFilter(text).requests(open);
  return Array.from({ length: open.requests.length }, (_, r) => r).filter(shown);
}

test('a filter finds a device by both of its names', async () => {
  const open = await opened([0, 1]);
  const second = rows(open, 'device == ublkb1');
  expect(second.length).toBeGreaterThanOrEqual(9);
  expect(rows(open, 'device == "259,1"')).toEqual(second);
  const first = rows(open, 'device != ublkb1');
  expect(first.length + second.length).toBe(open.requests.length);
  expect(rows(open, 'device != "259,1"')).toEqual(first);
  expect(rows(open, 'device == ublkb7')).toEqual([]);
});

test('labels name the device where there are several', async () => {
  const [one, two] = [await opened([0]), await opened([0, 1])];
  expect(requestLabel(one.requests, 0)).toMatch(/^q0 tag \d+ READ 4 KiB/);
  const row = rows(two, 'device == ublkb1')[0];
  expect(requestLabel(two.requests, row)).toMatch(/^ublkb1 q0 tag \d+ READ 4 KiB/);
});

test('a launch names the device of its request', async () => {
  const open = await opened([0, 1]);
  const row = rows(open, 'device == ublkb1')[0];
  const at = `0:${open.requests.tag[row]}`;
  expect(Run.find(open, `ublkb1:${at}`)).toBe(row);
  expect(Run.find(open, `259,1:${at}`)).toBe(row);
  expect(() => Run.find(open, 'ublkb2:0:0')).toThrow(/its devices are ublkb0, ublkb1/);
});

test('state paths of a slot name its device', async () => {
  const open = await opened([0, 1]);
  for (const device of [0, 1]) {
    const row = rows(open, `device == ublkb${device}`).pop()!;
    const slot = slotOfRequest(open, row)!;
    expect(slot).toBe(`slot:${device === 0 ? '' : '1@'}0:${open.requests.tag[row]}`);
    const state = open.states.at(open.requests.events(row)[0]);
    expect(readPath(state, `${slot}:device`)).toBe(device);
  }
});

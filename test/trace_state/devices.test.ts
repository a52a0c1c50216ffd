import { describe, expect, test } from 'vitest';
import { parseSession } from '../../src/session/parse';
import { simulate } from '../../src/simulate';
import { matchRequests } from '../../src/trace/requests';
import { StateCache } from '../../src/trace/state';
import type { Trace } from '../../src/trace/trace';

const FIO = (disk: number, rw: string): string =>
  `fio --name=j${disk} --filename=/dev/ublkb${disk} --direct=1 --ioengine=libaio --rw=${rw} --bs=4k --iodepth=4 --number_ios=20`;

function traceOf(lines: readonly string[]): Trace {
  const session = parseSession(`${lines.join('\n')}\n`, 'two.ublk');
  return simulate(session).trace;
}

describe.each([
  ['partition tables are read', '', 'randread'],
  ['partition tables are not read', '#: part-scan off', 'randwrite'],
  ['partition tables are not read, reads', '#: part-scan off', 'randread'],
])('two devices, %s', (_, option, rw) => {
  const trace = traceOf([
    ...(option === '' ? [] : [option]),
    'ublk add -t null -n 0 -d 8',
    'ublk add -t null -n 1 -d 8',
    `${FIO(0, rw)} &`,
    FIO(1, rw),
    'wait',
  ]);
  const states = new StateCache(trace);
  const { id: issue, fields } = trace.shapes.of('block_rq_issue');
  const minor = fields.get('minor') ?? -1;

  test('each server arms the slots of its device', () => {
    const { devices, slots } = states.at(trace.length - 1);
    expect(devices.map((d) => [d.id, d.disk])).toEqual([
      [0, '259:0'],
      [1, '259:1'],
    ]);
    for (const device of [0, 1])
      expect(slots.filter((s) => s.device === device && s.state === 'ACTIVE')).toHaveLength(8);
  });

  test('what is in flight on a disk is in the slots of its device', () => {
    let both = 0;
    for (let i = 0; i < trace.length; i++) {
      if (trace.shape[i] !== issue) continue;
      const state = states.at(i);
      const disk = trace.wide.number(trace.word(i, minor));
      if (state.devices.some((d) => d.disk === null)) continue;
      const started = ['queued', 'delivered', 'committed'];
      const here = (d: number): number =>
        state.slots.filter((s) => s.device === d && started.includes(s.request ?? '')).length;
      expect([here(0), here(1)]).toEqual(
        [0, 1].map((d) => state.disks.find((x) => x.minor === d)?.inFlight.length ?? 0),
      );
      if (here(1 - disk) > 0) both++;
    }
    expect(both).toBeGreaterThan(3);
  });

  test('disks have the name of their device', () => {
    expect([...matchRequests(trace).devices].sort()).toEqual(['ublkb0', 'ublkb1']);
  });
});

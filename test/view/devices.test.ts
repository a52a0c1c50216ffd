import { beforeAll, describe, expect, it } from 'vitest';
import type { OpenTrace } from '../../src/debug/model';
import { machineView } from '../../src/view/machine';
import { fromText, simulated, timelineOf } from './support';

/** Two devices whose requests have the same queue, tag and place at the same time. */
const TWO = `ublk add -t null -q 1 -d 1
ublk add -t null -q 1 -d 1
fio --name=a --filename=/dev/ublkb0 --direct=1 --ioengine=libaio --rw=read --bs=4k --iodepth=1 --number_ios=6 &
fio --name=b --filename=/dev/ublkb1 --direct=1 --ioengine=libaio --rw=write --bs=8k --iodepth=1 --number_ios=6 &
wait
`;

describe('two devices with the same queue and tag', () => {
  let open: OpenTrace;
  beforeAll(async () => {
    open = await simulated(TWO);
  });

  it('do not mix in the machine', () => {
    const { requests } = open;
    let [both, named] = [0, 0];
    for (let event = 0; event < open.length; event++) {
      const { rows } = open.inFlight.at(event, 10);
      const ofDevice = (device: string): number | undefined =>
        rows.find((row) => requests.deviceNames(row).includes(device));
      const [one, two] = [ofDevice('ublkb0'), ofDevice('ublkb1')];
      if (one === undefined || two === undefined) continue;
      both++;
      const { slots } = machineView(open, event, two);
      expect(slots.map(({ device }) => device)).toEqual(['ublk0', 'ublk1']);
      for (const [k, row] of [one, two].entries()) {
        const slot = slots[k]!;
        expect(slot.focused, `event ${event}`).toBe(row === two);
        if (slot.request < 0) continue;
        named++;
        expect(requests.deviceNames(slot.request)).toContain(k === 0 ? 'ublkb0' : 'ublkb1');
      }
    }
    expect(both).toBeGreaterThan(20);
    expect(named).toBeGreaterThan(20);
  });
});

describe('the lane of a server of queue depth 1', () => {
  it('is that of a daemon, also where it gets no request and the driver has no probes', async () => {
    const only = TWO.replace(/^fio --name=b.*\n/m, '');
    const { printer } = await simulated(only);
    const lines = printer.text().split('\n');
    const open = await fromText(lines.filter((line) => !/: (?:ublk_|sys_ublk)/.test(line)).join('\n'));
    const fetches = Array.from({ length: open.length }, (_, e) => e).filter(
      (e) => open.trace.nameOf(e) === 'io_uring_submit_sqe' && open.trace.big(e, 'user_data') === 0x200000n,
    );
    const { lanes } = timelineOf(open);
    const tasks = fetches.map((e) => lanes.all[lanes.of(e)]!);
    expect(new Set(tasks.map(({ name }) => name)).size).toBe(2);
    expect(tasks.map(({ kind }) => kind)).toEqual(['daemon', 'daemon']);
    // The tool that adds the devices sends commands too, but none of I/O.
    expect(lanes.all.filter(({ kind }) => kind === 'daemon')).toHaveLength(2);
  });
});

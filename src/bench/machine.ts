import { OpenTrace } from '../debug/model';
import { parseSession } from '../session/parse';
import { simulate } from '../simulate';
import { machineView } from '../view/machine';
import { busyTime, type Figure, spread } from './measure';
import type { Setting } from './setting';
import { randomPlaces } from './workloads';

/** Devices of 2 queues with 1024 tags each. */
const SLOTS_PER_DEVICE = 2048;
const SOURCE = {
  kind: 'text',
  path: 'bench',
  session: undefined,
  damaged: 0,
  firstDamaged: 0,
  unknown: 0,
  lost: 0,
  bytes: 0,
} as const;

/** The state at random events, and what the machine face draws: one event after the other, and at random events. */
export function* machineFigures({ sizes }: Setting): Generator<Figure> {
  for (const devices of [1, 5]) {
    const open = largeMachine(devices);
    const name = `machine of ${(devices * SLOTS_PER_DEVICE).toLocaleString('en')} slots`;
    const last = open.length - 1;
    open.states.seek(last);
    const draw = (e: number): void => void machineView(open, e, open.requests.requestOf(e));
    const anywhere = randomPlaces(sizes.seeks, open.length);
    const from = Math.floor(last * 0.8);
    const row = anywhere.map((_, k) => Math.min(last, from + k));
    yield figure(
      `view: state in a ${name}`,
      anywhere.map((e) => timed(() => open.states.at(e))),
      5,
    );
    yield figure(
      `view: step in a ${name}`,
      row.map((e) => timed(() => draw(e))),
      10,
    );
    yield figure(
      `view: jump in a ${name}`,
      anywhere.map((e) => timed(() => draw(e))),
    );
  }
}

function largeMachine(devices: number): OpenTrace {
  const text = `${'ublk add -t null -q 2 -d 1024\n'.repeat(devices)}fio --name=j --filename=/dev/ublkb0 --direct=1 --ioengine=libaio --rw=randread --bs=4k --iodepth=128 --number_ios=2000\n`;
  return new OpenTrace(simulate(parseSession(text, 'bench.ublk')).trace, SOURCE);
}

function timed(work: () => void): number {
  const start = busyTime();
  work();
  return busyTime() - start;
}

function figure(bench: string, ms: readonly number[], goal?: number): Figure {
  const { median, p95 } = spread(ms);
  const aim = goal === undefined ? {} : { goal };
  return { bench, unit: 'ms', better: 'lower', median, p95, runs: ms.length, ...aim };
}

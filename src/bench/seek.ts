import { finish } from '../trace/slices';
import { ChangeIndex, StateCache } from '../trace/state';
import { type Figure, spread, busyTime } from './measure';
import type { Setting } from './setting';
import { randomPlaces, readTrace, simulatedText } from './workloads';

/** Seeking the state at random events, at neighbours, and the last change of a value. */
export function* seekFigures({ sizes }: Setting): Generator<Figure> {
  const trace = readTrace(simulatedText(sizes.events).bytes);
  const cache = new StateCache(trace);
  const begin = busyTime();
  while (!cache.prepare(1 << 16));
  yield single('seek: prepare snapshots', [busyTime() - begin]);
  const places = randomPlaces(sizes.seeks + 20, trace.length);
  /** ms to show event n after event `from` was shown. */
  const time = (n: number, from = n): number => {
    if (from !== n) cache.seek(from);
    const start = busyTime();
    cache.at(n);
    return busyTime() - start;
  };
  for (const n of places.slice(0, 20)) time(n);
  const far = places.slice(20);
  const random = far.map((n) => time(n));
  yield single('seek: state at a random event', random, 5);
  const on = far.map((n) => time(n + 1, n));
  yield single('seek: one event on', on, 10);
  const back = far.map((n) => time(n - 1, n));
  yield single('seek: one event back', back, 10);
  const end = trace.length - 1;
  for (const path of PATHS) {
    const index = new ChangeIndex(cache);
    const [first, ...again] = [0, 1, 2, 3].map(() => {
      const start = busyTime();
      finish(index.nearest(path, end, -1));
      return busyTime() - start;
    });
    yield single(`seek: last change of ${path}, first time`, [first!]);
    yield single(`seek: last change of ${path}`, again, 50);
  }
}

/** The last change of values that change often, seldom and never. */
const PATHS = [
  'ring:0:cq.tail',
  'slot:0:3:state',
  'slot:0:3:command.ring',
  'device:0:state',
  'totals::punts',
];

function single(bench: string, ms: readonly number[], goal?: number): Figure {
  const { median, p95 } = spread(ms);
  const more = ms.length > 1 ? { p95 } : {};
  return {
    bench,
    unit: 'ms',
    better: 'lower',
    median,
    ...more,
    runs: ms.length,
    ...(goal === undefined ? {} : { goal }),
  };
}

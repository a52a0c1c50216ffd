import { OpenTrace } from '../debug/model';
import { finish } from '../trace/slices';
import { percentiles } from '../view/quantiles';
import { Slicer } from '../view/slice';
import { statistics } from '../view/statistics';
import { buildTimeline, type Timeline } from '../view/timeline';
import { busyTime, type Figure, spread } from './measure';
import type { Setting } from './setting';
import { randomPlaces, readTrace, simulatedText } from './workloads';

/** A screen of the timeline. */
const PIXELS = 1920;
const TRACKS = 40;

/** Building the timeline of a trace, and answering for a screen of it at all zooms. */
export function* viewFigures({ sizes }: Setting): Generator<Figure> {
  const trace = readTrace(simulatedText(sizes.events).bytes);
  const source = {
    kind: 'text',
    path: 'bench',
    session: undefined,
    damaged: 0,
    firstDamaged: 0,
    unknown: 0,
    lost: 0,
  } as const;
  const open = new OpenTrace(trace, { ...source, bytes: 0 });
  const slices: number[] = [];
  const begin = busyTime();
  const timeline = build(open, slices);
  yield single('view: build the timeline', [busyTime() - begin]);
  yield single('view: longest slice of the build', [Math.max(...slices)], 30);
  const slicer = new Slicer(open, timeline);
  const { length } = timeline.times;
  const tracks = timeline.tracks.kind.map((_, track) => track).slice(0, TRACKS);
  for (const share of [1, 0.1, 0.01, 0.001]) {
    const times = randomPlaces(sizes.seeks / 4, 1000).map((place) => {
      const width = length * share;
      const from = ((length - width) * place) / 1000;
      const start = busyTime();
      slicer.slice(from, from + width, width / PIXELS, tracks);
      return busyTime() - start;
    });
    yield single(`view: slice of ${share * 100} % on ${PIXELS} pixels`, times, 12);
  }
  const counted = [0, 1, 2].map(() => {
    const start = busyTime();
    finish(statistics(open, timeline, 0, length));
    return busyTime() - start;
  });
  yield single('view: statistics of everything', counted, 30);
  const column = Float64Array.from(randomPlaces(sizes.events, 1e9));
  const ranked = [0, 1, 2, 3, 4].map(() => {
    const start = busyTime();
    percentiles(column);
    return busyTime() - start;
  });
  yield single('view: p50, p90 and p99 of a row per event', ranked, 30);
}

/** Builds the timeline and notes how long each slice takes, ms. */
function build(open: OpenTrace, slices: number[]): Timeline {
  const work = buildTimeline(open);
  for (;;) {
    const start = busyTime();
    const step = work.next();
    slices.push(busyTime() - start);
    if (step.done === true) return step.value;
  }
}

function single(bench: string, ms: readonly number[], goal?: number): Figure {
  const { median, p95 } = spread(ms);
  const more = ms.length > 1 ? { p95 } : {};
  const aim = goal === undefined ? {} : { goal };
  return { bench, unit: 'ms', better: 'lower', median, ...more, runs: ms.length, ...aim };
}

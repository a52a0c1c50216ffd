import { Client } from '../../../src/webview/client';
import type { Ask, Requests, Tell } from '../../../src/webview/protocol';
import { PROTOCOL_VERSION } from '../../../src/webview/protocol';
import { Store } from '../../../src/webview/store';
import { type TimeRange, wholeRange } from '../../../src/webview/time_range';
import { Pane } from '../../../src/webview/timeline/pane';
import { clampRange } from '../../../src/webview/timeline/scale';
import { putTheme } from '../harness/themes';
import { hostOf, type Intervals, makeIntervals } from './data';

/** Times of one way of drawing, ms. */
export interface Timing {
  readonly open: number;
  readonly frames: number[];
  /** Slices that the host cut, ms and bytes each; only ours. */
  readonly slices: { ms: number; bytes: number }[];
}

interface VisTimeline {
  setWindow(from: number, to: number, options: { animation: boolean }): void;
  destroy(): void;
}

declare global {
  interface Window {
    bench: {
      ours(count: number, frames: number): Promise<Timing>;
      naive(count: number, frames: number): Promise<Timing>;
      vis(count: number, frames: number): Promise<Timing>;
    };
    vis?: {
      DataSet: new (items: unknown[]) => unknown;
      Timeline: new (box: HTMLElement, items: unknown, groups: unknown, options: object) => VisTimeline;
    };
  }
}

/** Each picture is drawn this often and its best time taken: what other programs use of the processor does not count. */
const ROUNDS = 4;

const frame = (): Promise<number> => new Promise((resolve) => requestAnimationFrame(resolve));
const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** What a person does: in from the whole trace to single requests, along, and out again. */
function pathOf(length: number, frames: number): TimeRange[] {
  const whole = wholeRange(length);
  return Array.from({ length: frames }, (_, k) => {
    const phase = (k / frames) * 3;
    const deep = phase < 1 ? phase : phase < 2 ? 1 : 3 - phase;
    const span = (whole.to - whole.from) * 20_000 ** -deep;
    const middle = length * (0.37 + 1e-5 * Math.max(0, Math.min(1, phase - 1)));
    return clampRange({ from: middle - span / 2, to: middle + span / 2 }, length);
  });
}

function box(): HTMLElement {
  document.body.replaceChildren();
  const made = document.createElement('div');
  made.style.cssText = 'position:absolute;inset:0;overflow:auto';
  document.body.append(made);
  return made;
}

/** Makes the browser draw what was recorded, so that the time counts. */
function flush(canvas: HTMLCanvasElement): void {
  canvas.getContext('2d')?.getImageData(0, 0, 1, 1);
}

async function ours(count: number, frames: number): Promise<Timing> {
  const { slicer, summary } = hostOf(makeIntervals(count));
  const slices: Timing['slices'] = [];
  let receive: (message: unknown) => void = () => undefined;
  let pending = 0;
  const answer = (ask: Ask): Requests[Ask['ask']]['answer'] => {
    if (ask.ask === 'hello') {
      const cursors = [{ event: 0, request: -1, time: 0, text: '', label: '' }];
      return {
        version: PROTOCOL_VERSION,
        traces: [summary],
        cursors,
        pins: [],
        view: undefined,
        strings: {},
      };
    }
    if (ask.ask !== 'slice') throw new Error(ask.ask);
    const before = performance.now();
    const slice = slicer.slice(ask.with.from, ask.with.to, ask.with.nsPerPixel, ask.with.tracks);
    const columns = [slice.spans, slice.marks, slice.counters].flatMap((part) => Object.values(part));
    const bytes = columns.reduce((sum, column: ArrayBufferView) => sum + column.byteLength, 0);
    slices.push({ ms: performance.now() - before, bytes });
    return slice;
  };
  const client = new Client({
    post: (ask) => {
      pending++;
      setTimeout(() => {
        pending--;
        receive(structuredClone({ id: ask.id, answer: answer(ask) } as Tell));
      });
    },
    listen: (callback) => {
      receive = callback;
      return () => undefined;
    },
  });
  const begin = performance.now();
  const store = new Store(client, { get: () => undefined, set: () => undefined });
  await store.start();
  const scroller = box();
  scroller.innerHTML =
    '<div style="position:sticky;top:0;height:100%"><canvas style="display:block"></canvas></div><div class="spacer"></div>';
  const pane = new Pane(store, 0, scroller, true);
  const canvas = scroller.querySelector('canvas')!;
  do await frame();
  while (pending > 0 || (pane.scene?.slices.size ?? 0) === 0);
  flush(canvas);
  const open = performance.now() - begin;
  const path = pathOf(summary.length, frames);
  const times = path.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [k, range] of path.entries()) {
      store.range.value = range;
      const before = performance.now();
      pane.drawNow();
      flush(canvas);
      times[k] = Math.min(times[k]!, performance.now() - before);
      await rest();
    }
  }
  pane.stop();
  return { open, frames: times, slices };
}

/** A canvas that draws every interval at every frame. */
async function naive(count: number, frames: number): Promise<Timing> {
  const intervals = makeIntervals(count);
  const begin = performance.now();
  const canvas = document.createElement('canvas');
  box().append(canvas);
  canvas.width = innerWidth;
  canvas.height = innerHeight;
  const context = canvas.getContext('2d', { alpha: false })!;
  const draw = (range: TimeRange): void => {
    drawAll(context, intervals, range);
    flush(canvas);
  };
  const path = pathOf(intervals.length, frames);
  draw(path[0]!);
  const open = performance.now() - begin;
  const times = path.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [k, range] of path.entries()) {
      const before = performance.now();
      draw(range);
      times[k] = Math.min(times[k]!, performance.now() - before);
      await rest();
    }
  }
  return { open, frames: times, slices: [] };
}

function drawAll(context: CanvasRenderingContext2D, intervals: Intervals, { from, to }: TimeRange): void {
  const { width, height } = context.canvas;
  const colours = ['#777', '#a80', '#85a', '#48c', '#494'];
  context.fillStyle = '#1f1f1f';
  context.fillRect(0, 0, width, height);
  const scale = width / (to - from);
  const { start, end, track, kind } = intervals;
  for (let k = 0; k < start.length; k++) {
    if (end[k]! < from || start[k]! > to) continue;
    context.fillStyle = colours[kind[k]!]!;
    context.fillRect(
      (start[k]! - from) * scale,
      track[k]! * 12,
      Math.max(1, (end[k]! - start[k]!) * scale),
      10,
    );
  }
}

/** vis-timeline over the same intervals; its times are milliseconds, so a nanosecond is taken for one. */
async function vis(count: number, frames: number): Promise<Timing> {
  const library = window.vis;
  if (library === undefined) throw new Error('vis-timeline is not loaded');
  const { start, end, track, kind, at, length } = makeIntervals(count);
  const items = Array.from(start, (_, k) => ({
    id: k,
    group: track[k]!,
    start: start[k]!,
    end: end[k]!,
    type: 'range',
    content: `${kind[k]}`,
  }));
  const groups = Array.from({ length: at.length - 1 }, (_, id) => ({ id, content: `tag ${id}` }));
  const begin = performance.now();
  const options = {
    stack: false,
    start: 0,
    end: length,
    zoomMin: 10,
    height: innerHeight,
    showCurrentTime: false,
  };
  const timeline = new library.Timeline(
    box(),
    new library.DataSet(items),
    new library.DataSet(groups),
    options,
  );
  await frame();
  await frame();
  const open = performance.now() - begin;
  const times: number[] = [];
  for (const { from, to } of pathOf(length, frames)) {
    const before = performance.now();
    timeline.setWindow(from, to, { animation: false });
    await frame();
    document.body.getBoundingClientRect();
    await frame();
    times.push(performance.now() - before);
  }
  timeline.destroy();
  return { open, frames: times, slices: [] };
}

putTheme(document, 'dark');
window.bench = { ours, naive, vis };

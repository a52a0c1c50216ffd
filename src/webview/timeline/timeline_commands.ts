import type { Command } from '../commands';
import type { Store } from '../store';
import { longest, type TimeRange, wholeRange } from '../time_range';
import { formatDuration, formatExact } from './format';
import type { Pane } from './pane';
import { clampRange, panBy, zoomAbout } from './scale';

/** How far one key moves or zooms. */
const PAN = 0.15;
const ZOOM = 0.75;

/** Runs a command of the timeline; false if it is none. */
export function timelineCommand(
  store: Store,
  panes: readonly Pane[],
  command: Command,
  glide: Glide,
): boolean {
  const length = longest(store.traces.peek());
  const range = store.range.peek();
  const pane = panes[store.active.peek()] ?? panes[0];
  switch (command) {
    case 'panLeft':
    case 'panRight':
      store.range.value = panBy(range, command === 'panLeft' ? -PAN : PAN, length);
      return true;
    case 'zoomIn':
    case 'zoomOut': {
      const factor = command === 'zoomIn' ? ZOOM : 1 / ZOOM;
      store.range.value = zoomAbout(range, anchor(store, range), factor, length);
      return true;
    }
    case 'up':
      pane?.scrollBy(-2);
      return true;
    case 'down':
      pane?.scrollBy(2);
      return true;
    case 'pageUp':
      pane?.page(-0.8);
      return true;
    case 'pageDown':
      pane?.page(0.8);
      return true;
    case 'fit':
      glide.to(fitted(store, glide.goal(), length));
      return true;
    case 'fitRequest':
      return fitRequest(store, length, glide);
    case 'measure':
      return measure(store);
    case 'measureVisible':
      measureRange(store, range);
      return true;
    case 'measureRequest':
      return measureRequest(store);
    default:
      return false;
  }
}

/** Zooming by key goes about the playhead where that is in view, else about the middle. */
function anchor(store: Store, range: TimeRange): number {
  const { time, event } = store.cursor.peek();
  return event >= 0 && time >= range.from && time <= range.to ? time : (range.from + range.to) / 2;
}

/** The whole trace; where that is shown already, the part in which nearly everything happens. */
function fitted(store: Store, range: TimeRange, length: number): TimeRange {
  const whole = wholeRange(length);
  const shown =
    Math.abs(range.from - whole.from) + Math.abs(range.to - whole.to) < (whole.to - whole.from) * 1e-6;
  return shown ? (store.busy.peek() ?? whole) : whole;
}

function fitRequest(store: Store, length: number, glide: Glide): boolean {
  const flow = store.flows.peek()[store.active.peek()];
  const first = flow?.time[0];
  const last = flow?.time[flow.time.length - 1];
  if (first === undefined || last === undefined) {
    const t = store.words.peek();
    store.say(t('No request is focused.'));
    return true;
  }
  const air = Math.max(20, (last - first) * 0.08);
  glide.to(clampRange({ from: first - air, to: last + air }, length));
  return true;
}

/** Sets one end of a range at the playhead; if there is one, measures from there to here. */
function measure(store: Store): boolean {
  const { time, event } = store.cursor.peek();
  const trace = store.active.peek();
  const mark = store.mark.peek();
  const t = store.words.peek();
  if (event < 0) return true;
  if (mark?.trace === trace && mark.time !== time) {
    measureRange(store, { from: Math.min(mark.time, time), to: Math.max(mark.time, time) });
    return true;
  }
  store.mark.value = { trace, time };
  store.say(t('One end is at {0}: go to the other and press M.', formatExact(time)));
  return true;
}

function measureRequest(store: Store): boolean {
  const flow = store.flows.peek()[store.active.peek()];
  const [from, to] = [flow?.time[0], flow?.time.at(-1)];
  const t = store.words.peek();
  if (from === undefined || to === undefined) store.say(t('No request is focused.'));
  else measureRange(store, { from, to: Math.max(to, from + 1) });
  return true;
}

/** Selects a range as far as the trace reaches. */
function measureRange(store: Store, { from, to }: TimeRange): void {
  const trace = store.active.peek();
  const length = Math.max(store.traces.peek()[trace]?.length ?? 0, 1);
  const [low, high] = [Math.max(0, Math.floor(from)), Math.min(length, Math.ceil(to))];
  if (low >= high) return;
  const t = store.words.peek();
  store.select({ trace, from: low, to: high });
  store.say(t('Measured {0}.', formatDuration(high - low)));
}

/** Moves the visible range there in a few frames, or at once where a person wants no motion. */
export interface Glide {
  to(range: TimeRange): void;
  /** The range that is shown, or on its way. */
  goal(): TimeRange;
}

export function makeGlide(store: Store, calm: () => boolean): Glide {
  let frame = 0;
  let goal: TimeRange | undefined;
  const go = (to: TimeRange): void => {
    cancelAnimationFrame(frame);
    goal = undefined;
    if (calm()) {
      store.range.value = to;
      return;
    }
    goal = to;
    const from = store.range.peek();
    const start = performance.now();
    const step = (now: number): void => {
      const share = Math.min(1, (now - start) / 180);
      const eased = 1 - (1 - share) ** 3;
      const between = (a: number, b: number): number => a + (b - a) * eased;
      store.range.value =
        share === 1 ? to : { from: between(from.from, to.from), to: between(from.to, to.to) };
      if (share < 1) frame = requestAnimationFrame(step);
      else goal = undefined;
    };
    frame = requestAnimationFrame(step);
  };
  return { to: go, goal: () => goal ?? store.range.peek() };
}

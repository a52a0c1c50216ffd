import type { Store } from '../store';
import { areaAt, asideAt, nearestEvent, placedAt, targetOf } from './hit';
import type { Pane } from './pane';
import { clampRange, panBy, zoomAbout } from './scale';

/** How far the pointer moves before a press is a drag, px. */
const SLACK = 4;

type Drag =
  | { readonly what: 'press'; readonly x: number; readonly y: number; readonly shift: boolean }
  | { readonly what: 'pan'; x: number; y: number }
  | { readonly what: 'select'; readonly from: number }
  | { readonly what: 'window' };

/** Mouse, pen and wheel over a timeline. Returns what stops listening. */
export function takeGestures(
  store: Store,
  pane: Pane,
  surface: HTMLElement,
  scroller: HTMLElement,
): () => void {
  let drag: Drag | undefined;
  const point = (event: MouseEvent): { x: number; y: number } => {
    const box = surface.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const length = (): number => store.traces.peek().reduce((most, trace) => Math.max(most, trace.length), 0);

  const leave = (): void => {
    pane.hover.value = undefined;
    pane.aside.value = undefined;
  };

  const down = (event: PointerEvent): void => {
    const { scene } = pane;
    if (scene === undefined || event.button !== 0) return;
    const { x, y } = point(event);
    store.active.value = pane.trace;
    surface.setPointerCapture(event.pointerId);
    if (areaAt(scene, x, y) === 'minimap') {
      drag = { what: 'window' };
      moveWindow(store, pane, x);
    } else drag = { what: 'press', x, y, shift: event.shiftKey || areaAt(scene, x, y) === 'ruler' };
    leave();
  };

  const move = (event: PointerEvent): void => {
    const { scene } = pane;
    if (scene === undefined) return;
    const { x, y } = point(event);
    if (drag === undefined) {
      const hit = pane.hitAt(x, y);
      const old = pane.hover.peek();
      if (hit?.item !== old?.item || hit?.what !== old?.what || hit?.index !== old?.index)
        pane.hover.value = hit;
      pane.aside.value = hit === undefined ? asideAt(scene, x, y) : undefined;
      surface.style.cursor =
        hit !== undefined ? 'pointer' : areaAt(scene, x, y) === 'ruler' ? 'text' : 'default';
      return;
    }
    if (drag.what === 'press' && Math.hypot(x - drag.x, y - drag.y) >= SLACK) {
      drag = drag.shift
        ? { what: 'select', from: scene.scale.time(drag.x) }
        : { what: 'pan', x: drag.x, y: drag.y };
      surface.style.cursor = drag.what === 'pan' ? 'grabbing' : 'col-resize';
    }
    if (drag.what === 'pan') {
      const way = (drag.x - x) * scene.scale.nsPerPixel;
      const { from, to } = store.range.peek();
      store.range.value = clampRange({ from: from + way, to: to + way }, length());
      scroller.scrollTop += drag.y - y;
      drag.x = x;
      drag.y = y;
    } else if (drag.what === 'select') {
      const to = scene.scale.time(Math.max(scene.scale.left, x));
      const [low, high] = drag.from < to ? [drag.from, to] : [to, drag.from];
      store.selection.value = {
        trace: pane.trace,
        from: Math.max(0, Math.round(low)),
        to: Math.min(Math.max(scene.length, 1), Math.round(high)),
      };
    } else if (drag.what === 'window') moveWindow(store, pane, x);
  };

  const up = (event: PointerEvent): void => {
    const ended = drag;
    drag = undefined;
    surface.style.cursor = 'default';
    if (ended?.what === 'select') {
      const selection = store.selection.peek();
      store.select(selection !== undefined && selection.to > selection.from ? selection : undefined);
    } else if (ended?.what === 'press' && event.type === 'pointerup') press(store, pane, point(event));
  };

  const wheel = (event: WheelEvent): void => {
    const { scene } = pane;
    if (scene === undefined) return;
    const unit = event.deltaMode === 0 ? 1 : scene.metrics.row;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      const { x } = point(event);
      const factor = 1.0025 ** (event.deltaY * unit);
      const time = scene.scale.time(Math.max(scene.scale.left, x));
      store.range.value = zoomAbout(store.range.peek(), time, Math.min(4, Math.max(0.25, factor)), length());
      return;
    }
    // Some systems turn shift and wheel into a sideways wheel themselves.
    const sideways = event.shiftKey ? event.deltaX || event.deltaY : event.deltaX;
    if (sideways === 0) return;
    event.preventDefault();
    store.range.value = panBy(store.range.peek(), (sideways * unit) / scene.scale.width, length());
  };

  surface.addEventListener('pointerdown', down);
  surface.addEventListener('pointermove', move);
  surface.addEventListener('pointerup', up);
  surface.addEventListener('pointercancel', up);
  surface.addEventListener('pointerleave', leave);
  surface.addEventListener('wheel', wheel, { passive: false });
  return () => {
    surface.removeEventListener('pointerdown', down);
    surface.removeEventListener('pointermove', move);
    surface.removeEventListener('pointerup', up);
    surface.removeEventListener('pointercancel', up);
    surface.removeEventListener('pointerleave', leave);
    surface.removeEventListener('wheel', wheel);
  };
}

/** Moves the visible range so that its middle is at a place of the minimap. */
function moveWindow(store: Store, pane: Pane, x: number): void {
  const { scene } = pane;
  if (scene === undefined) return;
  const { scale, length } = scene;
  const middle = ((x - scale.left) / scale.width) * Math.max(1, length);
  const half = (scale.to - scale.from) / 2;
  store.range.value = clampRange({ from: middle - half, to: middle + half }, length);
}

/** A click: moves the cursor, opens a group, or lets go of the focus. */
function press(store: Store, pane: Pane, { x, y }: { x: number; y: number }): void {
  const { scene } = pane;
  if (scene === undefined) return;
  const area = areaAt(scene, x, y);
  if (area === 'ruler') {
    const { event, request } = nearestEvent(scene, scene.scale.time(x));
    store.move(event, request, pane.trace);
    return;
  }
  const place = placedAt(scene, y);
  if (area === 'gutter' || place === undefined || place.row.track < 0) {
    if (place !== undefined && place.row.track < 0) pane.toggle(place.row.group);
    return;
  }
  const hit = pane.hitAt(x, y);
  if (hit === undefined) {
    store.select(undefined);
    return;
  }
  const { event, request } = targetOf(hit);
  store.move(event, request, pane.trace);
}

import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { Command } from '../commands';
import type { DrawnFace, Store } from '../store';
import { useValue } from '../use_signal';
import { nextZoom } from './zoom';

/** How far one key scrolls, as a share of what is in view, and one arrow, px. */
const PAGE = 0.8;
const SIDEWAYS = 0.3;
const LINE = 60;

/** A drawing in a box that scrolls. */
export interface Zoomed {
  readonly store: Store;
  readonly face: DrawnFace;
  readonly trace: number;
  readonly box: RefObject<HTMLElement | null>;
  /** The zoom at which all is in view; undefined: there is nothing to fit. */
  readonly fit: () => number | undefined;
}

/** Lets keys and Ctrl+wheel zoom and scroll a drawing; the zoom. What is in the middle stays there. */
export function useZoom({ store, face, trace, box, fit }: Zoomed): number {
  const zoom = useValue(store.zooms)[face];
  const fits = useRef(fit);
  fits.current = fit;
  useEffect(
    () =>
      store.onCommand((command) => {
        if (store.active.peek() !== trace) return false;
        if (command === 'fit') {
          const best = fits.current();
          if (best !== undefined) store.zoomTo(face, best === store.zooms.peek()[face] ? 1 : best);
          return true;
        }
        return zoomCommand(store, face, command) || scrollCommand(box.current, command);
      }),
    [store, face, trace],
  );
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const onWheel = (event: WheelEvent): void => {
      if (!event.ctrlKey || event.deltaY === 0) return;
      event.preventDefault();
      zoomCommand(store, face, event.deltaY < 0 ? 'zoomIn' : 'zoomOut');
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, [store, face]);
  const before = useRef(zoom);
  useLayoutEffect(() => {
    const element = box.current;
    const grown = zoom / before.current;
    before.current = zoom;
    if (element === null || grown === 1) return;
    const { clientWidth, clientHeight, scrollLeft, scrollTop } = element;
    element.scrollLeft = (scrollLeft + clientWidth / 2) * grown - clientWidth / 2;
    element.scrollTop = (scrollTop + clientHeight / 2) * grown - clientHeight / 2;
  }, [zoom]);
  return zoom;
}

function zoomCommand(store: Store, face: DrawnFace, command: Command): boolean {
  if (command !== 'zoomIn' && command !== 'zoomOut') return false;
  store.zoomTo(face, nextZoom(store.zooms.peek()[face], command === 'zoomIn' ? 1 : -1));
  return true;
}

function scrollCommand(box: HTMLElement | null, command: Command): boolean {
  if (box === null) return false;
  const { clientWidth, clientHeight } = box;
  switch (command) {
    case 'panLeft':
    case 'panRight':
      box.scrollBy({ left: (command === 'panLeft' ? -1 : 1) * clientWidth * SIDEWAYS });
      return true;
    case 'up':
    case 'down':
      box.scrollBy({ top: command === 'up' ? -LINE : LINE });
      return true;
    case 'pageUp':
    case 'pageDown':
      box.scrollBy({ top: (command === 'pageUp' ? -1 : 1) * clientHeight * PAGE });
      return true;
    default:
      return false;
  }
}

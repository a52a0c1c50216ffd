/** Sizes in which a drawing is shown, as factors; 1 is its own size. */
export const ZOOMS: readonly number[] = [0.5, 0.65, 0.8, 1, 1.25, 1.5, 2, 2.5, 3, 4];

/** Largest size that fitting chooses: a small drawing is not blown up without end. */
const LARGEST_FIT = 2;

/** The next larger or smaller size; the same at the ends. */
export function nextZoom(zoom: number, way: 1 | -1): number {
  const next = way > 0 ? ZOOMS.find((one) => one > zoom) : ZOOMS.findLast((one) => one < zoom);
  return next ?? zoom;
}

/** A size that was kept, if it is one. */
export function asZoom(value: unknown): number {
  return typeof value === 'number' && ZOOMS.includes(value) ? value : 1;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The largest size at which all of a drawing is in view; `sizeAt` lays it out for a zoom, in px of that zoom. undefined: none. */
export function fittingZoom(sizeAt: (zoom: number) => Size, room: Size): number | undefined {
  return ZOOMS.filter((zoom) => zoom <= LARGEST_FIT).findLast((zoom) => {
    const { width, height } = sizeAt(zoom);
    return width * zoom <= room.width && height * zoom <= room.height;
  });
}

/**
 * Width for which a drawing is laid out so that, shown at `zoom`, it fills `width` px. It is not pressed below `least`, the width of its
 * own form, while that fits at its own size: it grows beyond the window instead, and is scrolled.
 */
export function layoutWidth(width: number, zoom: number, least: number): number {
  return Math.floor(Math.max(width / zoom, Math.min(width, least)));
}

import type { CursorState, Flow, Ties, Tracks } from '../protocol_data';
import type { TimeRange } from '../time_range';
import type { Words } from '../words';
import type { Palette } from './palette';
import type { Row, Rows } from './rows';
import type { Scale } from './scale';
import type { SliceIndex } from './slice_index';

/** Heights and widths of the fixed parts of a timeline, px; they follow the font size. */
export interface Metrics {
  /** Width of the names at the left. */
  readonly gutter: number;
  readonly minimap: number;
  readonly ruler: number;
  readonly legend: number;
  readonly row: number;
  /** Strip below the rows of a track that holds its marks. */
  readonly markStrip: number;
  readonly counter: number;
  readonly group: number;
  readonly text: number;
  readonly small: number;
}

/** Sizes for a font size and a width, without a legend; narrow views give names less room. */
export function metricsOf(fontSize: number, width: number): Metrics {
  const em = (share: number): number => Math.round(fontSize * share);
  return {
    gutter: Math.round(Math.min(em(14), Math.max(em(6.5), width * 0.2))),
    minimap: em(2.6),
    ruler: em(1.9),
    legend: 0,
    row: em(1.28),
    markStrip: em(0.52),
    counter: em(2.3),
    group: em(1.85),
    text: em(0.86),
    small: em(0.8),
  };
}

/** Density of the whole trace for the minimap. */
export interface Overview {
  /** Events (spans and marks) per bin. */
  readonly counts: Float64Array;
  /** Events of requests per bin. */
  readonly requests: Float64Array;
  readonly most: number;
  /** Bins with errors or broken rules. */
  readonly errors: Uint8Array;
}

/** A point of interest under the pointer. */
export interface Hit {
  readonly what: 'span' | 'mark';
  readonly index: SliceIndex;
  readonly item: number;
  readonly track: number;
}

/** A track under the pointer: its name at the left, or a counter at a time. */
export interface Aside {
  readonly track: number;
  /** px. */
  readonly x: number;
  readonly y: number;
  /** ns; undefined over the name. */
  readonly time: number | undefined;
}

/** Everything that one drawing of a timeline needs. */
export interface Scene {
  readonly width: number;
  readonly height: number;
  readonly palette: Palette;
  readonly metrics: Metrics;
  readonly scale: Scale;
  readonly tracks: Tracks;
  readonly pinned: Rows;
  readonly rows: Rows;
  readonly scrollTop: number;
  /** Slices to draw from, each with the tracks that it serves best. */
  readonly slices: ReadonlyMap<SliceIndex, readonly number[]>;
  readonly overview: Overview | undefined;
  /** Length of the trace, ns. */
  readonly length: number;
  readonly cursor: CursorState;
  readonly flow: Flow | undefined;
  readonly ties?: Ties | undefined;
  readonly selection: TimeRange | undefined;
  /** One end of a range that is being measured, ns. */
  readonly mark?: number | undefined;
  readonly hover: Hit | undefined;
  readonly words: Words;
}

/** A row and where its top is on the screen. */
export interface Placed {
  readonly row: Row;
  readonly y: number;
  readonly pinned: boolean;
}

/** Height of what does not scroll: minimap, ruler and pinned tags. */
export function topOf(scene: Pick<Scene, 'metrics' | 'pinned' | 'height'>): number {
  return scene.metrics.minimap + scene.metrics.ruler + pinnedHeight(scene);
}

/** Pinned tags take at most two fifths of the view. */
export function pinnedHeight(scene: Pick<Scene, 'pinned' | 'height'>): number {
  return Math.min(scene.pinned.height, Math.floor(scene.height * 0.4));
}

/** The pinned rows on the screen. */
export function placedPins(scene: Scene): Placed[] {
  const top = scene.metrics.minimap + scene.metrics.ruler;
  const rows = scene.pinned.between(0, pinnedHeight(scene) - 1);
  return rows.map((row) => ({ row, y: top + row.y, pinned: true }));
}

/** The rows on the screen that scroll. */
export function placedRows(scene: Scene): Placed[] {
  const top = topOf(scene);
  const room = scene.height - top - scene.metrics.legend;
  if (room <= 0) return [];
  const rows = scene.rows.between(scene.scrollTop, scene.scrollTop + room);
  return rows.map((row) => ({ row, y: top + row.y - scene.scrollTop, pinned: false }));
}

/**
 * The edges of a track's first line of spans on the screen, in view or not; undefined: it is not in the stack. For a track of
 * a closed group those of the heading.
 */
export function trackEdges(scene: Scene, track: number): { top: number; bottom: number } | undefined {
  const { metrics } = scene;
  const pin = scene.pinned.of(track);
  if (pin !== undefined && pin.y < pinnedHeight(scene)) {
    const y = metrics.minimap + metrics.ruler + pin.y;
    return { top: y + 1, bottom: y + metrics.row - 1 };
  }
  const row = scene.rows.of(track);
  if (row === undefined) return undefined;
  const y = topOf(scene) + row.y - scene.scrollTop;
  return { top: y + 1, bottom: y + (row.track < 0 ? row.height : metrics.row) - 1 };
}

/** Whether the first line of a track, or the heading that hides it, is on the screen. */
export function isInView(scene: Scene, track: number): boolean {
  if (scene.pinned.of(track) !== undefined) return true;
  const edges = trackEdges(scene, track);
  const bottom = scene.height - scene.metrics.legend;
  return edges !== undefined && edges.top >= topOf(scene) && edges.bottom <= bottom;
}

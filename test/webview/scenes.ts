import type { CursorState, Flow, Slice, Tracks } from '../../src/webview/protocol_data';
import { legendHeight } from '../../src/webview/timeline/legend';
import { SvgPainter } from '../../src/webview/timeline/painter_svg';
import { PAPER, paletteOf } from '../../src/webview/timeline/palette';
import { Rows, stackOrder } from '../../src/webview/timeline/rows';
import { Scale } from '../../src/webview/timeline/scale';
import { metricsOf, type Scene } from '../../src/webview/timeline/scene';
import { indexSlice } from '../../src/webview/timeline/slice_index';
import type { TimeRange } from '../../src/webview/time_range';

export interface SceneParts {
  readonly tracks: Tracks;
  readonly slice: Slice;
  readonly range?: TimeRange;
  readonly length?: number;
  readonly cursor?: Partial<CursorState>;
  readonly flow?: Flow;
  readonly pins?: readonly number[];
  readonly collapsed?: readonly string[];
  readonly scrollTop?: number;
  readonly mark?: number;
}

/** A drawing of 1000 by 500 pixels on paper. */
export function sceneOf(parts: SceneParts): Scene {
  const { tracks, slice, range = { from: 0, to: 1000 }, length = 1000 } = parts;
  const palette = paletteOf(PAPER);
  const words = (text: string): string => text;
  const bare = metricsOf(13, 1000);
  const painter = new SvgPainter(1000, 500, PAPER.fontFamily);
  const metrics = { ...bare, legend: legendHeight(painter, { palette, metrics: bare, width: 1000, words }) };
  const heights = {
    row: metrics.row,
    strip: metrics.markStrip,
    counter: metrics.counter,
    group: metrics.group,
  };
  const all = [...tracks.kind.keys()];
  return {
    width: 1000,
    height: 500,
    palette,
    metrics,
    scale: new Scale(range, metrics.gutter, 1000 - metrics.gutter),
    tracks,
    pinned: new Rows(tracks, parts.pins ?? [], heights, undefined),
    rows: new Rows(tracks, stackOrder(tracks), heights, new Set(parts.collapsed)),
    scrollTop: parts.scrollTop ?? 0,
    slices: new Map([[indexSlice(slice, tracks.kind.length), all]]),
    overview: undefined,
    length,
    cursor: { event: 0, request: -1, time: 0, text: '', label: '', ...parts.cursor },
    flow: parts.flow,
    selection: undefined,
    mark: parts.mark,
    hover: undefined,
    words,
  };
}

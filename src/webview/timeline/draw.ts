import { drawGround, drawGutter, drawMark, drawMinimap, drawPlayhead, drawRuler } from './draw_frame';
import { drawLegend } from './legend';
import { drawTracks } from './draw_tracks';
import { drawTies } from './draw_ties';
import type { Painter } from './painter';
import { placedPins, placedRows, type Scene, topOf, trackEdges } from './scene';

/** Draws a timeline from back to front. */
export function drawScene(painter: Painter, scene: Scene): void {
  const { width, height, palette, metrics, scale } = scene;
  const pins = placedPins(scene);
  const rows = placedRows(scene);
  const top = topOf(scene);
  const bottom = height - metrics.legend;
  const pinTop = metrics.minimap + metrics.ruler;
  painter.fill(0, 0, width, height, palette.background);
  painter.within(0, top, width, bottom - top, () => {
    drawGround(painter, scene, rows);
    painter.within(scale.left, top, scale.width, bottom - top, () => drawTracks(painter, scene, rows));
    drawGutter(painter, scene, rows);
  });
  if (pins.length > 0) {
    painter.within(0, pinTop, width, top - pinTop, () => {
      painter.fill(0, pinTop, width, top - pinTop, palette.background);
      drawGround(painter, scene, pins);
      painter.within(scale.left, pinTop, scale.width, top - pinTop, () => drawTracks(painter, scene, pins));
      drawGutter(painter, scene, pins);
    });
    painter.fill(0, top - 2, width, 2, palette.border);
  }
  painter.fill(metrics.gutter - 1, pinTop, 1, bottom - pinTop, palette.border);
  painter.within(scale.left, pinTop, scale.width, bottom - pinTop, () => {
    drawTies(painter, scene);
    drawFlow(painter, scene);
  });
  drawMinimap(painter, scene);
  drawRuler(painter, scene);
  drawMark(painter, scene);
  drawPlayhead(painter, scene);
  drawLegend(painter, scene);
}

/** The focused request's way from lane to lane, from edge to edge so that labels stay free. Steps within a lane need no arrow. */
function drawFlow(painter: Painter, scene: Scene): void {
  const { flow, scale, palette } = scene;
  if (flow === undefined) return;
  const seen = new Set<string>();
  const thick = palette.highContrast ? 2 : 1.5;
  for (let k = 0; k + 1 < flow.arrows.length; k += 2) {
    const cause = flow.arrows[k]!;
    const effect = flow.arrows[k + 1]!;
    const x1 = scale.x(flow.time[cause]!);
    const x2 = scale.x(flow.time[effect]!);
    const from = trackEdges(scene, flow.track[cause]!);
    const to = trackEdges(scene, flow.track[effect]!);
    if (from === undefined || to === undefined || from.top === to.top) continue;
    if (Math.max(x1, x2) < scale.left || Math.min(x1, x2) > scale.left + scale.width) continue;
    const down = to.top > from.top;
    const y1 = down ? from.bottom : from.top;
    const y2 = down ? to.top : to.bottom;
    const key = [x1 / 3, y1, x2 / 3, y2].map(Math.round).join(' ');
    if (seen.has(key)) continue;
    seen.add(key);
    painter.arrow(x1, y1, x2, y2, palette.focus, thick);
    painter.shape('dot', x1, y1, 5, palette.focus);
  }
}

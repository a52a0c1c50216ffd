import { TIE_KINDS } from '../protocol_data';
import type { Painter } from './painter';
import { type Scene, trackEdges } from './scene';

/** Links and drains between requests: an arrow from the end of one to where the other goes on; a cross where a chain broke. */
export function drawTies(painter: Painter, scene: Scene): void {
  const { ties, scale, palette } = scene;
  if (ties === undefined) return;
  const thick = palette.highContrast ? 2 : 1;
  for (let k = 0; k < ties.kind.length; k++) {
    const x1 = scale.x(ties.fromTime[k]!);
    const x2 = scale.x(ties.toTime[k]!);
    const from = trackEdges(scene, ties.fromTrack[k]!);
    const to = trackEdges(scene, ties.toTrack[k]!);
    if (from === undefined || to === undefined || from.top === to.top) continue;
    if (Math.max(x1, x2) < scale.left || Math.min(x1, x2) > scale.left + scale.width) continue;
    const down = to.top > from.top;
    const y1 = down ? from.bottom : from.top;
    const y2 = down ? to.top : to.bottom;
    const kind = TIE_KINDS[ties.kind[k]!];
    const colour =
      kind === 'link' ? palette.foreground : kind === 'drain' ? palette.muted : palette.marks.error.colour;
    painter.arrow(x1, y1, x2, y2, colour, thick);
    painter.shape(kind === 'link' ? 'dot' : kind === 'drain' ? 'square' : 'cross', x1, y1, 6, colour);
  }
}

import { counterAt } from './draw_tracks';
import { formatExact } from './format';
import type { Painter, TextLook } from './painter';
import type { Row } from './rows';
import { rulerOf } from './ruler';
import type { Placed, Scene } from './scene';

/** Lines behind everything: ticks, rows, headings, the selected range. */
export function drawGround(painter: Painter, scene: Scene, placed: readonly Placed[]): void {
  const { scale, palette, metrics, width, height } = scene;
  const top = metrics.minimap + metrics.ruler;
  if (scene.selection !== undefined) {
    const from = Math.max(scale.left, scale.x(scene.selection.from));
    painter.fill(from, top, Math.max(0, scale.x(scene.selection.to) - from), height - top, palette.selection);
  }
  for (const tick of rulerOf(scale, metrics.text * 8).ticks) {
    const inside = tick.x >= scale.left && tick.x <= width;
    if (tick.label !== '' && inside) painter.fill(Math.round(tick.x), top, 1, height - top, palette.grid);
  }
  for (const { row, y } of placed) {
    if (row.track < 0) painter.fill(0, y, width, row.height, palette.heading);
    painter.fill(0, Math.round(y + row.height) - 1, width, 1, palette.grid);
  }
}

/** Names at the left, over whatever reaches there. */
export function drawGutter(painter: Painter, scene: Scene, placed: readonly Placed[]): void {
  const { metrics, palette, tracks } = scene;
  const look = { colour: palette.foreground, size: metrics.text };
  const quiet = { colour: palette.muted, size: metrics.small, align: 'right' } as const;
  for (const { row, y, pinned } of placed) {
    const middle = y + (row.track < 0 ? row.height : Math.min(row.height, metrics.row + 4)) / 2;
    if (row.track < 0) {
      painter.fill(0, y, metrics.gutter, row.height - 1, palette.heading);
      drawChevron(painter, scene, y + row.height / 2, row.collapsed);
      if (row.collapsed && hidesCursor(scene, row)) drawHidden(painter, scene, y, row.height);
      const bold = { ...look, weight: 'bold' } as const;
      const room = scene.width - metrics.text * 2;
      painter.text(row.group, metrics.text * 1.7, middle, room, bold);
      const used = painter.measure(row.group, bold) + metrics.text * 2.3;
      painter.text(String(row.members), used, middle, room - used, { ...quiet, align: 'left' });
      continue;
    }
    painter.fill(0, y, metrics.gutter, row.height - 1, palette.background);
    const name = pinned ? `${tracks.group[row.track]} ${tracks.name[row.track]}` : tracks.name[row.track]!;
    const value = tracks.kind[row.track] === 'counter' ? counterText(scene, row.track) : '';
    const used = value === '' ? 0 : painter.measure(value, quiet) + 8;
    painter.text(name, metrics.text, middle, metrics.gutter - metrics.text - 6 - used, look);
    painter.text(value, metrics.gutter - 6, middle, used, quiet);
  }
}

/** Whether the event of the cursor happened in a lane that a heading hides. */
function hidesCursor({ cursor, rows }: Scene, row: Row): boolean {
  return cursor.event >= 0 && cursor.lane !== undefined && rows.of(cursor.lane) === row;
}

/** Marks a heading behind which the event of the cursor happened. */
function drawHidden(painter: Painter, { cursor, scale, palette }: Scene, y: number, height: number): void {
  painter.fill(0, y, 4, height - 1, palette.focus);
  const x = scale.x(cursor.time);
  if (x >= scale.left && x <= scale.left + scale.width)
    painter.shape('ring', x, y + height / 2, height * 0.5, palette.focus);
}

/** A counter's value at the playhead, of its most. */
function counterText(scene: Scene, track: number): string {
  const most = scene.tracks.max[track]!;
  const value = scene.cursor.event < 0 ? undefined : counterAt(scene, track, scene.cursor.time);
  return value === undefined ? `≤ ${most}` : `${value} / ${most}`;
}

function drawChevron(painter: Painter, scene: Scene, y: number, collapsed: boolean): void {
  const { metrics, palette } = scene;
  const x = metrics.text * 0.9;
  const r = metrics.text * 0.28;
  const points = collapsed
    ? [x - r / 2, y - r, x + r / 2, y, x - r / 2, y + r]
    : [x - r, y - r / 2, x, y + r / 2, x + r, y - r / 2];
  painter.lines(points, palette.foreground, 1.5);
}

/** The plate in the ruler that says the cursor's time; undefined where the cursor is out of view. */
function plateOf(painter: Painter, scene: Scene): { text: string; left: number; room: number } | undefined {
  const { scale, cursor, width } = scene;
  const x = scale.x(cursor.time);
  if (cursor.event < 0 || x < scale.left - 1 || x > scale.left + scale.width + 1) return undefined;
  const text = formatExact(cursor.time);
  const room = painter.measure(text, plateLook(scene)) + 10;
  return { text, left: Math.min(Math.max(scale.left, x - room / 2), width - room), room };
}

function plateLook({ palette, metrics }: Scene): TextLook {
  return { colour: palette.background, size: metrics.small, weight: 'bold' };
}

/** Time along the top. */
export function drawRuler(painter: Painter, scene: Scene): void {
  const { scale, palette, metrics, width } = scene;
  const top = metrics.minimap;
  const { ticks, base } = rulerOf(scale, metrics.text * 8);
  const plate = plateOf(painter, scene);
  painter.fill(0, top, width, metrics.ruler, palette.background);
  painter.fill(0, top + metrics.ruler - 1, width, 1, palette.border);
  const look = { colour: palette.muted, size: metrics.small };
  painter.within(scale.left, top, scale.width, metrics.ruler, () => {
    for (const tick of ticks) {
      const size = tick.label === '' ? 4 : 8;
      const colour = tick.label === '' ? palette.border : palette.muted;
      painter.fill(Math.round(tick.x), top + metrics.ruler - 1 - size, 1, size, colour);
      const end = tick.x + 4 + painter.measure(tick.label, look);
      const hidden = plate !== undefined && end > plate.left && tick.x < plate.left + plate.room;
      const fits = tick.label !== '' && tick.x >= scale.left - 1 && end <= width && !hidden;
      if (fits) painter.text(tick.label, tick.x + 4, top + metrics.ruler / 2 - 1, 200, look);
    }
  });
  if (base > 0) {
    const text = `${formatExact(base)} +`;
    painter.text(text, metrics.gutter - 6, top + metrics.ruler / 2, metrics.gutter - 8, {
      ...look,
      align: 'right',
    });
  }
}

/** One end of a range that waits for the other: a dashed line with a flag in the ruler. */
export function drawMark(painter: Painter, scene: Scene): void {
  const { mark, scale, palette, metrics, height } = scene;
  const x = mark === undefined ? -1 : Math.round(scale.x(mark));
  if (x < scale.left - 1 || x > scale.left + scale.width + 1) return;
  const top = metrics.minimap;
  const bottom = height - metrics.legend;
  painter.fill(x - 1, top, 2, metrics.ruler, palette.focus);
  for (let y = top + metrics.ruler; y < bottom; y += 10)
    painter.fill(x - 1, y, 2, Math.min(6, bottom - y), palette.focus);
  painter.area([x, top + 1, x + 9, top + 5, x, top + 9], palette.focus);
}

/** The cursor: a line through everything, its time on a plate in the ruler. */
export function drawPlayhead(painter: Painter, scene: Scene): void {
  const { scale, palette, metrics, cursor, height } = scene;
  const plate = plateOf(painter, scene);
  if (plate === undefined) return;
  const x = scale.x(cursor.time);
  const top = metrics.minimap + metrics.ruler;
  const colour = palette.foreground;
  painter.fill(Math.round(x) - 1, top - 2, 2, height - metrics.legend - top + 2, colour);
  painter.fill(plate.left, metrics.minimap + 2, plate.room, metrics.ruler - 6, colour);
  painter.area([x - 4, top - 5, x + 4, top - 5, x, top], colour);
  painter.text(
    plate.text,
    plate.left + 5,
    metrics.minimap + metrics.ruler / 2 - 1,
    plate.room,
    plateLook(scene),
  );
}

/** The whole trace in one strip: how much happens when, and the window of what is visible. */
export function drawMinimap(painter: Painter, scene: Scene): void {
  const { scale, palette, metrics, overview, length, width } = scene;
  const height = metrics.minimap;
  painter.fill(0, 0, width, height, palette.background);
  const whole = Math.max(1, length);
  const place = (time: number): number => scale.left + (time / whole) * scale.width;
  if (overview !== undefined && overview.most > 0) {
    const bins = overview.counts.length;
    const step = scale.width / bins;
    const most = Math.log1p(overview.most);
    for (let k = 0; k < bins; k++) {
      const count = overview.counts[k]!;
      const x = scale.left + k * step;
      if (count > 0) {
        const bar = Math.max(2, (Math.log1p(count) / most) * (height - 8));
        painter.fill(x, height - 3 - bar, Math.max(1, step - 0.5), bar, palette.muted);
      }
      if (overview.errors[k] === 1) painter.shape('down', x + step / 2, 5, 7, palette.marks.error.colour);
    }
  }
  const from = Math.max(scale.left, place(scale.from));
  const to = Math.min(scale.left + scale.width, place(scale.to));
  painter.outline(
    from - 1,
    1,
    Math.max(4, to - from + 2),
    height - 2,
    palette.focus,
    palette.highContrast ? 2 : 1,
  );
  painter.fill(from - 1, 1, Math.max(4, to - from + 2), 3, palette.focus);
  if (scene.cursor.event >= 0)
    painter.fill(Math.round(place(scene.cursor.time)), 2, 1, height - 4, palette.foreground);
  painter.fill(0, height - 1, width, 1, palette.border);
  const t = scene.words;
  painter.text(t('Whole trace'), metrics.text, height / 2, metrics.gutter - metrics.text - 4, {
    colour: palette.muted,
    size: metrics.small,
  });
}

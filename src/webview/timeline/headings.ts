import { placedRows, type Scene, topOf } from './scene';

/** A group's heading where it lies on the screen, for the button over it. */
export interface Heading {
  readonly group: string;
  readonly y: number;
  readonly height: number;
  readonly collapsed: boolean;
}

/** The headings on the screen, as far as they are not below what does not scroll. */
export function headingsOf(scene: Scene): Heading[] {
  const top = topOf(scene);
  return placedRows(scene)
    .filter(({ row, y }) => row.track < 0 && y + row.height / 2 > top)
    .map(({ row, y }) => ({ group: row.group, y, height: row.height, collapsed: row.collapsed }));
}

export function sameHeadings(old: readonly Heading[], next: readonly Heading[]): boolean {
  return (
    old.length === next.length &&
    old.every(({ group, y, collapsed }, k) => {
      const other = next[k]!;
      return group === other.group && y === other.y && collapsed === other.collapsed;
    })
  );
}

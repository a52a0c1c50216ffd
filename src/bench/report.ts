import type { Figure } from './measure';

/** One figure as a JSON line. */
export function jsonLine(figure: Figure): string {
  return JSON.stringify(figure, (_, value: unknown) =>
    typeof value === 'number' ? Number(value.toPrecision(4)) : value,
  );
}

/** All figures as an aligned table; `!` marks those that miss their goal. */
export function table(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.bench,
    short(figure.median),
    figure.unit,
    figure.p95 === undefined ? '' : short(figure.p95),
    figure.goal === undefined ? '' : `${figure.better === 'higher' ? '>=' : '<='} ${short(figure.goal)}`,
    missed(figure) ? '!' : '',
    figure.peer === undefined ? '' : `${short(figure.ratio ?? 0)}x ${figure.peer.name}`,
  ]);
  rows.unshift(['bench', 'median', 'unit', 'p95', 'goal', '', 'against']);
  const widths = rows[0]!.map((_, k) => Math.max(...rows.map((row) => row[k]!.length)));
  const right = new Set([1, 3]);
  return rows
    .map((row) =>
      row
        .map((cell, k) => (right.has(k) ? cell.padStart(widths[k]!) : cell.padEnd(widths[k]!)))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** Whether the median misses its goal; where single operations are timed, their 95th percentile. */
function missed({ goal, better, median, p95 }: Figure): boolean {
  if (goal === undefined) return false;
  return better === 'higher' ? median < goal : (p95 ?? median) > goal;
}

/** A number with about three digits: 1.23 M, 456 k, 7.89. */
function short(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
  if (value >= 1e4) return `${(value / 1e3).toFixed(0)} k`;
  if (value >= 100) return value.toFixed(0);
  return String(Number(value.toPrecision(3)));
}

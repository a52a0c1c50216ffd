import type { Output } from './output';
import { writeTable } from './table';
import type { Paint } from './terminal';

type Plain = null | boolean | number | string | readonly Plain[] | { readonly [key: string]: Plain };

/** Longest list of plain values that is shown in one cell. */
const LISTED = 8;

/**
 * Writes plain data as text: each list of objects as a table under its name, everything else as `name: value` lines first.
 * Objects within a row become columns `outer.inner`. What is not known is shown as `?`.
 */
export async function writeState(output: Output, paint: Paint, state: object): Promise<void> {
  const tables: [string, Readonly<Record<string, Plain>>[]][] = [];
  for (const [name, value] of Object.entries(state) as [string, Plain][]) {
    if (isRows(value)) tables.push([name, value.map((row) => flat(row))]);
    else if (isObject(value)) tables.push([name, [flat(value)]]);
    else if (!Array.isArray(value)) await output.write(`${paint.bold(name)}: ${cell(value)}\n`);
  }
  for (const [name, rows] of tables) {
    const heads = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    await output.write(`\n${paint.bold(name)} (${rows.length})\n`);
    const columns = heads.map((head) => ({
      head,
      align: rows.every((row) => typeof (row[head] ?? 0) === 'number')
        ? ('right' as const)
        : ('left' as const),
      text: (row: Readonly<Record<string, Plain>>) => cell(row[head] ?? null),
    }));
    await writeTable(output, paint, columns, () => rows);
  }
}

function isObject(value: Plain): value is { readonly [key: string]: Plain } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isRows(value: Plain): value is { readonly [key: string]: Plain }[] {
  return Array.isArray(value) && value.length > 0 && value.every(isObject);
}

function flat(row: { readonly [key: string]: Plain }, prefix = ''): Record<string, Plain> {
  const cells: [string, Plain][] = [];
  for (const [name, value] of Object.entries(row)) {
    if (isObject(value)) cells.push(...Object.entries(flat(value, `${prefix}${name}.`)));
    else cells.push([`${prefix}${name}`, value]);
  }
  return Object.fromEntries(cells);
}

function cell(value: Plain): string {
  if (value === null) return '?';
  if (Array.isArray(value)) {
    const shown = value.slice(0, LISTED).map((item) => (isObject(item) ? `{${pairs(item)}}` : cell(item)));
    const more = value.length > LISTED ? ` +${value.length - LISTED}` : '';
    return shown.length === 0 ? '-' : `${shown.join(' ')}${more}`;
  }
  return isObject(value) ? pairs(value) : String(value);
}

function pairs(value: { readonly [key: string]: Plain }): string {
  return Object.entries(value)
    .map(([name, inner]) => `${name}=${cell(inner)}`)
    .join(' ');
}

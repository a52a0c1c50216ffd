import type { Output } from './output';
import type { Paint } from './terminal';

/** One column of a table made of rows of type R. */
export interface Column<R> {
  readonly head: string;
  readonly align: 'left' | 'right';
  readonly text: (row: R) => string;
  /** How a cell is coloured; the text is already padded. */
  readonly paint?: (row: R, padded: string) => string;
}

/** Rows looked at to find the widths; a wider cell below them shifts its line. */
const MEASURED = 20_000;

/** Writes rows as aligned columns, row by row, so that any number of rows fits in memory. */
export async function writeTable<R>(
  output: Output,
  paint: Paint,
  columns: readonly Column<R>[],
  rows: () => Iterable<R>,
): Promise<void> {
  const widths = columns.map((column) => column.head.length);
  let seen = 0;
  for (const row of rows()) {
    if (seen++ === MEASURED) break;
    for (const [k, column] of columns.entries()) widths[k] = Math.max(widths[k]!, column.text(row).length);
  }
  const line = (cell: (column: Column<R>, pad: (text: string) => string) => string): string =>
    `${columns.map((column, k) => cell(column, (text) => padded(text, widths[k]!, column, k === columns.length - 1))).join('  ')}\n`;
  await output.write(line((column, pad) => paint.bold(pad(column.head))));
  for (const row of rows()) {
    await output.write(
      line((column, pad) => {
        const text = pad(column.text(row));
        return column.paint ? column.paint(row, text) : text;
      }),
    );
  }
}

function padded<R>(text: string, width: number, column: Column<R>, last: boolean): string {
  if (column.align === 'right') return text.padStart(width);
  return last ? text : text.padEnd(width);
}

/** Writes one JSON array, an element per line, without holding all of it. */
export async function jsonArray(output: Output, elements: Iterable<unknown>): Promise<void> {
  let before = '[\n';
  for (const element of elements) {
    await output.write(`${before}${JSON.stringify(element)}`);
    before = ',\n';
  }
  await output.write(before === '[\n' ? '[]\n' : '\n]\n');
}

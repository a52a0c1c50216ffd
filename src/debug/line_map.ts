/** Most cells of the table of the longest common subsequence; larger middles are taken for changed. */
const MOST_CELLS = 4 << 20;

/** Which lines of two versions of a text are the same line: those that nobody changed, in order. Lines count from 1. */
export class LineMap {
  private readonly laterOf: readonly number[];
  private readonly earlierOf: readonly number[];

  constructor(earlier: string, later: string) {
    const [a, b] = [linesOf(earlier), linesOf(later)];
    const laterOf: number[] = [];
    const earlierOf: number[] = [];
    for (const [i, j] of pairs(a, b)) {
      laterOf[i + 1] = j + 1;
      earlierOf[j + 1] = i + 1;
    }
    this.laterOf = laterOf;
    this.earlierOf = earlierOf;
  }

  /** Where a line of the earlier text stands in the later one; undefined for one that was changed or taken out. */
  later(line: number): number | undefined {
    return this.laterOf[line];
  }

  /** Where a line of the later text stood in the earlier one; undefined for one that was changed or put in. */
  earlier(line: number): number | undefined {
    return this.earlierOf[line];
  }
}

/** Blanks at the end of a line mean nothing in a session. */
function linesOf(text: string): string[] {
  return text.split(/\r\n?|\n/).map((line) => line.trimEnd());
}

/** Pairs of equal lines, ascending in both. */
function pairs(a: readonly string[], b: readonly string[]): [number, number][] {
  const found: [number, number][] = [];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) found.push([start, start++]);
  const ends: [number, number][] = [];
  let [i, j] = [a.length, b.length];
  while (i > start && j > start && a[i - 1] === b[j - 1]) ends.push([--i, --j]);
  return [...found, ...common(a.slice(start, i), b.slice(start, j), start), ...ends.reverse()];
}

/** A longest common subsequence; `from` is added to both places. */
function common(a: readonly string[], b: readonly string[], from: number): [number, number][] {
  const width = b.length + 1;
  if ((a.length + 1) * width > MOST_CELLS) return [];
  const longest = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      longest[i * width + j] =
        a[i] === b[j]
          ? longest[(i + 1) * width + j + 1] + 1
          : Math.max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
    }
  }
  const found: [number, number][] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) found.push([from + i++, from + j++]);
    else if (longest[(i + 1) * width + j] >= longest[i * width + j + 1]) i++;
    else j++;
  }
  return found;
}

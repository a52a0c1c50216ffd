import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineMap } from '../../src/debug/line_map';

/** Few words, so that lines repeat. */
const lines = fc.array(fc.constantFrom('ublk add', 'fio', 'dd', '', '# note'), {
  minLength: 1,
  maxLength: 30,
});

describe('lines of two versions of a text', () => {
  test('what it calls the same line reads the same, and order is kept', () => {
    fc.assert(
      fc.property(lines, lines, (a, b) => {
        const map = new LineMap(a.join('\n'), b.join('\n'));
        let last = 0;
        for (let line = 1; line <= a.length; line++) {
          const later = map.later(line);
          if (later === undefined) continue;
          expect(b[later - 1]).toBe(a[line - 1]);
          expect(map.earlier(later)).toBe(line);
          expect(later).toBeGreaterThan(last);
          last = later;
        }
      }),
    );
  });

  test('lines that are all different are found wherever others were put in, taken out or changed', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('keep', 'drop', 'change', 'add'), { maxLength: 40 }), (edits) => {
        const a: string[] = [];
        const b: string[] = [];
        const kept: [number, number][] = [];
        edits.forEach((edit, k) => {
          if (edit !== 'add') a.push(`line ${k}`);
          if (edit === 'keep') kept.push([a.length, b.length + 1]);
          if (edit !== 'drop') b.push(edit === 'keep' ? `line ${k}` : `new ${k}`);
        });
        const map = new LineMap(a.join('\n'), b.join('\n'));
        for (const [was, is] of kept) expect(map.later(was)).toBe(is);
        const found = a.map((_, k) => map.later(k + 1)).filter((line) => line !== undefined);
        if (a.length > 0 && b.length > 0) expect(found).toEqual(kept.map(([, is]) => is));
      }),
    );
  });

  test('the end of lines does not matter', () => {
    const map = new LineMap('a\r\nb\r\nc', 'a  \nx\nb\nc\n');
    expect([1, 2, 3].map((line) => map.later(line))).toEqual([1, 3, 4]);
  });

  test('a text too long to compare has the same lines at both ends only', () => {
    const long = Array.from({ length: 3000 }, (_, k) => `line ${k}`);
    const other = [...long.slice(0, 10), ...long.slice(10, 2990).reverse(), ...long.slice(2990)];
    const map = new LineMap(long.join('\n'), other.join('\n'));
    expect([map.later(10), map.later(1500), map.later(2991)]).toEqual([10, undefined, 2991]);
  });
});

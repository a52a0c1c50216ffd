import { describe, expect, it } from 'vitest';
import { commandOf, isLetter, KEYS, type Stroke } from '../../src/webview/commands';
import { tabAfter } from '../../src/webview/shell/tabs';
import { phaseShares } from '../../src/webview/shell/shares';
import { wordsFrom } from '../../src/webview/words';
import fc from 'fast-check';

const stroke = (key: string, more: Partial<Stroke> = {}): Stroke => ({
  key,
  shiftKey: false,
  ctrlKey: false,
  altKey: false,
  metaKey: false,
  ...more,
});

describe('keys', () => {
  it.each([
    ['w', {}, 'zoomIn'],
    ['W', {}, 'zoomIn'],
    ['ArrowLeft', {}, 'panLeft'],
    ['f', {}, 'fit'],
    ['F', { shiftKey: true }, 'fitRequest'],
    [']', {}, 'nextOfRequest'],
    [',', {}, 'previous'],
    ['/', {}, 'search'],
    // On a German keyboard these need Shift or AltGr's sign arrives alone.
    ['/', { shiftKey: true }, 'search'],
    ['?', { shiftKey: true }, 'help'],
    ['N', { shiftKey: true }, 'searchPrevious'],
    ['Escape', {}, 'clear'],
    ['Home', {}, 'first'],
    ['End', { shiftKey: true }, 'lastOfRequest'],
    ['x', {}, 'otherTrace'],
  ] as const)('%s with %j is %s', (key, more, command) => expect(commandOf(stroke(key, more))).toBe(command));

  it('leaves to VS Code what has Ctrl, Alt or Meta, and keys that mean nothing', () => {
    expect(commandOf(stroke('f', { ctrlKey: true }))).toBeUndefined();
    expect(commandOf(stroke('w', { metaKey: true }))).toBeUndefined();
    expect(commandOf(stroke('ArrowLeft', { altKey: true }))).toBeUndefined();
    expect(commandOf(stroke('F10'))).toBeUndefined();
    expect(commandOf(stroke('y'))).toBeUndefined();
  });

  it('takes signs that Option or AltGr types, and those only', () => {
    const altGraph = { getModifierState: (key: string) => key === 'AltGraph' };
    // A German keyboard of macOS, one of Windows, a French one of macOS, which needs Shift besides.
    expect(commandOf(stroke(']', { altKey: true }))).toBe('nextOfRequest');
    expect(commandOf(stroke('{', { altKey: true, ctrlKey: true, ...altGraph }))).toBe('stepOut');
    expect(commandOf(stroke('[', { altKey: true, shiftKey: true }))).toBe('previousOfRequest');
    expect(commandOf(stroke('[', { altKey: true, ctrlKey: true }))).toBeUndefined();
    expect(commandOf(stroke('w', { altKey: true, ctrlKey: true, ...altGraph }))).toBeUndefined();
    expect(commandOf(stroke('.', { altKey: true }))).toBeUndefined();
  });

  it('knows the letters that an open search takes', () => {
    expect(['a', 'N', 'ä'].every((key) => isLetter(stroke(key)))).toBe(true);
    expect(['.', '1', 'Enter', 'Escape'].some((key) => isLetter(stroke(key)))).toBe(false);
    expect(isLetter(stroke('a', { ctrlKey: true }))).toBe(false);
  });

  it('gives no key to two commands', () => {
    const strokes = KEYS.flatMap((line) => line.strokes);
    expect(new Set(strokes).size).toBe(strokes.length);
  });
});

describe('tabs', () => {
  const faces = ['timeline', 'sequence', 'machine'] as const;
  it('go round with the arrows, and to the ends', () => {
    expect(tabAfter(faces, 'timeline', 'ArrowRight')).toBe('sequence');
    expect(tabAfter(faces, 'machine', 'ArrowRight')).toBe('timeline');
    expect(tabAfter(faces, 'timeline', 'ArrowLeft')).toBe('machine');
    expect(tabAfter(faces, 'sequence', 'End')).toBe('machine');
    expect(tabAfter(faces, 'sequence', 'Home')).toBe('timeline');
    expect(tabAfter(faces, 'sequence', 'a')).toBeUndefined();
  });
});

describe('shares of phases', () => {
  it('make 100 per cent together, each within one of its exact share', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1e12 }), { minLength: 1, maxLength: 7 }), (totals) => {
        const sum = totals.reduce((all, total) => all + total, 0);
        const shares = phaseShares(totals.map((total) => ({ total })));
        expect(shares.reduce((all, share) => all + share, 0)).toBe(sum > 0 ? 100 : 0);
        for (const [k, total] of totals.entries()) {
          if (sum > 0) expect(Math.abs(shares[k]! - (total / sum) * 100)).toBeLessThan(1);
        }
      }),
    );
  });
});

describe('words', () => {
  it('translates, fills in, and stays English where there is no translation', () => {
    const t = wordsFrom({ '{0} of {1}': '{1}, davon {0}' });
    expect(t('{0} of {1}', 2, 'x')).toBe('x, davon 2');
    expect(t('Pinned {0}.', '{1}')).toBe('Pinned {1}.');
    expect(t('{0} and {1}', 1)).toBe('1 and {1}');
  });
});

/** Where a place stands in the JSON of a ring program, also while it is being typed. */

/** One value that is open around a place. */
interface Level {
  readonly kind: 'object' | 'array';
  /** Key or index of what the place is in. */
  key: string | number;
  /** Texts of the members seen before the place, by key. */
  readonly members: Map<string, string>;
}

/** A place. */
export interface RingPlace {
  /** Keys and indices from the root. */
  readonly path: readonly (string | number)[];
  /** The word at the place: its text, where it begins and ends (quotes excluded), and whether it is a key. */
  readonly word:
    | { readonly text: string; readonly start: number; readonly end: number; readonly isKey: boolean }
    | undefined;
}

const STRING = /"((?:[^"\\\n]|\\.)*)("|$|(?=\n))/y;
const OTHER = /[^\s"{}[\],:]+/y;

/** The place at an offset of a text. */
export function placeAtOffset(text: string, offset: number): RingPlace {
  const levels: Level[] = [];
  let key = '';
  let i = 0;
  const pathNow = (): (string | number)[] => levels.map((level) => level.key);
  while (i < text.length) {
    const c = text[i]!;
    const top = levels.at(-1);
    if (c === '"' || !/[\s{}[\],:]/.test(c)) {
      const pattern = c === '"' ? STRING : OTHER;
      pattern.lastIndex = i;
      const match = pattern.exec(text);
      if (match === null) return { path: pathNow(), word: undefined };
      const quoted = c === '"';
      const start = quoted ? i + 1 : i;
      const word = quoted ? match[1]! : match[0];
      const end = start + word.length;
      const after = pattern.lastIndex;
      const isKey =
        top?.kind === 'object' && (/^\s*:/.test(text.slice(after, after + 20)) || expectsKey(text, i));
      if (offset >= i && offset <= end) return { path: pathNow(), word: { text: word, start, end, isKey } };
      if (isKey) key = word;
      else if (top?.kind === 'object') top.members.set(key, word);
      i = after;
      if (after > offset) break;
      continue;
    }
    if (i >= offset) break;
    if (c === '{' || c === '[')
      levels.push({ kind: c === '{' ? 'object' : 'array', key: c === '{' ? '' : 0, members: new Map() });
    else if (c === '}' || c === ']') levels.pop();
    else if (c === ':' && top) top.key = key;
    else if (c === ',' && top) top.key = typeof top.key === 'number' ? top.key + 1 : '';
    i++;
  }
  return { path: pathNow(), word: undefined };
}

/** Whether what stands before a string of an object asks for a key. */
function expectsKey(text: string, at: number): boolean {
  return /[{,]\s*$/.test(text.slice(Math.max(0, at - 200), at));
}

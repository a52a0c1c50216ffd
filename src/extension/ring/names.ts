import type { Translate } from '../translate';
import { placeAtOffset } from './places';

/** A name that can stand at a place, with what it names. */
export interface NameProposal {
  readonly label: string;
  readonly detail: string;
  readonly start: number;
  readonly end: number;
  /** The place lacks quotes. */
  readonly bare: boolean;
}

/** What is said of a word; offsets from 0. */
export interface NameHover {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

interface Named {
  readonly files: readonly {
    readonly name: string;
    readonly says: string;
    readonly ends: readonly string[];
  }[];
  readonly buffers: readonly { readonly name: string; readonly says: string }[];
  readonly sqes: readonly { readonly userData: string; readonly op: string }[];
}

/** Names of files, buffers and requests where a program wants one: what a schema cannot know. */
export function proposeNames(text: string, offset: number, t: Translate): NameProposal[] {
  const { path, word } = placeAtOffset(text, offset);
  if (word?.isKey) return [];
  const key = path.findLast((part) => typeof part === 'string' && part !== '');
  const { files, buffers, sqes } = namedIn(text, t);
  const found = ((): { label: string; detail: string }[] => {
    switch (key) {
      case 'file':
      case 'file_in':
      case 'close':
        return files.flatMap(({ ends, says }) => ends.map((label) => ({ label, detail: says })));
      case 'buf':
        return buffers.map(({ name, says }) => ({ label: name, detail: says }));
      case 'target':
        return sqes.map(({ userData, op }) => ({ label: userData, detail: op }));
      default:
        return [];
    }
  })();
  const start = word?.start ?? offset;
  const end = word?.end ?? offset;
  const bare = word === undefined || text[start - 1] !== '"';
  const seen = new Set<string>();
  return found
    .filter(({ label }) => !seen.has(label) && seen.add(label))
    .map((each) => ({ ...each, start, end, bare }));
}

/** What a name stands for. */
export function hoverName(text: string, offset: number, t: Translate): NameHover | undefined {
  const { path, word } = placeAtOffset(text, offset);
  if (word === undefined) return undefined;
  const { files, buffers } = namedIn(text, t);
  const { start, end } = word;
  const key = path.findLast((part) => typeof part === 'string' && part !== '');
  const said = (name: string, says: string): NameHover => ({ text: `**${name}**: ${says}`, start, end });
  if (!word.isKey && (key === 'file' || key === 'file_in' || key === 'close')) {
    const file = files.find(({ ends }) => ends.includes(word.text));
    return file && said(word.text, file.says);
  }
  if (!word.isKey && key === 'buf') {
    const buffer = buffers.find(({ name }) => name === word.text);
    return buffer && said(word.text, buffer.says);
  }
  return undefined;
}

/** Files, buffers and SQEs of a text, as far as they can be read. */
function namedIn(text: string, t: Translate): Named {
  const files = [...block(text, 'files').matchAll(/"([A-Za-z]\w*)"\s*:\s*\{([^{}]*)\}/g)].map(
    ([, name = '', body = '']) => {
      const kind = /"kind"\s*:\s*"(\w+)"/.exec(body)?.[1] ?? '?';
      const size = /"size"\s*:\s*(\d+)/.exec(body)?.[1];
      const fixed = /"fixed"\s*:\s*true/.test(body) ? `, ${t('registered')}` : '';
      const bytes = size === undefined ? '' : `, ${t('{0} bytes', size)}`;
      return {
        name,
        says: `${kind}${bytes}${fixed}`,
        ends: kind === 'pipe' ? [`${name}.r`, `${name}.w`] : [name],
      };
    },
  );
  const buffers = [...block(text, 'buffers').matchAll(/"([A-Za-z]\w*)"\s*:\s*\{([^{}]*)\}/g)].map(
    ([, name = '', body = '']) => {
      const size = /"size"\s*:\s*(\d+)/.exec(body)?.[1] ?? '?';
      const fixed = /"fixed"\s*:\s*true/.test(body) ? `, ${t('registered')}` : '';
      return { name, says: `${t('buffer of {0} bytes', size)}${fixed}` };
    },
  );
  const sqes = [...text.matchAll(/\{[^{}]*"op"\s*:\s*"(\w+)"[^{}]*\}/g)].flatMap(([sqe, op = '']) => {
    const userData = /"user_data"\s*:\s*"([^"]+)"/.exec(sqe)?.[1];
    return userData === undefined ? [] : [{ userData, op }];
  });
  return { files, buffers, sqes };
}

/** The text of the object behind a key of the root. */
function block(text: string, key: string): string {
  const start = new RegExp(`"${key}"\\s*:\\s*\\{`).exec(text);
  if (start === null) return '';
  let depth = 0;
  for (let i = start.index + start[0].length - 1; i < text.length; i++) {
    if (text[i] === '{') depth++;
    else if (text[i] === '}' && --depth === 0) return text.slice(start.index, i);
  }
  return text.slice(start.index);
}

import { KERNELS, SERVERS, SIMULATED_SERVERS } from './ast';
import type { KernelName, ServerName, SessionOverrides, Settings, Span } from './ast';
import { didYouMean, quote } from './diagnostics';
import type { DiagnosticSink } from './diagnostics';
import type { Word } from './lexer';
import { SETTINGS } from './options';
import { readU64 } from './sizes';
import { readNumber } from './values';

/** The server that goes with a kernel profile unless the session names another. */
export const DEFAULT_SERVERS: Readonly<Record<KernelName, ServerName>> = {
  '6.1': 'ublksrv-1.2',
  '6.1+splice-zc': 'ublksrv-2022-11',
  '6.12': 'ublksrv-1.8',
  '6.18': 'ublksrv-1.8',
  '7.3': 'ublksrv-1.2',
};

const LONGEST_DIRECTIVE = 4096;

/** The words of a `#:` line, up to a further `#`. */
export function directiveWords(text: string, line: number, column: number): Word[] {
  const words: Word[] = [];
  for (const match of text.slice(0, LONGEST_DIRECTIVE).matchAll(/\S+/g)) {
    if (match[0].startsWith('#')) break;
    const at = column + match.index;
    words.push({ text: match[0], line, column: at, endColumn: at + match[0].length, plain: true });
  }
  return words;
}

/** Reads every setting of the text. They hold for all of it, so this comes before any command is read. `kernelAt` is where the kernel is named. */
export function readSettings(
  text: string,
  overrides: SessionOverrides,
  sink: DiagnosticSink,
): { settings: Settings; kernelAt: Span } {
  const values = new Map<string, Word>();
  let line = 0;
  for (let start = 0; start <= text.length && !sink.full; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    line++;
    let first = start;
    while (text[first] === ' ' || text[first] === '\t') first++;
    if (text[first] === '#' && text[first + 1] === ':') {
      const words = directiveWords(text.slice(first + 2, end), line, first - start + 3);
      const at = { line, column: first - start + 1, endColumn: Math.min(end, first + 2) - start + 1 };
      readSetting(words, at, values, sink);
    }
    start = end + 1;
  }
  const named = overrides.kernel === undefined ? values.get('kernel') : undefined;
  return {
    settings: build(values, overrides, sink),
    kernelAt: named ?? { line: 1, column: 1, endColumn: 1 },
  };
}

function readSetting(words: Word[], at: Span, values: Map<string, Word>, sink: DiagnosticSink): void {
  const [name, value, ...rest] = words;
  if (name === undefined) {
    sink.error(at, 'a #: line needs a setting or a fault');
    return;
  }
  if (name.text === 'fault') return;
  const spec = SETTINGS.find((row) => row.name === name.text);
  if (spec === undefined) {
    const names = [...SETTINGS.map((row) => row.name), 'fault'];
    sink.error(
      name,
      `unknown setting ${quote(name.text)}${didYouMean(name.text, names)}; settings: ${names.join(', ')}`,
    );
  } else if (value === undefined) sink.error(name, `${name.text} needs a value: ${spec.argument}`);
  else {
    if (rest.length > 0) sink.error(rest[0]!, `unexpected ${quote(rest[0]!.text)} after ${name.text}`);
    const before = values.get(name.text);
    if (before !== undefined)
      sink.warning(before, `${name.text} is set again in line ${value.line}: this value has no effect`);
    values.set(name.text, value);
  }
}

function build(values: Map<string, Word>, overrides: SessionOverrides, sink: DiagnosticSink): Settings {
  const origin: Span = { line: 1, column: 1, endColumn: 1 };
  const number = (name: string): number => {
    const spec = SETTINGS.find((row) => row.name === name)!;
    const word = values.get(name);
    const read = word && readNumber(spec, word.text);
    if (read !== undefined && !read.ok) sink.error(word!, `${name} ${quote(word!.text)} ${read.reason}`);
    const value = read?.ok ? read : readNumber(spec, spec.default!);
    return value.ok ? value.value : 0;
  };
  const oneOf = (name: string): string => {
    const spec = SETTINGS.find((row) => row.name === name)!;
    const word = values.get(name);
    if (word === undefined || spec.values!.includes(word.text)) return word?.text ?? spec.default!;
    const hint = didYouMean(word.text, spec.values!);
    sink.error(word, `${name} ${quote(word.text)} is unknown${hint}; accepted: ${spec.values!.join(', ')}`);
    return spec.default!;
  };
  /** A name out of `all`, of which `simulated` can run; anything else is reported and replaced by `fallback`. */
  const profile = <T extends string>(
    what: string,
    override: string | undefined,
    all: readonly T[],
    simulated: readonly T[],
    fallback: T,
  ): T => {
    const word = values.get(what);
    const text = override ?? word?.text;
    if (text === undefined) return fallback;
    const found = all.find((name) => name === text);
    if (found !== undefined && simulated.includes(found)) return found;
    const problem = found === undefined ? `is unknown${didYouMean(text, all)}` : 'is not simulated yet';
    sink.error(
      override === undefined ? word! : origin,
      `${what} ${quote(text)} ${problem}; accepted now: ${simulated.join(', ')}`,
    );
    return fallback;
  };
  const seedWord = values.get('seed');
  const seed = readU64(seedWord?.text ?? '1');
  if (!seed.ok) sink.error(seedWord!, `seed ${quote(seedWord!.text)} ${seed.reason}`);
  const kernel = profile('kernel', overrides.kernel, KERNELS, KERNELS, '6.1+splice-zc');
  const blockSize = number('block-size');
  if ((blockSize & (blockSize - 1)) !== 0) {
    sink.error(values.get('block-size')!, `block-size ${blockSize} is not a power of two`);
  }
  return {
    kernel,
    server: profile('server', overrides.server, SERVERS, SIMULATED_SERVERS, DEFAULT_SERVERS[kernel]),
    seed: overrides.seed ?? (seed.ok ? seed.value : 1n),
    cpus: number('cpus'),
    backing: oneOf('backing') === 'blkdev' ? 'blkdev' : 'file',
    blockSize,
    partScan: oneOf('part-scan') === 'on',
    qcow2Link: oneOf('qcow2-link') === 'intended' ? 'intended' : 'shipped',
    memory: number('memory'),
    maxEvents: number('max-events'),
  };
}

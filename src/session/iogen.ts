import type { IogenCommand, IogenIo, IogenStep } from './ast';
import { tail } from './args';
import { quote } from './diagnostics';
import type { DiagnosticSink } from './diagnostics';
import type { Word } from './lexer';
import { readInteger } from './sizes';
import type { ToolInput } from './tools';

const MAX = Number.MAX_SAFE_INTEGER;
const MAX_LENGTH = 0x7ffff000;
const MAX_QD = 65536;
const FORMS =
  'r|w:seq|rand:SIZE:COUNT:QD[:START[:BUFFER_OFFSET]], list:QD:r@OFFSET+LENGTH,..., flush, discard:OFFSET:LENGTH, zero:OFFSET:LENGTH, sleep:MS';

/** `iogen DEV OUT.json STEP...`. */
export function parseIogen({ words, base, sink }: ToolInput): IogenCommand | undefined {
  const [tool, device, output, ...rest] = words;
  if (device === undefined || output === undefined || rest.length === 0) {
    sink.error(tool!, `iogen DEV OUT.json STEP...; steps: ${FORMS}`);
    return undefined;
  }
  const steps: IogenStep[] = [];
  for (const word of rest) {
    const step = readStep(word, sink);
    if (step !== undefined) steps.push(step);
  }
  return { ...base, kind: 'iogen', device: device.text, output: output.text, steps };
}

function readStep(word: Word, sink: DiagnosticSink): IogenStep | undefined {
  const fields = split(word, ':');
  const name = fields[0]!.text;
  const number = (index: number, what: string, min: number, max: number): number | undefined => {
    const field = fields[index];
    if (field === undefined) {
      sink.error(word, `iogen: ${quote(word.text)} has no ${what}; steps: ${FORMS}`);
      return undefined;
    }
    const read = readInteger(field.text, min, max);
    if (read.ok) return read.value;
    sink.error(field, `iogen: ${what} ${quote(field.text)} ${read.reason}`);
    return undefined;
  };
  const limit = (most: number): void => {
    if (fields.length > most)
      sink.error(fields[most]!, `iogen: too many fields in ${quote(word.text)}; steps: ${FORMS}`);
  };
  switch (name) {
    case 'r':
    case 'w': {
      limit(7);
      const pattern = fields[1]?.text;
      if (pattern !== 'seq' && pattern !== 'rand') {
        sink.error(fields[1] ?? word, `iogen: the pattern is seq or rand, not ${quote(pattern ?? '')}`);
        return undefined;
      }
      const blockSize = number(2, 'block size', 1, MAX_LENGTH);
      const count = number(3, 'count', 1, MAX);
      const queueDepth = number(4, 'queue depth', 1, MAX_QD);
      const start = fields.length > 5 ? number(5, 'start', 0, MAX) : 0;
      const bufferOffset = fields.length > 6 ? number(6, 'buffer offset', 0, 65535) : 0;
      if (blockSize === undefined || count === undefined || queueDepth === undefined) return undefined;
      if (start === undefined || bufferOffset === undefined) return undefined;
      return {
        kind: 'io',
        op: name === 'r' ? 'read' : 'write',
        pattern,
        blockSize,
        count,
        queueDepth,
        start,
        bufferOffset,
      };
    }
    case 'list': {
      limit(3);
      const queueDepth = number(1, 'queue depth', 1, MAX_QD);
      const ios = fields[2] === undefined ? [] : readList(fields[2], sink);
      if (fields[2] === undefined)
        sink.error(word, 'iogen: list:QD: needs requests such as r@0+4096,w@8192+4096');
      return queueDepth === undefined ? undefined : { kind: 'list', queueDepth, ios };
    }
    case 'flush':
      limit(1);
      return { kind: 'flush' };
    case 'discard':
    case 'zero': {
      limit(3);
      const offset = number(1, 'offset', 0, MAX);
      const length = number(2, 'length', 1, MAX);
      return offset === undefined || length === undefined ? undefined : { kind: name, offset, length };
    }
    case 'sleep': {
      limit(2);
      const ms = number(1, 'milliseconds', 0, 1e9);
      return ms === undefined ? undefined : { kind: 'sleep', ns: ms * 1e6 };
    }
    default:
      sink.error(word, `iogen: unknown step ${quote(word.text)}; steps: ${FORMS}`);
      return undefined;
  }
}

function readList(word: Word, sink: DiagnosticSink): IogenIo[] {
  const ios: IogenIo[] = [];
  for (const item of split(word, ',')) {
    const match = item.text.length > 64 ? null : /^([rw])@(\d+)\+(\d+)$/.exec(item.text);
    const offset = readInteger(match?.[2] ?? '', 0, MAX);
    const length = readInteger(match?.[3] ?? '', 1, MAX_LENGTH);
    if (match === null) sink.error(item, `iogen: ${quote(item.text)} is not a request such as r@0+4096`);
    else if (!offset.ok) sink.error(item, `iogen: offset in ${quote(item.text)} ${offset.reason}`);
    else if (!length.ok) sink.error(item, `iogen: length in ${quote(item.text)} ${length.reason}`);
    else ios.push({ op: match[1] === 'r' ? 'read' : 'write', offset: offset.value, length: length.value });
  }
  return ios;
}

function split(word: Word, separator: string): Word[] {
  const parts: Word[] = [];
  let from = 0;
  for (const text of word.text.split(separator)) {
    const part = tail(word, from);
    parts.push({ ...part, text, endColumn: word.plain ? part.column + text.length : word.endColumn });
    from += text.length + 1;
  }
  return parts;
}

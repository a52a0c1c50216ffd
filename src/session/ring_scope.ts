import type { BufferCommand, OpenCommand, RingCommand, RingFile } from './ast_ring';
import { didYouMean, quote } from './diagnostics';
import type { DiagnosticSink } from './diagnostics';
import type { Word } from './lexer';

/** Devices that a ring can work on. */
export const RING_DEVICES: readonly string[] = ['/dev/null', '/dev/zero', '/dev/full'];
/** Size of the buffers that are there without being made. */
export const RING_BUFFER = 1 << 20;
/** How many of them there are. */
const PLAIN_BUFFERS = 16;

/** What is wrong with a file that a ring shall work on and that is not there. */
export function noFile(path: string): string {
  return `there is no file ${quote(path)} (ENOENT): truncate -s SIZE FILE makes one`;
}

/** Names that the commands of a ring have brought so far. */
export class RingScope {
  ring: RingCommand | undefined;
  readonly pipes = new Set<string>();
  readonly opened = new Map<string, OpenCommand>();
  readonly buffers = new Map<string, BufferCommand>();
  /** An SQE was filled, or submitted. */
  started = false;

  /** What a word names: a file, an end of a pipe, or `fd:N`. `end`: which one the bare name of a pipe stands for. */
  file(word: Word, tool: string, end: 'r' | 'w' | undefined, sink: DiagnosticSink): RingFile {
    const { text } = word;
    const fd = /^fd:(-?\d{1,9})$/.exec(text);
    if (fd !== null) return { fd: Number(fd[1]) };
    if (word.special !== undefined || text === '' || text === '-') {
      sink.error(word, 'this is not a file name');
      return { path: text };
    }
    const tail = /^(.*)\.([rw])$/.exec(text);
    if (tail !== null && this.pipes.has(tail[1]!)) return { path: tail[1]!, end: tail[2] as 'r' | 'w' };
    if (this.pipes.has(text)) {
      if (end === undefined) sink.error(word, `${tool}: which end of the pipe: ${text}.r or ${text}.w?`);
      return { path: text, ...(end === undefined ? {} : { end }) };
    }
    if (text.startsWith('/dev/') && !RING_DEVICES.includes(text))
      sink.error(
        word,
        `${tool}: only files and pipes of the session and ${RING_DEVICES.join(', ')} are simulated, no devices`,
      );
    return { path: text };
  }

  /** Size of a buffer; undefined after saying that there is none of this name. */
  bufferSize(name: string, at: Word, sink: DiagnosticSink): number | undefined {
    const made = this.buffers.get(name);
    if (made !== undefined) return made.size;
    if (/^\d{1,2}$/.test(name) && Number(name) < PLAIN_BUFFERS) return RING_BUFFER;
    const hint = didYouMean(name, this.buffers.keys());
    sink.error(
      at,
      `sqe: there is no buffer ${quote(name)}${hint}; buffer NAME SIZE makes one, 0 to ${PLAIN_BUFFERS - 1} are there`,
    );
    return undefined;
  }
}

import type { KillCommand, KillSignal, KillTarget, SleepCommand, WaitCommand } from './ast';
import { quote } from './diagnostics';
import type { DiagnosticSink } from './diagnostics';
import type { Special } from './expansion';
import type { Word } from './lexer';
import { readDuration, readInteger } from './sizes';
import { refuseWords } from './tools';
import type { ToolInput } from './tools';

const SIGNALS: Readonly<Record<string, KillSignal>> = {
  KILL: 'KILL',
  TERM: 'TERM',
  STOP: 'STOP',
  CONT: 'CONT',
  9: 'KILL',
  15: 'TERM',
  19: 'STOP',
  18: 'CONT',
};
const SIGNALS_TEXT = 'KILL (9), TERM (15), STOP (19) and CONT (18)';
const MAX_PID = 1 << 22;

/** `wait`, `wait $!`. `last` is the value `$!` has now. */
export function parseWait(
  { words, base, sink }: ToolInput,
  last: Special | undefined,
): WaitCommand | undefined {
  const [, target, ...rest] = words;
  if (target === undefined) return { ...base, kind: 'wait', last: false, command: undefined };
  refuseWords(rest, 'wait', sink);
  const job = target.special;
  if (job?.kind !== 'background-job') {
    sink.error(
      target,
      `wait: ${job === undefined ? quote(target.text) : 'the server'} is not a child of this shell: wait, or wait $!`,
    );
    return undefined;
  }
  if (job.command === undefined) return undefined;
  return {
    ...base,
    kind: 'wait',
    last: last?.kind === 'background-job' && last.command === job.command,
    command: job.command,
  };
}

function readSignal(word: Word, text: string, sink: DiagnosticSink): KillSignal | undefined {
  const name = text.replace(/^SIG/i, '').toUpperCase();
  if (Object.hasOwn(SIGNALS, name)) return SIGNALS[name];
  sink.error(word, `kill: signal ${quote(text)} is not simulated; ${SIGNALS_TEXT} are`);
  return undefined;
}

function readTarget(word: Word, sink: DiagnosticSink): KillTarget | undefined {
  const { special } = word;
  if (special?.kind === 'daemon') return special;
  if (special !== undefined)
    return special.command === undefined ? undefined : { kind: 'background-job', command: special.command };
  const pid = readInteger(word.text, 1, MAX_PID);
  if (pid.ok) return { kind: 'pid', pid: pid.value };
  sink.error(word, `kill: ${quote(word.text)} is not a process: $(pgrep -n ublk), $! or a number`);
  return undefined;
}

/** `kill [-SIGNAL | -s SIGNAL] PROCESS`. */
export function parseKill({ words, base, sink }: ToolInput): KillCommand | undefined {
  let index = 1;
  let signal: KillSignal | undefined = 'TERM';
  const first = words[1];
  if (first?.text === '-s' || first?.text === '-n') {
    const name = words[2];
    if (name === undefined) sink.error(first, `kill: ${first.text} needs a signal`);
    signal = name && readSignal(name, name.text, sink);
    index = 3;
  } else if (first?.text.startsWith('-') && first.text !== '--') {
    signal = readSignal(first, first.text.slice(1), sink);
    index = 2;
  }
  if (words[index]?.text === '--') index++;
  const target = words[index];
  if (target === undefined) {
    if (signal !== undefined) sink.error(words[0]!, 'kill: no process given: kill -9 $(pgrep -n ublk)');
    return undefined;
  }
  if (words.length > index + 1)
    sink.error(words[index + 1]!, 'kill: only one process at a time is simulated');
  const who = readTarget(target, sink);
  return signal === undefined || who === undefined
    ? undefined
    : { ...base, kind: 'kill', signal, target: who };
}

/** `sleep 0.5 1m ...`: the sum. */
export function parseSleep({ words, base, sink }: ToolInput): SleepCommand | undefined {
  let ns = 0;
  if (words.length < 2) sink.error(words[0]!, 'sleep: missing operand');
  for (const word of words.slice(1)) {
    const read = readDuration(word.text, 's', ['s', 'm', 'h', 'd']);
    if (read.ok) ns += read.value;
    else sink.error(word, `sleep: ${quote(word.text)} ${read.reason}`);
  }
  if (!Number.isSafeInteger(ns)) {
    sink.error(words[1]!, 'sleep: 104 days is the most');
    return undefined;
  }
  return { ...base, kind: 'sleep', ns };
}

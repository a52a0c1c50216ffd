import type { Command, Fault, FaultKind, ServerMistake, Settings } from './ast';
import { didYouMean, quote } from './diagnostics';
import type { DiagnosticSink } from './diagnostics';
import { tail } from './args';
import type { Word } from './lexer';
import { FAULTS, MISTAKES } from './options';
import type { OptionSpec } from './options';
import { readInteger } from './sizes';
import { splices } from './ublk';
import { readNumber } from './values';

/** Internal tags of the qcow2 target, for metadata I/O. */
const QCOW2_TAGS = 16;

/** A `#: fault KIND key=value...` line; `words` begins with `fault`. Undefined after reporting an error. */
export function readFault(words: readonly Word[], armedAt: number, sink: DiagnosticSink): Fault | undefined {
  const [keyword, kindWord, ...rest] = words;
  const kind = kindWord?.text as FaultKind | undefined;
  if (kind === undefined || !Object.hasOwn(FAULTS, kind)) {
    const kinds = Object.keys(FAULTS);
    const hint = kindWord === undefined ? '' : ` ${quote(kindWord.text)}${didYouMean(kindWord.text, kinds)}`;
    sink.error(
      kindWord ?? keyword!,
      `${kind === undefined ? 'a fault needs a kind' : 'unknown fault'}${hint}; kinds: ${kinds.join(', ')}`,
    );
    return undefined;
  }
  const errors = sink.errors;
  const keys: readonly OptionSpec[] = FAULTS[kind].keys;
  const bare: readonly string[] = FAULTS[kind].bare;
  const numbers = new Map<string, number>();
  const effect: Fault['effect'] = {};
  let op: Fault['op'];
  for (const word of rest) {
    const equals = word.text.indexOf('=');
    const name = equals < 0 ? word.text : word.text.slice(0, equals);
    const spec = keys.find((row) => row.name === name);
    const value = tail(word, equals + 1);
    if (equals < 0 && bare.includes(word.text)) {
      if (effect.mistake !== undefined)
        sink.error(word, `one mistake per fault: ${effect.mistake} is already set`);
      effect.mistake = word.text as ServerMistake;
    } else if (spec === undefined || equals < 0) {
      const known = [...keys.map((row) => `${row.name}=`), ...bare];
      const shown =
        spec === undefined
          ? `unknown ${quote(word.text)}${didYouMean(equals < 0 ? name : `${name}=`, known)}`
          : `${name} needs a value: ${name}=${spec.argument}`;
      sink.error(word, `fault ${kind}: ${shown}; it takes ${known.join(' ')}`);
    } else if (numbers.has(name) || (name === 'op' && op !== undefined))
      sink.error(word, `fault ${kind}: ${name} is given twice`);
    else if (name === 'op') {
      if (spec.values!.includes(value.text)) op = value.text as Fault['op'];
      else sink.error(value, `fault ${kind}: op is one of ${spec.values!.join(', ')}`);
    } else {
      const all = name === 'count' && value.text === 'all';
      const read =
        name === 'count' ? readInteger(value.text, 1, Number.MAX_SAFE_INTEGER) : readNumber(spec, value.text);
      if (all) numbers.set(name, Infinity);
      else if (read.ok) numbers.set(name, read.value);
      else sink.error(value, `fault ${kind}: ${name} ${quote(value.text)} ${read.reason}`);
    }
  }
  for (const [key, field] of [
    ['short', 'short'],
    ['error', 'error'],
    ['delay', 'delayNs'],
  ] as const) {
    const value = numbers.get(key);
    if (value !== undefined) effect[field] = value;
  }
  checkShape(numbers, effect, kind, kindWord!, errors, sink);
  if (sink.errors > errors) return undefined;
  const fault: Fault = { kind, count: numbers.get('count') ?? 1, effect, armedAt, line: kindWord!.line };
  for (const key of ['queue', 'tag', 'nth', 'offset'] as const) {
    const value = numbers.get(key);
    if (value !== undefined) fault[key] = value;
  }
  if (fault.offset !== undefined) fault.length = numbers.get('length') ?? 1;
  if (op !== undefined) fault.op = op;
  return fault;
}

function checkShape(
  numbers: ReadonlyMap<string, number>,
  effect: Fault['effect'],
  kind: FaultKind,
  at: Word,
  errors: number,
  sink: DiagnosticSink,
): void {
  if (effect.short !== undefined && effect.error !== undefined) {
    sink.error(at, `fault ${kind}: short= and error= exclude each other`);
  }
  if (numbers.has('length') && !numbers.has('offset')) sink.error(at, `fault ${kind}: length= needs offset=`);
  if (numbers.has('nth') && numbers.has('count'))
    sink.error(at, `fault ${kind}: nth= and count= exclude each other`);
  if (Object.keys(effect).length > 0 || sink.errors > errors) return;
  const effects =
    kind === 'server'
      ? Object.keys(MISTAKES).join(', ')
      : kind === 'fsync'
        ? 'error=, delay='
        : 'short=, error=, delay=';
  sink.error(at, `fault ${kind} changes nothing: add one of ${effects}`);
}

/** Warns of faults that no device of the session can meet. */
export function warnIdleFaults(
  faults: readonly Fault[],
  commands: readonly Command[],
  settings: Settings,
  sink: DiagnosticSink,
): void {
  const adds = commands.filter((command) => command.kind === 'ublk-add');
  if (adds.length === 0) return;
  const queues = Math.max(...new Set(adds.map((add) => add.queues)));
  // qcow2 has tags of its own behind those of the queue
  const depth = Math.max(...new Set(adds.map((add) => add.depth + (add.type === 'qcow2' ? QCOW2_TAGS : 0))));
  const splicing = adds.some((add) => splices(add, settings));
  const copying = adds.some((add) => add.type !== 'null' && !splices(add, settings));
  for (const fault of faults) {
    const at = { line: fault.line, column: 1, endColumn: 1 };
    const idle = (why: string): void => sink.warning(at, `this fault never strikes: ${why}`);
    const { kind, effect } = fault;
    const spliceMistake = effect.mistake === 'no-read-to-read' || effect.mistake === 'read-to-read-only';
    if ((kind === 'splice' || spliceMistake) && !splicing)
      idle('no device of this session splices (-z on 6.1+splice-zc)');
    else if ((kind === 'read' || kind === 'write') && !copying)
      idle('no device of this session works in copy mode');
    else if (fault.queue !== undefined && fault.queue >= queues)
      idle(`queues are numbered 0 to ${queues - 1}`);
    else if (fault.tag !== undefined && fault.tag >= depth) idle(`tags are numbered 0 to ${depth - 1}`);
  }
}

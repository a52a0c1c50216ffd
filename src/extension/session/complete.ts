import type { ServerName } from '../../session/ast';
import {
  COMMANDS,
  type CommandSpec,
  FAULTS,
  MISTAKES,
  NO_EFFECT_COMMANDS,
  type OptionSpec,
  SETTINGS,
} from '../../session/options';
import { OP_MEANINGS } from '../../ring/meanings';
import { SQE_OPERANDS } from '../../session/option_ring';
import type { Translate } from '../translate';
import { commandText, optionText, usable, valuesOf } from './describe';
import { commandOf, hasVerbs, type LineWord, optionBefore, optionOf, placeAt } from './words';

/** One proposal; it replaces the characters from `start` to `end` of the line. */
export interface Proposal {
  readonly label: string;
  readonly kind: 'command' | 'option' | 'setting' | 'value' | 'file';
  /** Text to insert where it is not the label. A `$0` marks where the cursor goes. */
  readonly insert?: string;
  readonly detail?: string;
  /** Markdown. */
  readonly doc?: string;
  readonly start: number;
  readonly end: number;
  /** The value follows: ask for proposals again. */
  readonly again?: boolean;
  /** Later in the list: without effect on the requests. */
  readonly last?: boolean;
}

type Draft = Omit<Proposal, 'start' | 'end'>;

/** What can stand at a place of a session (line and character from 0), from the option table. */
export function complete(
  text: string,
  line: number,
  character: number,
  server: ServerName,
  t: Translate,
): Proposal[] {
  const lines = text.split(/\r?\n/);
  const place = placeAt(lines, line, character);
  if (place.kind === 'comment') return [];
  const word = place.words[place.at];
  const start = word?.start ?? character;
  const end = word?.end ?? character;
  const typed = (lines[line] ?? '').slice(start, character);
  const known = namesIn(lines);
  const drafts = (
    place.kind === 'setting'
      ? settingDrafts(place.words, place.at, typed, server, t)
      : commandDrafts(place.words, place.at, typed, server, known, t)
  ) as Draft[];
  return drafts.map((draft) => {
    // after `--rw=` only the value is replaced
    const value = draft.kind === 'value' || draft.kind === 'file' ? valueStart(typed) : 0;
    return { ...draft, start: start + value, end };
  });
}

function valueStart(typed: string): number {
  const equals = typed.indexOf('=');
  if (equals < 0) return 0;
  return Math.max(equals, typed.lastIndexOf(',')) + 1;
}

function settingDrafts(
  words: readonly LineWord[],
  at: number,
  typed: string,
  server: ServerName,
  t: Translate,
): Draft[] {
  if (at === 0) {
    return [
      ...SETTINGS.map((row): Draft => optionDraft(row, 'setting', `${row.name} $0`, server, t)),
      {
        label: 'fault',
        kind: 'setting',
        insert: 'fault $0',
        detail: 'KIND KEY=VALUE...',
        again: true,
        doc: t('Something goes wrong from this line on.'),
      },
    ];
  }
  if (words[0]!.text !== 'fault') {
    const row = SETTINGS.find((setting) => setting.name === words[0]!.text);
    return row === undefined || at > 1 ? [] : valueDrafts(row, t);
  }
  if (at === 1)
    return Object.entries(FAULTS).map(([name, fault]) => ({
      label: name,
      kind: 'setting',
      doc: fault.doc,
      insert: `${name} $0`,
      again: true,
    }));
  const fault = Object.entries(FAULTS).find(([name]) => name === words[1]!.text)?.[1];
  if (fault === undefined) return [];
  const keys: readonly OptionSpec[] = fault.keys;
  const key = /^([\w-]+)=/.exec(typed)?.[1];
  if (key !== undefined) {
    const row = keys.find((option) => option.name === key);
    return row === undefined ? [] : valueDrafts(row, t);
  }
  const given = new Set(words.slice(2).map((word) => word.text.split('=')[0]));
  return [
    ...keys
      .filter((row) => !given.has(row.name) || words[at]?.text.startsWith(row.name))
      .map((row) => optionDraft(row, 'setting', `${row.name}=$0`, server, t)),
    ...fault.bare.map(
      (name): Draft => ({ label: name, kind: 'value', doc: MISTAKES[name as keyof typeof MISTAKES] }),
    ),
  ];
}

function commandDrafts(
  words: readonly LineWord[],
  at: number,
  typed: string,
  server: ServerName,
  known: Known,
  t: Translate,
): Draft[] {
  if (at === 0) return toolDrafts(t);
  const tool = words[0]!.text;
  if (hasVerbs(tool) && at === 1) {
    return COMMANDS.filter((row) => row.name.startsWith(`${tool} `) && row.simulated !== false).map(
      (row) => ({
        label: row.name.slice(tool.length + 1),
        kind: 'command',
        detail: row.synopsis,
        doc: commandText(row, t),
      }),
    );
  }
  const spec = commandOf(words);
  if (spec === undefined) return [];
  const before = optionBefore(spec, words[at - 1]?.text);
  if (before !== undefined) return valueDrafts(before, t, known, spec);
  const named = optionOf(spec, typed);
  if (named?.value !== undefined) return valueDrafts(named.option, t, known, spec);
  if (spec.style === 'words') return operandDrafts(spec, known, t);
  const given = new Set(words.filter((_, i) => i !== at).map((word) => optionOf(spec, word.text)?.option));
  const op = spec.name === 'sqe' ? words[1]?.text : undefined;
  const drafts = spec.options
    .filter(
      (row) =>
        usable(row, server) &&
        (row.ops === undefined || row.ops.includes(op ?? '')) &&
        (!given.has(row) || row.name === 'name'),
    )
    .flatMap((row) => optionDrafts(row, spec, server, t));
  if (spec.name === 'sqe' && at === 1) return sqeDrafts();
  return typed.startsWith('-') ? drafts : [...drafts, ...operandDrafts(spec, known, t)];
}

function toolDrafts(t: Translate): Draft[] {
  const drafts: Draft[] = COMMANDS.filter((row) => row.simulated !== false).map((row) => ({
    label: row.name,
    kind: 'command',
    detail: row.synopsis,
    doc: commandText(row, t),
  }));
  for (const [name, why] of Object.entries(NO_EFFECT_COMMANDS)) {
    drafts.push({
      label: name,
      kind: 'command',
      doc: t('No effect in the simulation: {0}', why),
      last: true,
    });
  }
  drafts.push({
    label: '#:',
    kind: 'setting',
    insert: '#: $0',
    detail: t('setting or fault'),
    again: true,
    doc: t('A line for the simulator; a comment to a shell.'),
  });
  return drafts;
}

/** Each way to write an option that is worth proposing: the short one where there is one, and each long one. */
function optionDrafts(row: OptionSpec, spec: CommandSpec, server: ServerName, t: Translate): Draft[] {
  if (spec.style === 'operands' || spec.style === 'fio') {
    const dashes = spec.style === 'fio' ? '--' : '';
    const name = `${dashes}${row.long![0]!}`;
    const bare = row.argument === undefined && spec.style === 'fio';
    return [
      {
        ...optionDraft(row, spec.style, bare ? name : `${name}=$0`, server, t),
        label: bare ? name : `${name}=`,
      },
    ];
  }
  const drafts: Draft[] = [];
  const doc = optionDraft(row, spec.style, '', server, t);
  if (row.short !== undefined) {
    const takes = row.argument !== undefined;
    drafts.push({
      ...doc,
      label: `-${row.short}`,
      insert: takes ? `-${row.short} $0` : `-${row.short}`,
      again: takes,
    });
  }
  if (row.longArgument === undefined) {
    for (const name of row.long ?? []) {
      const takes = row.argument !== undefined && !row.optionalArgument;
      drafts.push({ ...doc, label: `--${name}`, insert: takes ? `--${name}=$0` : `--${name}`, again: takes });
    }
  }
  return drafts;
}

function optionDraft(
  row: OptionSpec,
  style: CommandSpec['style'] | 'setting',
  insert: string,
  server: ServerName,
  t: Translate,
): Draft {
  return {
    label: row.name,
    kind: style === 'setting' ? 'setting' : 'option',
    insert,
    ...(row.argument === undefined ? {} : { detail: row.argument }),
    doc: optionText(row, style, server, t),
    again: valuesOf(row).length > 0,
    ...(row.noEffect ? { last: true } : {}),
  };
}

function valueDrafts(row: OptionSpec, t: Translate, known?: Known, spec?: CommandSpec): Draft[] {
  const values = valuesOf(row);
  const preset = row.default;
  const drafts = values.map(
    (value): Draft => ({
      label: value,
      kind: 'value',
      ...(value === preset ? { detail: t('default') } : {}),
    }),
  );
  if (row.type !== 'text' || known === undefined || spec === undefined) return drafts;
  const names: Draft[] = [];
  if (/^(filename|if|of)$/.test(row.name))
    names.push(...known.disks.map((label): Draft => ({ label, kind: 'file' })));
  if (row.name === 'if')
    names.push({ label: '/dev/zero', kind: 'file' }, { label: '/dev/urandom', kind: 'file' });
  if (row.name === 'of') names.push({ label: '/dev/null', kind: 'file' });
  if (row.name === 'buffer') names.push(...known.buffers.map((label): Draft => ({ label, kind: 'value' })));
  if (/^(file|if|of)$/.test(row.name))
    names.push(...known.files.map((label): Draft => ({ label, kind: 'file' })));
  return [...drafts, ...names];
}

/** The operations of `sqe`. */
function sqeDrafts(): Draft[] {
  return [...SQE_OPERANDS].map(([label, operands]) => {
    const meaning = OP_MEANINGS[label];
    return {
      label,
      kind: 'value',
      insert: operands.length > 0 ? `${label} $0` : label,
      detail: operands.join(' '),
      ...(meaning === undefined ? {} : { doc: meaning.says }),
    };
  });
}

function operandDrafts(spec: CommandSpec, known: Known, t: Translate): Draft[] {
  const value = (label: string, doc: string): Draft => ({ label, kind: 'value', doc });
  const files = (names: readonly string[]): Draft[] => names.map((label) => ({ label, kind: 'file' }));
  switch (spec.name) {
    case 'kill':
      return [
        value('-9', 'SIGKILL'),
        value('-TERM', 'SIGTERM'),
        value('-STOP', t('SIGSTOP: stands still')),
        value('-CONT', t('SIGCONT: goes on')),
        { ...value('$(pgrep -n ublk)', t('The server started last.')), insert: '\\$(pgrep -n ublk)' },
        { ...value('$!', t('The command sent to the background last.')), insert: '\\$!' },
      ];
    case 'wait':
      return [{ ...value('$!', t('The command sent to the background last.')), insert: '\\$!' }];
    case 'iogen':
      return [
        ...files(known.disks),
        value('r:seq:4k:8:4', t('Reads one after the other: 8 of 4 KiB, 4 in flight.')),
        value('w:rand:4k:8:4', t('Writes at random places: 8 of 4 KiB, 4 in flight.')),
        value('list:2:r@0+4096,w@8k+4096', t('Exact requests, 2 in flight.')),
        value('flush', 'fdatasync'),
        value('discard:1M:64k', t('BLKDISCARD: offset, length.')),
        value('zero:1M:64k', t('BLKZEROOUT: offset, length.')),
        value('sleep:10', t('Milliseconds.')),
      ];
    case 'blkdiscard':
      return files(known.disks);
    case 'reap':
      return [value('all', t('Until nothing more can complete by itself.'))];
    case 'sqe':
    case 'open':
    case 'close':
      return files([...known.files, ...known.pipes.flatMap((name) => [name, `${name}.r`, `${name}.w`])]);
    case 'sync':
    case 'qemu-img create':
    case 'truncate':
      return files(known.files);
    default:
      return [];
  }
}

/** Names that the session itself brings. */
interface Known {
  readonly disks: readonly string[];
  readonly files: readonly string[];
  readonly pipes: readonly string[];
  readonly buffers: readonly string[];
}

function namesIn(lines: readonly string[]): Known {
  const disks = new Set<string>();
  const files = new Set<string>();
  const pipes = new Set<string>();
  const buffers = new Set<string>();
  let devices = 0;
  for (const text of lines) {
    if (/^\s*#/.test(text)) continue;
    for (const match of text.matchAll(/\/dev\/ublkb\d+/g)) disks.add(match[0]);
    if (/^\s*(?:sudo\s+)?ublk\s+add\b/.test(text))
      disks.add(`/dev/ublkb${/\s-n\s*(\d+)/.exec(text)?.[1] ?? devices++}`);
    const file = /^\s*(?:sudo\s+)?truncate\s.*?([^\s;&|-][^\s;&|]*)\s*$/.exec(text)?.[1];
    if (file !== undefined) files.add(file);
    const image = /^\s*(?:sudo\s+)?qemu-img\s+create\s.*?([^\s;&|-][^\s;&|]*)\s+\d\w*\s*$/.exec(text)?.[1];
    if (image !== undefined) files.add(image);
    const made = /^\s*(mkfifo|open|buffer)\s+([^\s;&|-][^\s;&|]*)/.exec(text);
    if (made !== null) ({ mkfifo: pipes, open: files, buffer: buffers })[made[1]!]!.add(made[2]!);
  }
  for (const pipe of pipes) files.delete(pipe);
  return { disks: [...disks].sort(), files: [...files], pipes: [...pipes], buffers: [...buffers] };
}

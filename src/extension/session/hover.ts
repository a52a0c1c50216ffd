import type { ServerName } from '../../session/ast';
import {
  COMMANDS,
  FAULTS,
  MISTAKES,
  NO_EFFECT_COMMANDS,
  type OptionSpec,
  SETTINGS,
} from '../../session/options';
import { OP_MEANINGS } from '../../ring/meanings';
import { SQE_OPERANDS } from '../../session/option_ring';
import type { Translate } from '../translate';
import { commandText, optionText } from './describe';
import { commandOf, hasVerbs, type LineWord, optionBefore, optionOf, placeAt } from './words';

/** A hover text (Markdown) and the characters of the line it is about. */
export interface SessionHover {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** What the word at a place of a session (line and character from 0) means; undefined where there is nothing to say. */
export function hoverAt(
  text: string,
  line: number,
  character: number,
  server: ServerName,
  t: Translate,
): SessionHover | undefined {
  const place = placeAt(text.split(/\r?\n/), line, character);
  const word = place.words[place.at];
  if (word === undefined) return undefined;
  const said =
    place.kind === 'setting'
      ? settingText(place.words, place.at, server, t)
      : wordText(place.words, place.at, server, t);
  return said === undefined ? undefined : { text: said, start: word.start, end: word.end };
}

function settingText(
  words: readonly LineWord[],
  at: number,
  server: ServerName,
  t: Translate,
): string | undefined {
  const [name, kind] = words;
  if (name!.text !== 'fault') {
    const row = SETTINGS.find((setting) => setting.name === name!.text);
    return row === undefined || at > 1 ? undefined : optionText(row, 'setting', server, t);
  }
  if (at === 0) return `\`#: fault KIND [KEY=VALUE]...\`\n\n${t('Something goes wrong from this line on.')}`;
  const fault = Object.entries(FAULTS).find(([label]) => label === kind?.text)?.[1];
  if (fault === undefined) return undefined;
  if (at === 1) return `\`#: fault ${kind!.text}\`\n\n${fault.doc}`;
  const key = words[at]!.text.split('=')[0]!;
  if (Object.hasOwn(MISTAKES, key)) return t('The server {0}.', MISTAKES[key as keyof typeof MISTAKES]);
  const keys: readonly OptionSpec[] = fault.keys;
  const row = keys.find((option) => option.name === key);
  return row === undefined ? undefined : optionText(row, 'setting', server, t);
}

function wordText(
  words: readonly LineWord[],
  at: number,
  server: ServerName,
  t: Translate,
): string | undefined {
  const text = words[at]!.text;
  const spec = commandOf(words);
  const head = hasVerbs(words[0]!.text) ? 2 : 1;
  if (spec === undefined) {
    if (at > 0) return undefined;
    if (hasVerbs(text))
      return COMMANDS.filter((row) => row.name.startsWith(`${text} `) && row.simulated !== false)
        .map((row) => `- \`${row.synopsis}\`: ${row.doc}`)
        .join('\n');
    const why = Object.hasOwn(NO_EFFECT_COMMANDS, text) ? NO_EFFECT_COMMANDS[text] : undefined;
    return why === undefined ? undefined : t('No effect in the simulation: {0}', why);
  }
  if (at < head) return commandText(spec, t);
  const op = spec.name === 'sqe' && at === 1 ? OP_MEANINGS[text] : undefined;
  if (op !== undefined) return `\`${[text, ...(SQE_OPERANDS.get(text) ?? [])].join(' ')}\`\n\n${op.says}`;
  const named = optionOf(spec, text)?.option ?? optionBefore(spec, words[at - 1]?.text);
  return named === undefined ? undefined : optionText(named, spec.style, server, t);
}

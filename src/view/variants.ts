import { COMMANDS } from '../session/options';
import { parseSession } from '../session/parse';

/** The text of a session with every `ublk add` given the option -z, or without it. Lines stay where they are. */
export function withZeroCopy(text: string, on: boolean): string {
  const { commands } = parseSession(text, '');
  const lines = text.split('\n');
  for (const command of commands) {
    if (command.kind !== 'ublk-add' || command.zeroCopy === on) continue;
    // a command goes on over lines that end in a backslash
    for (let k = command.line - 1; k < lines.length; k++) {
      const line = lines[k];
      lines[k] = on ? line.replace(/\bublk\s+add\b/, '$& -z') : without(line);
      if (lines[k] !== line || !/\\\s*$/.test(line)) break;
    }
  }
  return lines.join('\n');
}

/** A line without the option: alone, spelled out with the value that it swallows, or among other letters. */
function without(line: string): string {
  const { options = [] } = COMMANDS.find((row) => row.name === 'ublk add') ?? {};
  // a letter that takes an argument ends a cluster
  const flags = options.flatMap(({ short, type }) => (type === 'flag' && short !== undefined ? [short] : []));
  const letter = new RegExp(`(\\s)-([${flags.join('')}]*)z([\\w]*)(?=\\s|$)`);
  return line
    .replace(/\s--zero_copy(?:=\S*|\s+[^\s-]\S*)?(?=\s|$)/, '')
    .replace(letter, (_, space: string, before: string, after: string) => {
      const left = before.replaceAll('z', '') + after;
      return left === '' ? '' : `${space}-${left}`;
    });
}

import type { Args, ArgsSpec, OptionSpec } from './args';
import type { LoadedTrace } from './input';
import { shownName } from './errors';
import type { Paint, Progress } from './terminal';

/** What a command runs in. */
export interface Environment {
  /** Colours of stdout. */
  readonly paint: Paint;
  readonly progress: Progress;
  /** Writes one line to stderr. */
  readonly tell: (line: string) => void;
}

/** One command of the command line. */
export interface Command extends ArgsSpec {
  /** One line for the list of commands. */
  readonly says: string;
  /** More for its own help, one entry per line. */
  readonly more?: readonly string[];
  /** Returns the exit code: 0, or 1 when it ran and found something wrong. Throws CliError for exit 2. */
  run(args: Args, env: Environment): Promise<number>;
}

/** Options that every command takes. */
export const COMMON_OPTIONS: readonly OptionSpec[] = [
  { name: 'json', says: 'print JSON' },
  { name: 'help', short: 'h', says: 'print this help' },
];

/** Says on stderr what of a trace's text could not be read; the exit code does not tell. */
export function tellDamage(loaded: LoadedTrace, env: Environment): void {
  const { damaged, firstDamaged, lost } = loaded.counts;
  const file = shownName(loaded.file);
  if (damaged > 0) {
    const lines = damaged === 1 ? '1 damaged line, here' : `${damaged} damaged lines, first here`;
    env.tell(`${file}:${firstDamaged}:1: ${lines}`);
  }
  if (lost > 0) {
    const first = loaded.trace.notes.find((note) => note.kind === 'lost');
    env.tell(`${file}:${first?.line ?? 1}:1: the recording lost events (at least ${lost}), first here`);
  }
}

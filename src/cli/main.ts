import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { didYouMean, quote } from '../session/diagnostics';
import { readArgs } from './args';
import type { Environment } from './command';
import { COMMANDS } from './commands';
import { CliError, usageError } from './errors';
import { commandHelp, generalHelp } from './help';
import { quietOnClosedPipe } from './output';
import { paintFor, Progress } from './terminal';

/** Runs one command line; returns the exit code (0, 1: found something wrong, 2: could not run). */
async function main(argv: readonly string[], env: Environment): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined) {
    process.stderr.write(generalHelp(COMMANDS));
    return 2;
  }
  if (name === '--help' || name === '-h') {
    process.stdout.write(generalHelp(COMMANDS));
    return 0;
  }
  if (name === '--version') {
    process.stdout.write(`${version()}\n`);
    return 0;
  }
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command === undefined) throw unknownCommand(name);
  const args = readArgs(command, rest);
  if (args.has('help')) {
    process.stdout.write(commandHelp(command));
    return 0;
  }
  return command.run(args, env);
}

function unknownCommand(name: string): CliError {
  if (name.startsWith('-') && name !== '-') {
    return usageError(`the command comes first, then its options; before it stands ${quote(name)}`);
  }
  const near = didYouMean(
    name,
    COMMANDS.map((command) => command.name),
  );
  return usageError(`no command ${quote(name)}${near === '' ? '; see ublk-trace --help' : near}`);
}

/** The version of the package that the bundle lies in. */
function version(): string {
  const text = readFileSync(join(__dirname, '..', 'package.json'), 'utf8');
  return String((JSON.parse(text) as { version: unknown }).version);
}

quietOnClosedPipe();
const tell = (line: string): void => {
  process.stderr.write(`${line}\n`);
};
main(process.argv.slice(2), {
  paint: paintFor(process.stdout, process.env),
  progress: new Progress(process.stderr),
  tell,
}).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    if (error instanceof CliError) tell(error.message);
    // A bug of ours: the stack says where, and exit 1 would claim that the trace is wrong.
    else tell(`ublk-trace: internal error: ${error instanceof Error ? error.stack : String(error)}`);
    process.exitCode = error instanceof CliError ? error.exitCode : 2;
  },
);

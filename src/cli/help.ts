import type { ArgsSpec, OptionSpec } from './args';
import type { Command } from './command';

const WIDTH = 26;

/** The help of the whole program. */
export function generalHelp(commands: readonly Command[]): string {
  return [
    'usage: ublk-trace COMMAND [options]',
    '',
    'Simulate, read and check traces of ublk and io_uring.',
    '',
    'Commands:',
    ...commands.map((command) => entry(usage(command), command.says)),
    '',
    'Options:',
    entry('--help', 'print this help; COMMAND --help tells more'),
    entry('--version', 'print the version'),
    '',
    'TRACE is trace text (ours, cat trace, trace-cmd report), gzip of it, or - for stdin.',
    'Exit code: 0 fine, 1 ran and found something wrong, 2 could not run.',
    '',
  ].join('\n');
}

/** The help of one command. */
export function commandHelp(command: Command): string {
  const more = command.more ? ['', ...command.more] : [];
  return [
    `usage: ublk-trace ${usage(command)} [options]`,
    '',
    `${command.says}.`,
    ...more,
    '',
    'Options:',
    ...command.options.map((option) => entry(optionUsage(option), option.says)),
    '',
  ].join('\n');
}

function usage(spec: ArgsSpec): string {
  return [spec.name, ...spec.positionals].join(' ');
}

function optionUsage(option: OptionSpec): string {
  const short = option.short ? `-${option.short}, ` : '';
  return `${short}--${option.name}${option.value ? ` ${option.value}` : ''}`;
}

function entry(left: string, right: string): string {
  return left.length < WIDTH - 3
    ? `  ${left.padEnd(WIDTH - 2)}${right}`
    : `  ${left}\n${' '.repeat(WIDTH)}${right}`;
}

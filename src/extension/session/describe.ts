import { KERNELS, SIMULATED_SERVERS, type ServerName } from '../../session/ast';
import type { CommandSpec, OptionSpec } from '../../session/options';
import type { Translate } from '../translate';

/** Values that a person may choose for an option; empty where they are free. */
export function valuesOf(option: OptionSpec): readonly string[] {
  if (option.values !== undefined) return option.values;
  if (option.type === 'bool') return ['0', '1'];
  if (option.name === 'kernel') return KERNELS;
  if (option.name === 'server') return SIMULATED_SERVERS;
  return [];
}

/** Whether this version of the tool has the option and the simulator runs it. */
export function usable(option: OptionSpec, server: ServerName): boolean {
  return option.simulated !== false && (option.servers === undefined || option.servers.includes(server));
}

/** All ways to write an option, with its placeholder: `-q N, --queues N`. */
export function spellings(option: OptionSpec, style: CommandSpec['style'] | 'setting'): string {
  const { argument, long = [], short } = option;
  if (style === 'setting') return argument === undefined ? option.name : `${option.name}=${argument}`;
  if (style === 'operands') return long.map((name) => `${name}=${argument ?? ''}`).join(', ');
  const value = argument ?? option.longArgument;
  const forms = short === undefined ? [] : [argument === undefined ? `-${short}` : `-${short} ${argument}`];
  for (const name of long) {
    if (value === undefined) forms.push(`--${name}`);
    else forms.push(option.optionalArgument ? `--${name}[=${value}]` : `--${name}=${value}`);
  }
  return forms.join(', ');
}

/** What a hover and the documentation of a completion say of an option; Markdown. */
export function optionText(
  option: OptionSpec,
  style: CommandSpec['style'] | 'setting',
  server: ServerName,
  t: Translate,
): string {
  const lines = [`\`${spellings(option, style)}\``, '', option.doc];
  const facts: string[] = [];
  const values = valuesOf(option);
  if (values.length > 0 && values.length <= 24 && option.type !== 'bool')
    facts.push(t('values: {0}', values.map((value) => `\`${value}\``).join(' ')));
  if (option.min !== undefined || option.max !== undefined) facts.push(t('range: {0}', range(option, t)));
  if (option.ops !== undefined)
    facts.push(t('belongs to {0}', option.ops.map((op) => `\`${op}\``).join(' ')));
  if (option.unit !== undefined) facts.push(t('unit of a bare number: {0}', option.unit));
  const preset = option.defaults?.[server] ?? option.default;
  if (preset !== undefined) facts.push(t('default: {0}', `\`${preset}\``));
  if (option.servers !== undefined && !option.servers.includes(server))
    facts.push(t('**{0} does not have it**, only {1}', server, option.servers.join(', ')));
  if (option.simulated === false) facts.push(t('**not simulated**: its use is an error'));
  if (option.noEffect) facts.push(t('accepted, without effect on the requests'));
  if (option.notSimulated !== undefined) facts.push(t('not simulated: {0}', option.notSimulated.join(', ')));
  for (const fact of facts) lines.push('', `- ${fact}`);
  return lines.join('\n').replaceAll('\n\n- ', '\n- ').replace('\n- ', '\n\n- ');
}

/** What a hover says of a command; Markdown. */
export function commandText(command: CommandSpec, t: Translate): string {
  const lines = [`\`${command.synopsis}\``, '', command.doc];
  if (command.simulated === false) lines.push('', t('**not simulated**: its use is an error'));
  return lines.join('\n');
}

function range({ min, max, clamps }: OptionSpec, t: Translate): string {
  const open = max === undefined || max >= Number.MAX_SAFE_INTEGER;
  const text = open
    ? t('{0} or more', min ?? 0)
    : min === undefined
      ? t('up to {0}', max)
      : t('{0} to {1}', min, max);
  return clamps ? `${text}; ${t('the tool takes {0} for anything above', max ?? 0)}` : text;
}

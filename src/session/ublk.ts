import type { Command, CommandBase, Settings, UblkAddCommand } from './ast';
import { parseArgs } from './args';
import type { Args } from './args';
import { didYouMean, quote } from './diagnostics';
import type { DiagnosticSink } from './diagnostics';
import type { Word } from './lexer';
import { COMMANDS } from './options';
import type { CommandSpec } from './options';

/** `ublk add`, `del`, `list`, `recover`; undefined after reporting an error. */
export function parseUblk(
  words: Word[],
  base: CommandBase,
  settings: Settings,
  sink: DiagnosticSink,
): Command | undefined {
  const [tool, verb, ...rest] = words;
  if (verb === undefined) {
    sink.error(tool!, 'ublk: missing command (add, del, list, recover)');
    return undefined;
  }
  const spec = COMMANDS.find((row) => row.name === `ublk ${verb.text}`);
  if (spec === undefined) {
    const hint = didYouMean(verb.text, ['add', 'del', 'list', 'recover']);
    sink.error(verb, `ublk: unknown command: ${quote(verb.text)}${hint}`);
    return undefined;
  }
  if (spec.simulated === false) {
    sink.error(verb, `${spec.name} is not simulated; add, del, list and recover are`);
    return undefined;
  }
  const args = parseArgs(spec, rest, { sink, server: settings.server });
  if (args.operands.length > 0)
    sink.error(args.operands[0]!, `${spec.name} takes no ${quote(args.operands[0]!.text)}: ${spec.synopsis}`);
  switch (verb.text) {
    case 'add':
      return add(args, base, verb, spec, settings, sink);
    case 'del':
      return del(args, base, verb, sink);
    case 'list':
      return {
        ...base,
        kind: 'ublk-list',
        id: args.values.number('number'),
        verbose: args.values.has('verbose'),
      };
    default: {
      const id = args.values.number('number');
      if (!args.values.has('number'))
        sink.error(verb, 'ublk recover needs -n ID: without it the tool asks for device -1');
      return id === undefined
        ? undefined
        : { ...base, kind: 'ublk-recover', id, verbose: args.values.has('verbose') };
    }
  }
}

function del({ values }: Args, base: CommandBase, verb: Word, sink: DiagnosticSink): Command {
  const id = values.number('number');
  if (id === undefined && !values.has('all')) {
    sink.warning(verb, 'without -n ID this deletes every device; say so with -a');
  } else if (id !== undefined && values.has('all'))
    sink.warning(values.get('all')!.at, '-a has no effect beside -n');
  return { ...base, kind: 'ublk-del', id: id ?? 'all' };
}

function add(
  { values, ok }: Args,
  base: CommandBase,
  verb: Word,
  spec: CommandSpec,
  settings: Settings,
  sink: DiagnosticSink,
): UblkAddCommand | undefined {
  const type = values.oneOf('type');
  if (!values.has('type') && ok)
    sink.error(verb, 'ublk add: no dev type specified (-t null, -t loop or -t qcow2)');
  const file = values.text('file');
  const fileType = type === 'loop' || type === 'qcow2' ? type : undefined;
  if (fileType !== undefined && !values.has('file'))
    sink.error(
      verb,
      `ublk add -t ${fileType} needs its ${fileType === 'loop' ? 'backing file' : 'image'}: -f FILE`,
    );
  if (type === 'qcow2') checkQcow2(values, spec, sink);
  if (type === 'null') {
    for (const name of ['file', 'buffered_io']) {
      const given = values.get(name);
      if (given !== undefined) sink.warning(given.at, `${name} has no effect with -t null`);
    }
  }
  const zeroCopy = values.has('zero_copy');
  if (zeroCopy) explainZeroCopy(type, values.get('zero_copy')!.at, settings, sink);
  const reissue = values.numberOr('user_recovery_reissue', spec.options) === 1;
  const compInTask = values.number('uring_comp');
  const result = {
    ...base,
    kind: 'ublk-add' as const,
    id: values.numberOr('number', spec.options),
    queues: values.numberOr('queues', spec.options),
    depth: values.numberOr('depth', spec.options),
    zeroCopy,
    compInTask: compInTask === undefined ? undefined : compInTask === 1,
    needGetData: values.numberOr('need_get_data', spec.options) === 1,
    bufferedIo: values.has('buffered_io') && type === 'loop',
    // The tool sets both flags for -i.
    userRecovery: values.numberOr('user_recovery', spec.options) === 1 || reissue,
    recoveryReissue: reissue,
    maxIoBufBytes: values.numberOr('max_io_buf_bytes', spec.options),
  };
  if (fileType !== undefined && file !== undefined) return { ...result, type: fileType, file };
  return type === 'null' ? { ...result, type } : undefined;
}

/** What the qcow2 target of ublksrv does not know. */
function checkQcow2(values: Args['values'], spec: CommandSpec, sink: DiagnosticSink): void {
  if (values.numberOr('queues', spec.options) > 1)
    sink.error(values.get('queues')!.at, 'ublk add -t qcow2 has one queue only');
  if (values.has('buffered_io'))
    sink.error(values.get('buffered_io')!.at, 'ublk add -t qcow2 has no --buffered_io');
}

/** Whether `-z` leads to splices: the RFC driver and the server that goes with it. */
export function splices(add: UblkAddCommand, settings: Settings): boolean {
  return (
    add.zeroCopy &&
    add.type === 'loop' &&
    settings.kernel === '6.1+splice-zc' &&
    settings.server === 'ublksrv-2022-11'
  );
}

function explainZeroCopy(
  type: string | undefined,
  at: { line: number; column: number; endColumn: number },
  settings: Settings,
  sink: DiagnosticSink,
): void {
  if (settings.kernel === '6.1') {
    sink.warning(at, 'the 6.1 driver clears the zero copy flag: this device works in copy mode');
  } else if (settings.kernel === '7.3') {
    sink.warning(at, 'zero copy by registered buffers is not simulated: this device works in copy mode');
  } else if (settings.kernel === '6.1+splice-zc' && settings.server !== 'ublksrv-2022-11') {
    sink.warning(
      at,
      `${settings.server} does not splice: with -z this device works in copy mode; ublksrv-2022-11 splices`,
    );
  } else if (type === 'null') sink.info(at, 'the null target moves no data: -z changes nothing but the flag');
  else if (type === 'qcow2')
    sink.warning(at, 'the qcow2 target does not splice: with -z this device works in copy mode');
}

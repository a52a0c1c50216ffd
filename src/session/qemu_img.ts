import type { QemuImgCommand } from './ast';
import { parseArgs, tail } from './args';
import { didYouMean, quote } from './diagnostics';
import type { DiagnosticSink } from './diagnostics';
import type { Word } from './lexer';
import { COMMANDS } from './options';
import { readSize } from './sizes';
import type { ToolInput } from './tools';

const COMPAT: Readonly<Record<string, 2 | 3>> = { '0.10': 2, v2: 2, '1.1': 3, v3: 3 };
/** Creation options of qemu-img that the simulator lacks. */
const OTHER_OPTIONS = [
  'backing_file',
  'backing_fmt',
  'compression_type',
  'data_file',
  'data_file_raw',
  'encryption',
  'extended_l2',
  'lazy_refcounts',
  'preallocation',
  'size',
];
/** Largest image; its L1 table has 32 MiB at most. */
const MAX_SIZE = 2 ** 43;

/** `qemu-img create -f qcow2 [-o OPTIONS] FILE SIZE`; undefined after reporting an error. */
export function parseQemuImg({ words, base, server, sink }: ToolInput): QemuImgCommand | undefined {
  const [tool, verb, ...rest] = words;
  const verbs = COMMANDS.flatMap((row) => (row.name.startsWith('qemu-img ') ? [row.name.slice(9)] : []));
  const spec = COMMANDS.find((row) => row.name === `qemu-img ${verb?.text ?? ''}`);
  if (verb === undefined || spec === undefined || spec.simulated === false) {
    const shown = verb === undefined ? 'missing command' : quote(verb.text) + didYouMean(verb.text, verbs);
    sink.error(verb ?? tool!, `qemu-img: ${shown}: create is simulated`);
    return undefined;
  }
  const { values, operands } = parseArgs(spec, rest, { sink, server });
  if (!values.has('format'))
    sink.error(verb, 'qemu-img create: without -f qcow2 it makes a raw file; truncate makes those');
  values.oneOf('format');
  const [path, size] = operands;
  if (path === undefined || size === undefined) {
    sink.error(verb, `qemu-img create: needs FILE and SIZE: ${spec.synopsis}`);
    return undefined;
  }
  if (operands.length > 2)
    sink.error(operands[2]!, `qemu-img create: unexpected ${quote(operands[2]!.text)}`);
  const bytes = readSize(size.text, 'coreutils');
  if (!bytes.ok) sink.error(size, `qemu-img create: size ${quote(size.text)} ${bytes.reason}`);
  else if (bytes.value > MAX_SIZE)
    sink.error(size, `qemu-img create: at most ${MAX_SIZE} bytes are simulated`);
  const list = values.get('options')?.value;
  const options = { version: 3 as 2 | 3, clusterBits: 16, refcountOrder: 4 };
  if (list !== undefined) readOptions(list, options, sink);
  if (options.version === 2 && options.refcountOrder !== 4)
    sink.error(list!, 'qemu-img create: compat=0.10 has refcounts of 16 bits only');
  if (path.special !== undefined || path.text === '') sink.error(path, 'this is not a file name');
  if (!bytes.ok) return undefined;
  // qemu-img makes whole sectors of it
  return { ...base, kind: 'qemu-img', path: path.text, size: Math.ceil(bytes.value / 512) * 512, ...options };
}

function readOptions(
  list: Word,
  into: { version: 2 | 3; clusterBits: number; refcountOrder: number },
  sink: DiagnosticSink,
): void {
  let from = 0;
  for (const text of list.text.split(',', 64)) {
    const at = tail(list, from);
    const word = { ...at, text, endColumn: list.plain ? at.column + text.length : at.endColumn };
    from += text.length + 1;
    const [name, value] = text.split('=', 2) as [string, string | undefined];
    const fail = (why: string): void => sink.error(word, `qemu-img create: ${name} ${why}`);
    if (name === 'compat') {
      const version = Object.hasOwn(COMPAT, value ?? '') ? COMPAT[value ?? ''] : undefined;
      if (version === undefined) fail(`is one of ${Object.keys(COMPAT).join(', ')}`);
      else into.version = version;
    } else if (name === 'cluster_size') {
      const size = readSize(value ?? '', 'coreutils');
      const bits = size.ok ? Math.log2(size.value) : Number.NaN;
      if (!Number.isInteger(bits) || bits < 9 || bits > 21) fail('is a power of two between 512 and 2M');
      else into.clusterBits = bits;
    } else if (name === 'refcount_bits') {
      const order = Math.log2(Number(value));
      if (!Number.isInteger(order) || order < 0 || order > 6) fail('is 1, 2, 4, 8, 16, 32 or 64');
      else into.refcountOrder = order;
    } else if (OTHER_OPTIONS.includes(name) || name.startsWith('encrypt.')) fail('is not simulated');
    else
      fail(
        `is unknown${didYouMean(name, ['compat', 'cluster_size', 'refcount_bits'])}; simulated: compat, cluster_size, refcount_bits`,
      );
  }
}

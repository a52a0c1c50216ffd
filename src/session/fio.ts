import type { CommandBase, FioCommand, FioEngine, FioJob, FioRw, ServerName } from './ast';
import { parseArgs } from './args';
import { quote } from './diagnostics';
import type { DiagnosticSink } from './diagnostics';
import type { Word } from './lexer';
import { COMMANDS } from './options';
import type { OptionSpec } from './options';
import { Values } from './values';
import type { Given } from './values';

/** Most jobs of one command line. */
const MAX_JOBS = 256;
const SYNCHRONOUS: readonly string[] = ['psync', 'sync', 'pvsync'];

/** `fio --name=... ...`: options before the first --name are defaults of every job. */
export function parseFio(
  words: Word[],
  base: CommandBase,
  server: ServerName,
  sink: DiagnosticSink,
): FioCommand | undefined {
  const spec = COMMANDS.find((row) => row.name === 'fio')!;
  const { given, operands } = parseArgs(spec, words.slice(1), { sink, server });
  if (operands.length > 0) {
    sink.error(
      operands[0]!,
      `fio: job files are not simulated; give the job as options instead of ${quote(operands[0]!.text)}`,
    );
  }
  const defaults: Given[] = [];
  const sections: Given[][] = [];
  let section = defaults;
  for (const one of given) {
    if (one.spec.name === 'name') {
      section = one.value?.text === 'global' && sections.length === 0 ? defaults : [];
      if (section !== defaults) sections.push(section);
    }
    if (one.value?.text !== 'global' || one.spec.name !== 'name') section.push(one);
  }
  if (sections.length === 0) sink.error(words[0]!, 'fio: no jobs defined: --name=JOB begins one');
  if (sections.length > MAX_JOBS) {
    sink.error(words[0]!, `fio: ${sections.length} jobs in one command; ${MAX_JOBS} are accepted`);
    return undefined;
  }
  const seenDefaults = sections.length > 0 ? defaults : [];
  const jobs: FioJob[] = [];
  for (const one of sections) {
    const values = new Values(sink, server, [...seenDefaults, ...one]);
    new Values(sink, server, one).warnRepeated();
    const job = readJob(values, spec.options, one[0]!.at as Word, sink);
    if (job !== undefined) jobs.push(job);
  }
  return jobs.length === 0 ? undefined : { ...base, kind: 'fio', jobs };
}

function readJob(
  values: Values,
  specs: readonly OptionSpec[],
  at: Word,
  sink: DiagnosticSink,
): FioJob | undefined {
  const filename = values.text('filename');
  if (!values.has('filename'))
    sink.error(at, 'fio: this job has no --filename; the simulator needs one, such as /dev/ublkb0');
  else if (filename?.includes(':'))
    sink.error(values.get('filename')!.value!, 'fio: several files in one job are not simulated');
  for (const name of ['bs', 'size', 'io_size', 'offset', 'rw']) refuseParts(name, values, sink);
  const rw = values.has('rw') ? (values.oneOf('rw') as FioRw | undefined) : 'read';
  const ioengine = (values.has('ioengine') ? values.oneOf('ioengine') : 'psync') as FioEngine | undefined;
  const mixWrite = values.number('rwmixwrite');
  const buffered = values.number('buffered');
  const job: Omit<FioJob, 'rw' | 'ioengine' | 'filename' | 'iodepth'> = {
    name: values.text('name') ?? 'fio',
    rwmixread: mixWrite === undefined ? values.numberOr('rwmixread', specs) : 100 - mixWrite,
    bs: values.numberOr('bs', specs),
    direct: buffered === undefined ? values.numberOr('direct', specs) === 1 : buffered === 0,
    numberIos: values.number('number_ios'),
    size: values.number('size'),
    ioSize: values.number('io_size'),
    offset: values.numberOr('offset', specs),
    numjobs: values.numberOr('numjobs', specs),
    randseed: values.u64('randseed'),
    runtimeNs: values.number('runtime'),
    timeBased: values.flag('time_based'),
    fsync: values.numberOr('fsync', specs),
    fdatasync: values.numberOr('fdatasync', specs),
    endFsync: values.numberOr('end_fsync', specs) === 1,
    thinkTimeNs: values.numberOr('thinktime', specs),
    noRandomMap: values.flag('norandommap'),
    stonewall: values.flag('stonewall'),
  };
  const iodepth = values.numberOr('iodepth', specs);
  if (rw === undefined || ioengine === undefined || filename === undefined) return undefined;
  warnIneffective(values, { ...job, rw, ioengine, filename, iodepth }, sink);
  return { ...job, rw, ioengine, filename, iodepth: SYNCHRONOUS.includes(ioengine) ? 1 : iodepth };
}

/** Forms of a value that fio takes and the simulator does not: percent, ranges, one size per direction, modifiers. */
function refuseParts(name: string, values: Values, sink: DiagnosticSink): void {
  const value = values.get(name)?.value;
  const mark = value === undefined ? undefined : /[%,:-]/.exec(value.text.slice(0, 64))?.[0];
  if (value !== undefined && mark !== undefined) {
    values.forget(name);
    sink.error(
      value,
      `fio: '${mark}' in --${name}=${value.text.slice(0, 40)} is not simulated: one plain value is`,
    );
  }
}

function warnIneffective(values: Values, job: FioJob, sink: DiagnosticSink): void {
  const warn = (name: string, message: string): void => {
    const given = values.get(name);
    if (given !== undefined) sink.warning(given.at, message);
  };
  if (SYNCHRONOUS.includes(job.ioengine) && job.iodepth > 1) {
    warn(
      'iodepth',
      `--iodepth=${job.iodepth} has no effect: ${job.ioengine} waits for each request; use --ioengine=libaio`,
    );
  }
  if (job.ioengine === 'libaio' && !job.direct && job.iodepth > 1) {
    warn('iodepth', 'libaio without --direct=1 waits for each request in io_submit: little is in flight');
  }
  const mixed = ['readwrite', 'randrw'].includes(job.rw);
  for (const name of ['rwmixread', 'rwmixwrite'])
    if (!mixed) warn(name, `--${name} has no effect with --rw=${job.rw}`);
  if (!job.rw.startsWith('rand')) warn('randseed', `--randseed has no effect with --rw=${job.rw}`);
  if (!job.rw.startsWith('rand')) warn('norandommap', `--norandommap has no effect with --rw=${job.rw}`);
  if (['read', 'randread'].includes(job.rw)) {
    for (const name of ['fsync', 'fdatasync', 'end_fsync'])
      warn(name, `--${name} has no effect without writes`);
  }
  if (job.timeBased && job.runtimeNs === undefined)
    warn('time_based', '--time_based has no effect without --runtime');
  const size = values.get('size');
  if (job.size !== undefined && job.size < job.bs) {
    sink.error(size!.value!, `fio: --size=${job.size} is smaller than one block of ${job.bs} bytes`);
  }
}

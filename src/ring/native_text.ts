/** A ring program for the native runner (tools/ring/run_ring.c), and its answer as an outcome. */
import { encodeSqe } from '../uapi/sqe';
import { toHex } from '../uapi/bytes';
import type { Outcome, OutcomeContents, OutcomeStep } from './outcome';
import { contentsOf } from './outcome';
import type { ProgramFile, RingProgram } from './program';

/** fcntl.h of x86-64. */
const O = {
  WRONLY: 1,
  RDWR: 2,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  DSYNC: 0o10000,
  DIRECT: 0o40000,
  SYNC: 0o4010000,
} as const;

function nameSum(name: string): number {
  return new TextEncoder().encode(name).reduce((sum, byte) => sum + byte, 0) % 256;
}

function openFlags(file: ProgramFile): number {
  const { open } = file;
  let flags: number = open.has('RDONLY') ? 0 : open.has('WRONLY') ? O.WRONLY : O.RDWR;
  for (const name of ['APPEND', 'NONBLOCK', 'DSYNC', 'DIRECT', 'SYNC'] as const)
    if (open.has(name)) flags |= O[name];
  return flags;
}

/** The program as input of the native runner. */
export function nativeText(program: RingProgram): string {
  const { entries, cqEntries, setup, fsizeLimit, fds, fixedIndex } = program;
  const lines = [`R ${entries} ${cqEntries} ${setup} ${Number.isFinite(fsizeLimit) ? fsizeLimit : -1}`];
  for (const file of program.files) {
    const sum = nameSum(file.name);
    const flags = openFlags(file);
    if (file.kind === 'pipe') {
      const read = `${file.name}.r`;
      const nonblock = file.open.has('NONBLOCK') ? 1 : 0;
      const ends = `${fds.get(read)} ${fds.get(`${file.name}.w`)}`;
      lines.push(`P ${ends} ${file.size} ${file.fill} ${nonblock} ${fixedIndex.get(read) ?? -1} ${sum}`);
      continue;
    }
    const letter = { file: 'f', null: 'n', zero: 'z', full: 'u' }[file.kind];
    const index = fixedIndex.get(file.name) ?? -1;
    lines.push(
      `F ${fds.get(file.name)} ${letter} ${file.size} ${file.cached ? 1 : 0} ${flags} ${index} ${sum}`,
    );
  }
  for (const { name, addr, size, fixed } of program.buffers)
    lines.push(`B ${addr} ${size} ${fixed ? 1 : 0} ${nameSum(name)}`);
  for (const { addr, bytes } of program.memory) lines.push(`M ${addr} ${toHex(bytes)}`);
  for (const step of program.steps) {
    switch (step.kind) {
      case 'submit':
        lines.push(['S', step.toSubmit ?? -1, step.wait ?? -1, ...step.sqes.map(sqeHex)].join(' '));
        break;
      case 'reap':
        lines.push(step.count === 'all' ? 'A' : `W ${step.count}`);
        break;
      case 'sleep':
        lines.push(`Z ${step.ns / 1000}`);
        break;
      case 'close':
        lines.push(`C ${fds.get(step.file)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function sqeHex(sqe: Parameters<typeof encodeSqe>[2]): string {
  const bytes = new Uint8Array(64);
  encodeSqe(new DataView(bytes.buffer), 0, sqe);
  return toHex(bytes);
}

/** Reads the runner's answer; `contents` gives the bytes it left under a name. */
export function nativeOutcome(
  program: RingProgram,
  text: string,
  contents: (name: string) => Uint8Array,
): Outcome {
  const steps: OutcomeStep[] = [];
  const files: Record<string, OutcomeContents> = {};
  const buffers: Record<string, OutcomeContents> = {};
  const names = new Map([...program.fds].map(([name, fd]) => [fd, name]));
  let counters = {};
  for (const line of text.trimEnd().split('\n')) {
    const words = line.split(' ');
    if (words[0] === 'S') steps.push(submitStep(words));
    else if (words[0] === 'W') steps.push(reapStep(words));
    else if (words[0] === '-') steps.push({});
    else if (words[0] === 'F') {
      const name = names.get(Number(words[1])) ?? '';
      const pipe = name.endsWith('.r');
      const bytes = contents(`${pipe ? 'pipe' : 'file'}${words[1]}`);
      files[pipe ? name.slice(0, -2) : name] = contentsOf([bytes], Number(words[2]), Number(words[3]));
    } else if (words[0] === 'E') {
      counters = {
        ...(words[1] === '0' ? {} : { cq_overflow: Number(words[1]) }),
        ...(words[2] === '0' ? {} : { sq_dropped: Number(words[2]) }),
      };
    }
  }
  for (const { name, addr, size } of program.buffers) {
    buffers[name] = contentsOf([contents(`buf${addr.toString(16)}`)], size, 0);
  }
  return { steps, files, buffers, ...counters };
}

function cqesOf(words: readonly string[]): NonNullable<OutcomeStep['cqes']> {
  return words
    .filter((word) => word.includes(':'))
    .map((word) => {
      const [user_data, res, flags] = word.split(':');
      return { user_data: user_data!, res: Number(res), flags: Number(flags) };
    });
}

function submitStep(words: readonly string[]): OutcomeStep {
  const step: OutcomeStep = { submitted: Number(words[1]) };
  if (words[2] === '1') step.overflow = true;
  if (words[3] === 'hang') {
    step.cqes = cqesOf(words);
    step.hang = true;
  }
  return step;
}

function reapStep(words: readonly string[]): OutcomeStep {
  return words.includes('hang') ? { cqes: cqesOf(words), hang: true } : { cqes: cqesOf(words) };
}

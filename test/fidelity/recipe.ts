import type { Recording } from '../support/oracle';

/** One step of a recorded workload: how many of the client's I/Os it made, and at which queue depth. */
export interface Step {
  readonly depth: number;
  readonly ios: number;
}

/** How a recording is run again in the simulator. */
export interface Recipe {
  readonly session: string;
  /** Steps of the client in order; empty where the client was a shell command. */
  readonly steps: readonly Step[];
}

const LIFE = /-life-/;

/** Writes the session that does what meta.json says was done when the recording was made. */
export function recipeOf(recording: Recording): Recipe {
  const { meta } = recording;
  const rfc = meta.kernel === '6.1+RFC';
  const backing = backingOf(recording);
  const steps: Step[] = [];
  const capacity = (meta.dev_capacity_sectors ?? 65536) * 512;
  const lines = [
    `#: kernel ${rfc ? '6.1+splice-zc' : meta.kernel}`,
    `#: server ${rfc ? 'ublksrv-2022-11' : 'ublksrv-1.2'}`,
    // with -z the partition scan leaves a worker with its pipe behind, as it did before these recordings began
    `#: part-scan ${LIFE.test(recording.name) || / -z\b/.test(meta.command_line ?? '') ? 'on' : 'off'}`,
    `#: backing ${backing.raw ? 'blkdev' : 'file'}`,
  ];
  if (!backing.raw) lines.push(`#: block-size ${meta.logical_block_size ?? 4096}`);
  const fault = faultLine(meta.fault);
  const add = addLine(meta.command_line ?? '');
  if (/-t qcow2/.test(add)) lines.push(`qemu-img create -f qcow2 q.qcow2 ${capacity}`);
  if (/-t loop/.test(add)) lines.push(`dd if=/dev/urandom of=back.img bs=64k count=${capacity / 65536}`);
  lines.push(add);
  // the client began long after the server; metadata that is overdue is written even while the queue is busy
  if (/-t qcow2/.test(add)) lines.push('sleep 1');
  if (backing.shortened !== undefined) lines.push(`truncate -s ${backing.shortened} back.img`);
  if (fault !== undefined) lines.push(fault);
  // the recording script asked for the pid of the daemon before it began
  if (LIFE.test(recording.name)) lines.push('ublk list -n 0');
  // the kill came before the first I/O (README of the recordings)
  if (/kill -9/.test(commandOf(recording))) lines.push('kill -9 $(pgrep -n ublk)');
  lines.push(...workload(recording, steps));
  if (LIFE.test(recording.name)) lines.push('ublk del -n 0');
  return { session: lines.map((line) => `${line}\n`).join(''), steps };
}

interface Backing {
  readonly raw: boolean;
  /** Size to which the file was cut behind the server's back. */
  readonly shortened?: number;
}

function backingOf({ meta }: Recording): Backing {
  const { backing } = (meta.block_devices ?? {}) as { readonly backing?: { readonly name: string } };
  if (backing?.name.startsWith('/dev/')) return { raw: true };
  // the reads that come short in these recordings tell where the file ends
  return backing?.name === 'short.img' ? { raw: false, shortened: 1044480 } : { raw: false };
}

/** `ublk add` with the recorded options; the stand-in server of the RFC recordings has its own names for them. */
function addLine(command: string): string {
  if (command.startsWith('ublk add')) return command;
  const depth = /-d (\d+)/.exec(command)?.[1] ?? '128';
  return `ublk add -t loop -n 0 -q 1 -d ${depth} -f back.img${/ -z\b/.test(command) ? ' -z' : ''}`;
}

function faultLine(fault: unknown): string | undefined {
  const known: Readonly<Record<string, string>> = {
    no_r2r: 'no-read-to-read',
    r2r_only: 'read-to-read-only',
    retry_same: 'retry-same',
    no_fill: 'no-fill',
    overcommit: 'over-commit',
    commit_early: 'commit-early',
  };
  if (typeof fault !== 'string') return undefined;
  const mistake = known[fault];
  // the recorded server spares requests below 32 KiB, so that the partition scan stays clean
  return mistake && `#: fault server count=all offset=32768 length=1073741824 ${mistake}`;
}

function commandOf({ meta }: Recording): string {
  return (meta.workload as { readonly command?: string } | undefined)?.command ?? '';
}

function workload(recording: Recording, steps: Step[]): string[] {
  const { meta } = recording;
  const work = meta.workload as
    | { readonly script?: string; readonly command?: string; readonly client?: string }
    | undefined;
  if (work?.command?.startsWith('dd ')) return work.command.split(';').map((command) => command.trim());
  const script = work?.script ?? /iogen DEV io\.json ([^&]*)/.exec(work?.command ?? '')?.[1]?.trim() ?? '';
  const ios = [...(meta.expected_ios ?? [])];
  if (work?.client?.includes('(buffered I/O')) {
    steps.push(...ios.map(() => ({ depth: 1, ios: 1 })));
    return ios.map(
      (io) => `dd if=/dev/ublkb0 of=/dev/null bs=${io.length} count=1 skip=${io.offset / io.length}`,
    );
  }
  const parts: string[] = [];
  for (const text of script.split(/\s+/).filter((word) => word !== '')) {
    const fields = text.split(':');
    if (fields[0] !== 'r' && fields[0] !== 'w') {
      ios.shift();
      steps.push({ depth: 1, ios: 1 });
      parts.push(text);
      continue;
    }
    const count = Number(fields[3]);
    const depth = Number(fields[4]);
    const taken = ios.splice(0, count);
    steps.push({ depth, ios: count });
    if (fields.length > 6 || taken.length < count) parts.push(text);
    else parts.push(`list:${depth}:${taken.map((io) => `${fields[0]}@${io.offset}+${io.length}`).join(',')}`);
  }
  return parts.length === 0 ? [] : [`iogen /dev/ublkb0 io.json ${parts.join(' ')}`];
}

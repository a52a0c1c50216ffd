import { simulate } from '../../src/simulate';
import { parseSession } from '../../src/session/parse';
import { matchRequests } from '../../src/trace/requests';
import type { Trace } from '../../src/trace/trace';
import { listRecordings, loadRecording, parseTrace, type Recording } from '../support/oracle';
import { recipeOf } from './recipe';
import { type IoSequence, recordedWindows, type Scope, sequencesOf, simulatedWindows } from './sequence';

/** The comparison of one client I/O. */
export interface IoScore {
  readonly recorded: IoSequence;
  readonly simulated: IoSequence;
  readonly equal: boolean;
  /** Queue depth of the step that it belongs to. */
  readonly depth: number;
}

/** The comparison of one recording. */
export interface Score {
  readonly name: string;
  readonly session: string;
  readonly ios: readonly IoScore[];
  readonly recorded: Trace;
  readonly simulated: Trace;
  readonly output: string;
}

/** Runs a recording again and compares client I/O by client I/O. */
export function scoreOf(name: string): Score {
  const recording = loadRecording(name);
  const recipe = recipeOf(recording);
  const session = parseSession(recipe.session, `${name}.ublk`);
  const errors = session.diagnostics.filter((d) => d.severity === 'error');
  if (errors.length > 0) throw new Error(`${name}: ${errors.map((d) => `${d.line}: ${d.message}`).join('\n')}\n${recipe.session}`);
  const recorded = parseTrace(recording.text).trace;
  const early = earlyAnswers(recorded);
  const result = simulate(session, {
    override: (kind, _n, index) => (kind === 'early-irq' ? (early.has(index) ? 0 : 1) : undefined),
  });
  const scope = { probes: probesOf(recording), noBackingDisk: isTmpfs(recording) };
  const shell = recipe.steps.length === 0;
  const a = sequencesOf(recorded, shell ? undefined : recordedWindows(recording.meta.expected_ios ?? []), { ...scope, side: 'recorded' });
  const b = sequencesOf(result.trace, shell ? undefined : simulatedWindows(result.trace), { ...scope, side: 'simulated' });
  const depths = recipe.steps.flatMap((step) => Array.from({ length: step.ios }, () => step.depth));
  const none: IoSequence = { op: 'none', offset: 0, length: 0, events: [] };
  const ios = Array.from({ length: Math.max(a.length, b.length) }, (_, i): IoScore => {
    const one = a[i] ?? none;
    const other = b[i] ?? none;
    return { recorded: one, simulated: other, depth: depths[i] ?? 1, equal: one.events.join('\n') === other.events.join('\n') };
  });
  return { name, session: recipe.session, ios, recorded, simulated: result.trace, output: result.output };
}

/**
 * Which READ and WRITE SQEs, counted as the simulator asks for `early-irq` (those that wait for the disk), had their answer
 * before the call that issued them returned: their CQE is inline though a backing disk served them.
 */
function earlyAnswers(trace: Trace): Set<number> {
  const table = matchRequests(trace);
  const early = new Set<number>();
  let index = 0;
  const sqes = Array.from({ length: table.length }, (_, r) => r).flatMap((r) => table.sqes(r));
  for (const sqe of sqes) {
    if ((sqe.opcode !== 'READ' && sqe.opcode !== 'WRITE') || sqe.via === 'io-wq') continue;
    if (sqe.via === 'inline') early.add(index);
    index++;
  }
  return early;
}

/** Probes set in a recording: all that occur in any recording of the same kernel, unless only tracepoints were on. */
function probesOf(recording: Recording): Set<string> {
  const probes = new Set<string>(Object.keys(recording.meta.event_counts));
  if (recording.name.includes('noprobe')) return probes;
  for (const name of listRecordings()) {
    const other = loadMeta(name);
    if (other.kernel !== recording.meta.kernel || other.kind !== recording.meta.kind) continue;
    for (const event of Object.keys(other.event_counts)) probes.add(event);
  }
  if (probes.has('ublk_copy_user_pages_isra_0')) probes.add('ublk_copy_user_pages');
  return probes;
}

const metas = new Map<string, Recording['meta']>();
function loadMeta(name: string): Recording['meta'] {
  let meta = metas.get(name);
  if (!meta) {
    meta = loadRecording(name).meta;
    metas.set(name, meta);
  }
  return meta;
}

function isTmpfs({ meta }: Recording): boolean {
  const { backing } = (meta.block_devices ?? {}) as { readonly backing?: { readonly dev: string } };
  return backing?.dev.includes('tmpfs') === true;
}

/** Shortest edit script of two lists, as lines with `-` (recorded only), `+` (simulated only) or a space. */
export function diffLines(a: readonly string[], b: readonly string[]): string[] {
  const n = a.length;
  const m = b.length;
  const length = Array.from({ length: n + 1 }, () => new Uint32Array(m + 1));
  for (let i = n - 1; i >= 0; i--) {
    for (let j = m - 1; j >= 0; j--) {
      length[i][j] = a[i] === b[j] ? length[i + 1][j + 1] + 1 : Math.max(length[i + 1][j], length[i][j + 1]);
    }
  }
  const out: string[] = [];
  let i = 0;
  let j = 0;
  while (i < n || j < m) {
    if (i < n && j < m && a[i] === b[j]) {
      out.push(`  ${a[i++]}`);
      j++;
    } else if (j >= m || (i < n && length[i + 1][j] >= length[i][j + 1])) out.push(`- ${a[i++]}`);
    else out.push(`+ ${b[j++]}`);
  }
  return out;
}

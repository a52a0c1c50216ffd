import { Simulation } from '../../src/simulate';
import { parseSession } from '../../src/session/parse';
import { Printer } from '../../src/trace/print';
import type { Trace } from '../../src/trace/trace';
import { listRecordings, loadRecording, parseTrace, type Recording } from '../support/oracle';
import { lifeSequences } from './life';
import { recipeOf } from './recipe';
import { type IoSequence, recordedWindows, sequencesOf, simulatedWindows, UBLK_MAJOR } from './sequence';

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
  if (errors.length > 0)
    throw new Error(`${name}: ${errors.map((d) => `${d.line}: ${d.message}`).join('\n')}\n${recipe.session}`);
  const recorded = parseTrace(recording.text).trace;
  const scope = { probes: probesOf(recording), noBackingDisk: hasNoBackingDisk(recorded) };
  const shell = recipe.steps.length === 0;
  const a = sequencesOf(recorded, shell ? undefined : recordedWindows(recording.meta.expected_ios ?? []), {
    ...scope,
    side: 'recorded',
  });
  const nowait = nowaitWrites(recorded);
  const any = [...nowait.values()].flat().includes(true);
  const perWrite = recording.meta.kernel === '7.3';
  let done = 0;
  let asked = 0;
  const simulation: Simulation = new Simulation(session, {
    observe: () => {
      done++;
      asked = 0;
    },
    override: (kind) => {
      if (kind === 'nowait-writes')
        return (perWrite ? nowait.get(lastTaken(simulation.trace))?.shift() : any) ? 0 : 1;
      if (kind === 'early-irq') return a[done]?.early[asked++] ? 0 : 1;
      return undefined;
    },
  });
  while (simulation.advance(10_000));
  const result = simulation.result();
  const windows = shell ? undefined : simulatedWindows(result.trace);
  const b = sequencesOf(asRecorded(result.trace, scope.probes), windows, { ...scope, side: 'simulated' });
  const depths = recipe.steps.flatMap((step) => Array.from({ length: step.ios }, () => step.depth));
  const none: IoSequence = { op: 'none', offset: 0, length: 0, events: [], early: [] };
  const ios = Array.from({ length: Math.max(a.length, b.length) }, (_, i): IoScore => {
    const one = a[i] ?? none;
    const other = b[i] ?? none;
    return {
      recorded: one,
      simulated: other,
      depth: depths[i] ?? 1,
      equal: one.events.join('\n') === other.events.join('\n'),
    };
  });
  return { name, session: recipe.session, ios, recorded, simulated: result.trace, output: result.output };
}

/** The simulated trace with nothing but what was recorded of the real kernel, so that requests are rebuilt from the same evidence. */
function asRecorded(trace: Trace, probes: ReadonlySet<string>): Trace {
  const printer = new Printer(trace);
  let text = '# tracer: nop\n';
  for (let e = 0; e < trace.length; e++) {
    const { name, spec } = trace.shapeOf(e);
    if (spec?.kind === 'fact' || name.startsWith('blk_mq_get_driver') || name.startsWith('blk_mq_put_driver'))
      continue;
    if (spec?.kind === 'probe' && !probes.has(name)) continue;
    text += `${printer.line(e)}\n`;
  }
  return parseTrace(text).trace;
}

/** For each WRITE SQE of the recording, by {@link writeClass}: whether it went without blocking, that is was not punted. */
function nowaitWrites(trace: Trace): Map<string, boolean[]> {
  const punted = new Set<bigint | undefined>();
  const writes = new Map<string, boolean[]>();
  for (let e = trace.length - 1; e >= 0; e--) {
    const name = trace.nameOf(e);
    const ud = trace.big(e, 'user_data');
    if (name === 'io_uring_queue_async_work') punted.add(ud);
    else if (/^io_uring_submit_(sqe|req)$/.test(name)) {
      const waits = punted.delete(ud);
      if (trace.str(e, 'opcode') !== 'WRITE') continue;
      const list = writes.get(writeClass(ud)) ?? [];
      list.unshift(!waits);
      writes.set(writeClass(ud), list);
    }
  }
  return writes;
}

/** A WRITE of a request, or of the metadata of an image; the two do not wait for each other. */
function writeClass(userData: bigint | undefined): string {
  return ((userData ?? 0n) >> 24n) % 0x10000n === 0n ? 'data' : 'metadata';
}

/** Which class of WRITE the SQE is that was taken last. */
function lastTaken(trace: Trace): string {
  let e = trace.length - 1;
  while (e > 0 && !/^io_uring_submit_(sqe|req)$/.test(trace.nameOf(e))) e--;
  return writeClass(trace.big(e, 'user_data'));
}

/** Probes set in a recording: all that occur in any recording of the same kernel, unless only tracepoints were on. */
function probesOf(recording: Recording): Set<string> {
  const probes = new Set<string>(Object.keys(recording.meta.event_counts));
  if (recording.name.includes('noprobe')) return probes;
  for (const name of listRecordings()) {
    const other = loadRecording(name).meta;
    if (other.kernel !== recording.meta.kernel || other.kind !== recording.meta.kind) continue;
    for (const event of Object.keys(other.event_counts)) probes.add(event);
  }
  if (probes.has('ublk_copy_user_pages_isra_0')) probes.add('ublk_copy_user_pages');
  return probes;
}

/** A recording whose backing file lay on no disk at all (tmpfs). */
function hasNoBackingDisk(recorded: Trace): boolean {
  for (let e = 0; e < recorded.length; e++) {
    const major = recorded.num(e, 'major');
    if (major !== undefined && major !== UBLK_MAJOR) return false;
  }
  return true;
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

/** The comparison of what one task did while the device was set up or taken down. */
export interface RoleScore {
  readonly phase: 'setup' | 'teardown';
  readonly role: string;
  readonly recorded: readonly string[];
  readonly simulated: readonly string[];
  readonly equal: boolean;
}

/** Setup and teardown of a recording of a whole life. */
export function lifeScore(name: string): RoleScore[] {
  const recording = loadRecording(name);
  const { recorded, simulated } = scoreOf(name);
  const scope = { probes: probesOf(recording), noBackingDisk: false };
  const a = lifeSequences(recorded, recordedWindows(recording.meta.expected_ios ?? []), {
    ...scope,
    side: 'recorded',
  });
  const b = lifeSequences(simulated, simulatedWindows(simulated), { ...scope, side: 'simulated' });
  const keys = new Set([...a, ...b].map(({ phase, role }) => `${phase}/${role}`));
  return [...keys].map((key) => {
    const [phase, role] = key.split('/') as ['setup' | 'teardown', string];
    const one = a.find((s) => s.phase === phase && s.role === role)?.events ?? [];
    const other = b.find((s) => s.phase === phase && s.role === role)?.events ?? [];
    return { phase, role, recorded: one, simulated: other, equal: one.join('\n') === other.join('\n') };
  });
}

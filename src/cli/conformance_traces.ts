/** Recorded io_uring programs (`test/fixtures/iou`): tracepoints and CQEs of the simulated ring against those of three kernels. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { uringProfile } from '../kernel/uring/uring_profile';
import { type ComparedOutcome, compareOutcomes } from '../ring/compare';
import { explore } from '../ring/explore';
import { orderRelation } from '../ring/order';
import { readProgram } from '../ring/read_program';
import { runProgram } from '../ring/run';
import { cqeOrder } from '../ring/schedule';

/** One event, with the task that it was in. */
interface TaskEvent {
  readonly task: string;
  readonly [field: string]: unknown;
}

interface Recorded {
  readonly kernel: string;
  /** The recording has no events of workers. */
  readonly submitter_only: boolean;
  readonly outcomes: readonly (ComparedOutcome & { count: number })[];
  readonly events: readonly TaskEvent[];
}

/** How a program of a recording compares with its simulation. */
export interface TraceVerdict {
  readonly program: string;
  readonly kernel: string;
  /** Events in the same order; in each task the same order, while tasks are interleaved otherwise; or other events. */
  readonly events: 'equal' | 'equal in each task' | 'other';
  /** The recorded CQEs are the predicted ones, are allowed, or are not. */
  readonly outcome: 'predicted' | 'allowed' | 'not allowed';
  /** Why they differ; empty where nothing does. */
  readonly reason: string;
  readonly compared: number;
}

/** Fields that differ between kernels or tell of the machine: bits of flags, masks of a poll. */
const LEFT_OUT = new Set(['flags', 'cflags', 'mask', 'events']);
const LIMITS = { schedules: 5_000, time: 5_000, outcomes: Number.POSITIVE_INFINITY };
const EXPECT = /^(\w+)\.([\d.]+)\.expect\.json$/;

/** Compares every recording of a folder. */
export function compareTraces(dir: string): TraceVerdict[] {
  const reasons = JSON.parse(readFileSync(join(dir, 'reasons.json'), 'utf8')) as Record<string, string>;
  return readdirSync(dir)
    .filter((file) => EXPECT.test(file))
    .sort()
    .map((file) => {
      const program = EXPECT.exec(file)![1]!;
      const recorded = JSON.parse(readFileSync(join(dir, file), 'utf8')) as Recorded;
      const text = readFileSync(join(dir, `${program}.json`), 'utf8');
      const verdict = compareOne(text, recorded);
      const key = `${program} ${recorded.kernel}`;
      return { program, kernel: recorded.kernel, ...verdict, reason: reasons[key] ?? reasons[program] ?? '' };
    })
    .map((verdict) => (agrees(verdict) ? { ...verdict, reason: '' } : verdict));
}

/** Whether nothing differs. */
export function agrees({ events, outcome }: Pick<TraceVerdict, 'events' | 'outcome'>): boolean {
  return events === 'equal' && outcome === 'predicted';
}

function compareOne(text: string, recorded: Recorded): Pick<TraceVerdict, 'events' | 'outcome' | 'compared'> {
  const program = readProgram(text);
  const profile = uringProfile(recorded.kernel)!;
  const run = runProgram(program, { profile, trace: true });
  const simulated = run.events
    .map(({ event, fields, context }) => ({ task: context, event, ...fields }) as TaskEvent)
    .filter(({ task }) => !recorded.submitter_only || task === 'app');
  const seen = recorded.outcomes.map(({ count, ...outcome }) => ({ count, outcome }));
  const first = compareOutcomes([run.outcome()], seen);
  const allowed = (): boolean => {
    if (first.sameResults) {
      const order = cqeOrder(recorded.outcomes[0]!);
      const turned = ({ first: a, second: b }: { first: string; second: string }): boolean =>
        order.indexOf(a) > order.indexOf(b);
      return !orderRelation(run).pairs.some((pair) => pair.rules.length > 0 && turned(pair));
    }
    const { found } = explore(program, profile, () => performance.now(), LIMITS);
    const all = found.map(({ outcome }) => outcome);
    return compareOutcomes(all, seen).allowed;
  };
  return {
    events: sequences(recorded.events, simulated),
    outcome: first.exact ? 'predicted' : allowed() ? 'allowed' : 'not allowed',
    compared: recorded.events.length,
  };
}

function sequences(recorded: readonly TaskEvent[], simulated: readonly TaskEvent[]): TraceVerdict['events'] {
  if (told(recorded) === told(simulated)) return 'equal';
  const tasks = (events: readonly TaskEvent[]): string =>
    [...new Set(events.map(({ task }) => task))]
      .map((task) => told(events.filter((event) => event.task === task)))
      .sort()
      .join('\n\n');
  return tasks(recorded) === tasks(simulated) ? 'equal in each task' : 'other';
}

/** Events as text; which of several workers it was is told by its events alone. */
function told(events: readonly TaskEvent[]): string {
  return events
    .map((event) =>
      Object.entries(event)
        .filter(([field]) => !LEFT_OUT.has(field))
        .map(([field, value]) =>
          field === 'task' ? (value === 'app' ? 'app' : 'worker') : `${field} ${value}`,
        )
        .sort()
        .join(' '),
    )
    .join('\n');
}

/** Comparing predicted outcomes with those of a kernel. */
import type { Outcome, OutcomeCqe } from './outcome';

/** An outcome that a kernel gave, and how often. */
export interface SeenOutcome {
  readonly count: number;
  readonly outcome: ComparedOutcome;
}

/** What is compared of an outcome: files and buffers only where both sides tell them. */
export type ComparedOutcome = Pick<Outcome, 'steps'> & Partial<Outcome>;

/** How a prediction stands to what a kernel did. */
export interface Comparison {
  /** The first predicted outcome is the most frequent real one. */
  readonly exact: boolean;
  /** Every real outcome is among the predicted ones. */
  readonly allowed: boolean;
  /** The results and contents of the first predicted outcome are those of the most frequent real one, in whatever order. */
  readonly sameResults: boolean;
  /** Real outcomes that were not predicted. */
  readonly unexpected: readonly SeenOutcome[];
  /** Share of the runs whose outcome is the first predicted one, 0 to 1. */
  readonly share: number;
}

/** Compares predicted outcomes, likeliest first, with the real ones. */
export function compareOutcomes(
  predicted: readonly ComparedOutcome[],
  seen: readonly SeenOutcome[],
): Comparison {
  const byCount = [...seen].sort((a, b) => b.count - a.count);
  const first = predicted[0];
  const most = byCount[0];
  const runs = seen.reduce((sum, { count }) => sum + count, 0);
  const agreeing = first ? byCount.filter(({ outcome }) => equalOutcomes(first, outcome)) : [];
  const unexpected = byCount.filter(
    ({ outcome }) => !predicted.some((candidate) => equalOutcomes(candidate, outcome)),
  );
  return {
    exact: most !== undefined && agreeing.includes(most),
    allowed: unexpected.length === 0,
    sameResults:
      first !== undefined && most !== undefined && equalOutcomes(inAnyOrder(first), inAnyOrder(most.outcome)),
    unexpected,
    share: runs === 0 ? 0 : agreeing.reduce((sum, { count }) => sum + count, 0) / runs,
  };
}

/** Whether two outcomes say the same, wherever both speak. */
export function equalOutcomes(a: ComparedOutcome, b: ComparedOutcome): boolean {
  const parts = ['steps', 'files', 'buffers', 'cq_overflow', 'sq_dropped'] as const;
  return parts.every((part) => {
    const optional = part === 'files' || part === 'buffers';
    if (optional && (a[part] === undefined || b[part] === undefined)) return true;
    return canonical(a[part] ?? 0) === canonical(b[part] ?? 0);
  });
}

/** Whether an outcome is the beginning of another one: its steps lack some of the last CQEs and nothing else. */
export function isCutShort(cut: ComparedOutcome, whole: ComparedOutcome): boolean {
  if (cut.steps.length > whole.steps.length) return false;
  const rest = ({ cqes: _cqes, hang: _hang, ...other }: Outcome['steps'][number]): string => canonical(other);
  let lacks = false;
  const begins = cut.steps.every((step, i) => {
    const other = whole.steps[i]!;
    const { cqes = [] } = step;
    if ((other.cqes?.length ?? 0) > cqes.length) lacks = true;
    const same = cqes.every((cqe, k) => canonical(cqe) === canonical(other.cqes?.[k] ?? null));
    return same && rest(step) === rest(other);
  });
  return begins && lacks;
}

/** The outcome with the CQEs of every step sorted: what is left when order does not count. */
function inAnyOrder(outcome: ComparedOutcome): ComparedOutcome {
  const text = (cqe: OutcomeCqe): string => `${cqe.user_data} ${cqe.res} ${cqe.flags}`;
  return {
    ...outcome,
    steps: outcome.steps.map((step) =>
      step.cqes ? { ...step, cqes: [...step.cqes].sort((a, b) => (text(a) < text(b) ? -1 : 1)) } : step,
    ),
  };
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** Order of the CQEs of an outcome, as user_data, steps divided by a bar. */
export function cqeOrder(outcome: ComparedOutcome): string {
  return outcome.steps
    .filter((step) => step.cqes !== undefined)
    .map((step) => (step.cqes ?? []).map((cqe) => cqe.user_data).join(' '))
    .join(' | ');
}

/** What differs first between two outcomes, in words; empty where they are equal. */
export function firstDifference(predicted: ComparedOutcome, real: ComparedOutcome): string {
  for (let i = 0; i < Math.max(predicted.steps.length, real.steps.length); i++) {
    const ours = predicted.steps[i];
    const theirs = real.steps[i];
    if (canonical(ours ?? null) === canonical(theirs ?? null)) continue;
    return `step ${i + 1}: predicted ${stepText(ours)}, the kernel gave ${stepText(theirs)}`;
  }
  for (const part of ['files', 'buffers'] as const) {
    for (const [name, theirs] of Object.entries(real[part] ?? {})) {
      const ours = predicted[part]?.[name];
      if (ours !== undefined && canonical(ours) !== canonical(theirs))
        return `${part === 'files' ? 'file' : 'buffer'} ${name}: predicted ${ours.size} bytes ${short(ours.sha256)}, the kernel gave ${theirs.size} bytes ${short(theirs.sha256)}`;
    }
  }
  return equalOutcomes(predicted, real) ? '' : 'the counters of the ring differ';
}

function short(hash: string | undefined): string {
  return hash?.slice(0, 8) ?? '(no hash)';
}

/** One step of an outcome in one line. */
export function stepText(step: Outcome['steps'][number] | undefined): string {
  if (step === undefined) return 'nothing (it never came to this step)';
  const parts: string[] = [];
  if (step.submitted !== undefined) parts.push(`submitted ${step.submitted}`);
  if (step.overflow) parts.push('CQ overflow');
  if (step.cqes !== undefined)
    parts.push(`CQEs ${step.cqes.map((cqe) => `${cqe.user_data}=${cqe.res}`).join(' ') || 'none'}`);
  if (step.hang) parts.push('hangs');
  return parts.join(', ') || 'done';
}

import { DEFAULT_URING_PROFILE, type UringProfile, uringProfile } from '../../kernel/uring/uring_profile';
import { scheduleText } from '../../debug/open_ring';
import { cqeOrder } from '../../ring/compare';
import { type Exploration, exploring } from '../../ring/explore';
import { exploredRelation } from '../../ring/explored_relation';
import { ORDER_RULES, type OrderRelation } from '../../ring/order';
import type { Outcome } from '../../ring/outcome';
import type { RingProgram } from '../../ring/program';
import { readProgram } from '../../ring/read_program';
import { runProgram } from '../../ring/run';
import { scheduling } from '../../ring/schedule';
import { readOrder, unknownName } from '../../ring/wanted_order';
import type { Sliced } from '../../trace/slices';
import type { Translate } from '../translate';

/** What somebody should have to wait for: about four seconds. The same program gives the same list on every machine. */
const LIMITS = { schedules: 100_000, steps: 2_000_000, time: 60_000, outcomes: 1000 };

/** What may be tried for an order that somebody typed. */
const ASKED_LIMITS = { ...LIMITS, outcomes: 1 };

/** All outcomes of a program, and which pairs of CQEs have a guaranteed order. */
export interface Orders {
  readonly name: string;
  readonly kernel: string;
  readonly exploration: Exploration;
  readonly relation: OrderRelation;
}

/** One outcome for choosing. */
export interface OrderItem {
  readonly label: string;
  readonly description: string;
  readonly detail: string;
  /** Decisions that lead to it; undefined for the likeliest run. */
  readonly schedule: string | undefined;
}

/** A program and the profile it runs on; a text is one of ring programs, for the default profile. */
export type OrderSource = string | { readonly program: RingProgram; readonly profile: UringProfile };

function readSource(source: OrderSource): { readonly program: RingProgram; readonly profile: UringProfile } {
  if (typeof source !== 'string') return source;
  return { program: readProgram(source), profile: uringProfile(DEFAULT_URING_PROFILE)! };
}

/** Computes all orders, in slices. @throws ProgramError, StepError */
export function* ordersOf(source: OrderSource): Sliced<Orders> {
  const { program, profile } = readSource(source);
  const exploration = yield* exploring(program, profile, () => performance.now(), LIMITS);
  const relation = exploredRelation(runProgram(program, { profile }), exploration);
  return { name: program.name, kernel: profile.name, exploration, relation };
}

/** The outcomes, likeliest first. */
export function orderItems({ exploration }: Orders, t: Translate): OrderItem[] {
  const first = exploration.found[0]?.outcome;
  return exploration.found.map((found, i) => ({
    label: cqeOrder(found.outcome) || t('no CQE'),
    description: i === 0 ? t('likeliest') : t('outcome {0}', i + 1),
    detail:
      first === undefined || i === 0 ? resultsText(found.outcome) : changesText(first, found.outcome, t),
    // the first one is the plain run; what a schedule without a decision gives may be another outcome
    get schedule() {
      return i === 0 ? undefined : scheduleText(found.choices);
    },
  }));
}

/** The answer for an order that somebody typed. */
export interface AskedOrder extends OrderItem {
  readonly possible: boolean;
}

/** Answers in slices for an order such as `3,1,2`; undefined when the text is none, or names a CQE that the program does not have. */
export function* askingOrder(
  source: OrderSource,
  value: string,
  t: Translate,
): Sliced<AskedOrder | undefined> {
  const wanted = readOrder(value);
  if (wanted === undefined || wanted.length < 2) return undefined;
  const { program, profile } = readSource(source);
  if (wanted.some((each) => unknownName(program, each) !== undefined)) return undefined;
  const asked = wanted.join(', ');
  const answer = yield* scheduling(program, profile, wanted, () => performance.now(), ASKED_LIMITS);
  const cannot = { label: t('{0} cannot come', asked), schedule: undefined, possible: false };
  switch (answer.kind) {
    case 'schedule':
      return {
        label: t('Step through a schedule for {0}', asked),
        description: cqeOrder(answer.outcome),
        detail: resultsText(answer.outcome),
        schedule: answer.choices && scheduleText(answer.choices),
        possible: true,
      };
    case 'forbidden': {
      const { first, second, rules } = answer.pair;
      return {
        ...cannot,
        description:
          first === second ? rules.join(', ') : t('{0} before {1}: {2}', first, second, rules.join(', ')),
        detail: answer.says,
      };
    }
    case 'absent':
      if (answer.complete) return { ...cannot, description: '', detail: answer.says ?? '' };
      return {
        ...cannot,
        label: t('No schedule found for {0}', asked),
        description: '',
        detail: t('incomplete: {0} schedules seen', answer.schedules),
      };
  }
}

/** How many outcomes there are, in words. */
export function totalText({ exploration }: Orders, t: Translate): string {
  const { total, schedules, complete } = exploration;
  if (!complete) return t('incomplete: {0} outcomes in {1} schedules seen', total, schedules);
  return total === 1 ? t('1 outcome') : t('{0} outcomes', total);
}

/** The document: outcomes, and every pair of CQEs with the rule that orders it. */
export function ordersDocument(orders: Orders, t: Translate): string {
  const { name, kernel, relation } = orders;
  const guaranteed = relation.pairs.filter(({ rules }) => rules.length > 0);
  const accidental = relation.pairs.filter(({ rules }) => rules.length === 0);
  return [
    `# ${t('{0} on kernel {1}: {2}', name, kernel, totalText(orders, t))}`,
    '',
    `| # | ${t('CQEs in the order taken')} | |`,
    '| ---: | --- | --- |',
    ...orderItems(orders, t).map(
      ({ label, detail }, i) => `| ${i + 1} | ${escaped(label)} | ${escaped(detail)} |`,
    ),
    '',
    `## ${t('Guaranteed')}`,
    '',
    ...(guaranteed.length === 0 ? [t('No order is guaranteed.')] : []),
    ...guaranteed.map(({ first, second, firstName = first, secondName = second, rules }) => {
      const why = rules.map((rule) => `${rule} (${ORDER_RULES[rule]})`).join('; ');
      return `- ${t('{0} before {1}', firstName, secondName)}: ${why}`;
    }),
    '',
    `## ${t('Accidental')}`,
    '',
    ...(accidental.length === 0 ? [t('Every order is guaranteed.')] : []),
    ...accidental.map(
      ({ first, second, firstName = first, secondName = second }) =>
        `- ${t('{0} and {1}: either may come first', firstName, secondName)}`,
    ),
    '',
  ].join('\n');
}

function resultsText(outcome: Outcome): string {
  return outcome.steps
    .flatMap((step) => step.cqes ?? [])
    .map(({ user_data, res }) => `${user_data}=${res}`)
    .join(' ');
}

/** What but the order is not as in the likeliest outcome. */
function changesText(first: Outcome, other: Outcome, t: Translate): string {
  const results = new Map(
    first.steps.flatMap((step) => step.cqes ?? []).map((cqe) => [cqe.user_data, cqe.res]),
  );
  const changed = other.steps
    .flatMap((step) => step.cqes ?? [])
    .filter(({ user_data, res }) => results.get(user_data) !== res)
    .map(({ user_data, res }) => `${user_data}=${res}`);
  const files = (['files', 'buffers'] as const).flatMap((part) =>
    Object.keys(other[part]).filter(
      (name) => JSON.stringify(first[part][name]) !== JSON.stringify(other[part][name]),
    ),
  );
  if (other.steps.some((step, i) => step.hang !== first.steps[i]?.hang)) changed.push(t('hangs'));
  if (changed.length === 0 && files.length === 0) return t('the same results');
  return [changed.join(' '), files.length > 0 ? t('other contents: {0}', files.join(' ')) : '']
    .filter((part) => part !== '')
    .join(', ');
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|');
}

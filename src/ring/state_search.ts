/** Fills a state graph by running a program again and again, each time another way on from a state that was met. */
import { nextToPost, postsInTurn } from '../kernel/uring/in_turn';
import type { Cqe, Req, Uring } from '../kernel/uring/types';
import { PagePool } from '../kernel/uring/page_pool';
import type { UringProfile } from '../kernel/uring/uring_profile';
import { type Choice, type Chooser, GIVE_UP } from '../kernel/uring/world';
import { chainTouches, meet, type Touch } from './contention';
import type { OrderWords, Word } from './order_words';
import type { HashContents, Outcome, OutcomeCqe } from './outcome';
import type { RingProgram } from './program';
import { type RunResult, runProgram } from './run';
import { StateGraph } from './state_graph';
import { StepError } from './step_error';
import type { PostedCqe, WantedOrder } from './wanted_order';

/** Workers are named by this and the number of their first request. */
const WORKER = 'work ';

/** A way on that nobody went yet. */
interface Branch {
  readonly state: number;
  readonly choice: number;
}

/** How a state was met first. */
interface Origin {
  readonly from: number;
  readonly choice: number;
}

/** Branches, those with the fewest unlikely decisions first. */
class Frontier {
  private readonly levels: Branch[][] = [];
  private lowest = 0;
  size = 0;

  push(branch: Branch, level: number): void {
    this.size++;
    const list = this.levels[level];
    if (list) list.push(branch);
    else this.levels[level] = [branch];
    if (level < this.lowest) this.lowest = level;
  }

  pop(): { branch: Branch; level: number } | undefined {
    for (; this.lowest < this.levels.length; this.lowest++) {
      const branch = this.levels[this.lowest]?.pop();
      if (branch === undefined) continue;
      this.size--;
      return { branch, level: this.lowest };
    }
    return undefined;
  }
}

const NOTHING: readonly number[] = [];
const NOBODY: readonly Req[] = [];

/** The CQE posted after so many others. */
function cqeAt({ cq, overflow }: Uring, at: number): Cqe | undefined {
  return at < cq.length ? cq[at] : overflow[at - cq.length];
}

/** How unlikely the answers are; the first one is the likeliest. */
function costsOf(choice: Choice): number[] {
  const costs = choice.costs();
  costs[0] = 0;
  return costs;
}

/** The CQEs that were posted or surely come next. */
function postedBy(ring: Uring): PostedCqe[] {
  const next = postsInTurn(ring) ? nextToPost(ring) : NOBODY;
  return [...ring.cq, ...ring.overflow, ...next.map(({ userData, id }) => ({ userData, req: id }))];
}

/** A search through the states of a program. */
export class StateSearch {
  readonly graph = new StateGraph();
  schedules = 0;
  /** Steps of contexts in all runs. */
  steps = 0;
  /** Decisions of the first run that came to the wanted order. */
  hit: readonly number[] | undefined;
  private readonly frontier = new Frontier();
  private readonly origins: (Origin | undefined)[] = [];
  private readonly cqes: OutcomeCqe[] = [];
  private pairs: Uint8Array | undefined;
  private readonly touches: (readonly Touch[])[];
  private readonly pool = new PagePool();
  private readonly cqeNumbers = new Map<string, number>();
  /** Numbers of CQEs by request: what most of them are found by. */
  private readonly cqesOfReq: { readonly res: number; readonly flags: number; readonly nr: number }[][] = [];
  /** The same text for the same context, so that it is kept once. */
  private readonly namesKnown = new Map<string, string>();

  constructor(
    private readonly program: RingProgram,
    private readonly profile: UringProfile,
    private readonly hash: HashContents,
    /** Only runs that can still come to an order of CQEs. */
    private readonly wanted?: WantedOrder,
  ) {
    this.touches = chainTouches(program);
    this.graph.add(-1, 0, [''], [0]);
    this.frontier.push({ state: 0, choice: 0 }, 0);
  }

  /** Nothing is left to try. */
  get done(): boolean {
    return this.frontier.size === 0;
  }

  /** One run; false when nothing is left to try. */
  step(): boolean {
    for (;;) {
      const next = this.frontier.pop();
      if (next === undefined) return false;
      if (this.follows(next.branch.state, next.branch.choice)) continue;
      this.schedules++;
      this.run(next.branch, next.level);
      return true;
    }
  }

  /**
   * Two steps of workers that do not meet come to the same in either order. So a way on is known without a run where the same
   * step was done before the last one, and the last one after it.
   */
  private follows(state: number, choice: number): boolean {
    const { states } = this.graph;
    const origin = this.origins[state];
    if (this.wanted || origin === undefined) return false;
    const from = states[origin.from]!;
    const last = from.edges[origin.choice];
    if (!last?.plain) return false;
    const name = states[state]!.names[choice]!;
    const lastName = from.names[origin.choice]!;
    const early = from.edges[from.names.indexOf(name)];
    if (!early?.plain) return false;
    const other = states[early.to]!;
    const late = other.edges[other.names.indexOf(lastName)];
    if (!late?.plain || late.posts.join() !== last.posts.join()) return false;
    if (meet(this.touchesOf(name), this.touchesOf(lastName))) return false;
    states[state]!.edges[choice] = { posts: early.posts, to: late.to, plain: true };
    return true;
  }

  private touchesOf(worker: string): readonly Touch[] {
    return this.touches[Number(worker.slice(WORKER.length)) - 1] ?? [];
  }

  private run(branch: Branch, from: number): void {
    let level = from;
    const way = this.wayTo(branch);
    let run: RunResult | undefined;
    let at = 0;
    let { state, choice } = branch;
    let posted = this.graph.states[state]!.posted;
    let met = 0;
    let steps = 0;
    let effects = 0;
    /** Whether what was done since the last state was one step of a worker that nobody else felt. */
    const plain = (): boolean => {
      const { world } = run!.ring;
      const one = world.steps === steps + 1 && world.effects === effects;
      return one && this.graph.states[state]!.names[choice]!.startsWith(WORKER);
    };
    const count = (): void => {
      ({ steps, effects } = run!.ring.world);
    };
    const taken: number[] = [];
    const { wanted } = this;
    /** CQEs posted since the last state. */
    const posts = (): readonly number[] => {
      const { ring } = run!;
      const next = postsInTurn(ring) ? nextToPost(ring) : NOBODY;
      const all = ring.cq.length + ring.overflow.length + next.length;
      if (all === posted) return NOTHING;
      const made: number[] = [];
      for (; posted < all; posted++) {
        const cqe = cqeAt(ring, posted);
        if (cqe) made.push(this.cqeNumber(cqe.req, cqe.userData, cqe.res, cqe.flags));
        else {
          const { id, userData, res, cflags } = next[posted - ring.cq.length - ring.overflow.length]!;
          made.push(this.cqeNumber(id, userData, res, cflags));
        }
      }
      return made;
    };
    const chooser: Chooser = (n, asked) => {
      if (at < way.length) {
        const k = way[at++]!;
        taken.push(k);
        if (at === way.length) count();
        return k;
      }
      let key = asked.key();
      if (wanted) {
        met = wanted.met(postedBy(run!.ring), run!.ring.requests);
        if (met < 0) return GIVE_UP;
        key = (key + met * 0x1234567891) % 0x10000000000000;
      }
      const known = this.graph.find(key);
      const made = posts();
      const to = known ?? this.graph.add(key, posted, this.known(asked.names()), costsOf(asked));
      this.graph.states[state]!.edges[choice] = { posts: made, to, plain: plain() };
      if (known !== undefined) return GIVE_UP;
      this.origins[to] = { from: state, choice };
      const unlikely = this.graph.states[to]!.costs;
      let next = GIVE_UP;
      for (let k = n - 1; k >= 0; k--) {
        if (this.follows(to, k)) continue;
        if (next >= 0) this.frontier.push({ state: to, choice: next }, level + unlikely[next]!);
        next = k;
      }
      if (next === GIVE_UP) return GIVE_UP;
      state = to;
      choice = next;
      level += unlikely[next]!;
      taken.push(next);
      count();
      return next;
    };
    const { program, profile, pool } = this;
    pool.reset();
    let possible = true;
    try {
      runProgram(program, { profile, chooser, pool, started: (one) => (run = one) });
    } catch (error) {
      // an application that waits for room in the SQ never comes there
      if (!(error instanceof StepError)) throw error;
      possible = false;
    }
    this.steps += run!.ring.world.steps;
    if (!possible || run!.ring.world.gaveUp) return;
    if (wanted) {
      if (wanted.isIn(run!)) this.hit = taken;
      return;
    }
    const made = posts();
    const outcome = run!.outcome(this.hash);
    const seen = outcome.steps.reduce((sum, step) => sum + (step.cqes?.length ?? 0), 0);
    const lengths = outcome.steps.map((step) => (step.cqes ? { ...step, cqes: step.cqes.length } : step));
    const key = JSON.stringify({ ...outcome, steps: lengths });
    const to = this.graph.addEnd(posted, key, () => ({ outcome, seen }));
    this.graph.states[state]!.edges[choice] = { posts: made, to, plain: false };
  }

  /** Decisions from the start to go a branch: each state is come to as it was first. */
  private wayTo({ state, choice }: Branch): number[] {
    const way: number[] = [];
    for (let at = state, k = choice; at !== 0; ) {
      way.push(k);
      const { from, choice: before } = this.origins[at]!;
      at = from;
      k = before;
    }
    return way.reverse();
  }

  private known(names: string[]): string[] {
    names.forEach((name, i) => {
      const same = this.namesKnown.get(name);
      if (same === undefined) this.namesKnown.set(name, name);
      else names[i] = same;
    });
    return names;
  }

  private cqeNumber(req: number, userData: bigint, res: number, flags: number): number {
    this.cqesOfReq[req] ??= [];
    const list = this.cqesOfReq[req]!;
    const found = list.find((cqe) => cqe.res === res && cqe.flags === flags);
    if (found) return found.nr;
    const text = `${userData} ${res} ${flags}`;
    let nr = this.cqeNumbers.get(text);
    if (nr === undefined) {
      nr = this.cqes.push({ user_data: userData.toString(), res, flags }) - 1;
      this.cqeNumbers.set(text, nr);
    }
    list.push({ res, flags, nr });
    return nr;
  }

  /** Whether some order has a CQE with one user_data before one with another. */
  comes(words: OrderWords, first: string, second: string): boolean {
    this.pairs ??= words.pairs(this.cqes.length);
    const { cqes, pairs } = this;
    return cqes.some(
      (a, i) =>
        a.user_data === first &&
        cqes.some((b, j) => b.user_data === second && pairs[i * cqes.length + j] === 1),
    );
  }

  /** The outcome of an order of CQEs with an ending. */
  outcomeOf({ posts, ending }: Word): Outcome {
    const { outcome } = this.graph.endings[ending]!;
    let at = 0;
    const steps = outcome.steps.map((step) => {
      if (step.cqes === undefined) return step;
      const from = at;
      at += step.cqes.length;
      return { ...step, cqes: posts.slice(from, at).map((nr) => this.cqes[nr]!) };
    });
    return { ...outcome, steps };
  }
}

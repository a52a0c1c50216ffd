/** Fills a state graph by running a program again and again, each time another way on from a state that was met. */
import type { Cqe } from '../kernel/uring/types';
import type { UringProfile } from '../kernel/uring/uring_profile';
import { Abandoned, type Chooser } from '../kernel/uring/world';
import type { OrderWords, Word } from './order_words';
import { type HashContents, type Outcome, type OutcomeCqe, outcomeCqe } from './outcome';
import type { RingProgram } from './program';
import { type RunResult, runProgram } from './run';
import { StateGraph } from './state_graph';
import type { WantedOrder } from './wanted_order';

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

/** A search through the states of a program. */
export class StateSearch {
  readonly graph = new StateGraph();
  schedules = 0;
  /** Decisions of the first run that came to the wanted order. */
  hit: readonly number[] | undefined;
  private readonly frontier = new Frontier();
  private readonly origins: (Origin | undefined)[] = [];
  private readonly cqes: OutcomeCqe[] = [];
  private pairs: Uint8Array | undefined;
  private readonly cqeNumbers = new Map<string, number>();

  constructor(
    private readonly program: RingProgram,
    private readonly profile: UringProfile,
    private readonly hash: HashContents,
    /** Only runs that can still come to an order of CQEs. */
    private readonly wanted?: WantedOrder,
  ) {
    this.graph.add(-1, 0, [''], [0]);
    this.frontier.push({ state: 0, choice: 0 }, 0);
  }

  /** Nothing is left to try. */
  get done(): boolean {
    return this.frontier.size === 0;
  }

  /** One run; false when nothing is left to try. */
  step(): boolean {
    const next = this.frontier.pop();
    if (next === undefined) return false;
    this.schedules++;
    this.run(next.branch, next.level);
    return true;
  }

  private run(branch: Branch, level: number): void {
    const names = this.wayTo(branch);
    let run: RunResult | undefined;
    let at = 0;
    let { state, choice } = branch;
    let posted = this.graph.states[state]!.posted;
    let met = 0;
    const taken: number[] = [];
    const { wanted } = this;
    /** CQEs posted since the last state. */
    const posts = (): number[] => {
      const { cq, overflow } = run!.ring;
      const from = posted;
      posted = cq.length + overflow.length;
      return Array.from({ length: posted - from }, (_, i) => {
        const k = from + i;
        return this.cqeNumber(k < cq.length ? cq[k]! : overflow[k - cq.length]!);
      });
    };
    const chooser: Chooser = (_n, able, key, costs) => {
      if (at < names.length) {
        const k = able().indexOf(names[at++]!);
        taken.push(k);
        return k;
      }
      let stateKey = key();
      if (wanted) {
        met = wanted.met(run!.ring);
        if (met < 0) throw new Abandoned();
        stateKey = (stateKey + met * 0x1234567891) % 0x10000000000000;
      }
      const known = this.graph.find(stateKey);
      const made = posts();
      const to = known ?? this.graph.add(stateKey, posted, able(), [0, ...costs().slice(1)]);
      this.graph.states[state]!.edges[choice] = { posts: made, to };
      if (known !== undefined) throw new Abandoned();
      this.origins[to] = { from: state, choice };
      const unlikely = this.graph.states[to]!.costs;
      for (let k = unlikely.length - 1; k >= 1; k--) {
        this.frontier.push({ state: to, choice: k }, level + unlikely[k]!);
      }
      state = to;
      choice = 0;
      taken.push(0);
      return 0;
    };
    try {
      runProgram(this.program, { profile: this.profile, chooser, started: (one) => (run = one) });
    } catch (error) {
      if (error instanceof Abandoned) return;
      throw error;
    }
    if (wanted) {
      if (wanted.isIn(run!)) this.hit = taken;
      return;
    }
    const made = posts();
    const outcome = run!.outcome(this.hash);
    const seen = outcome.steps.reduce((sum, step) => sum + (step.cqes?.length ?? 0), 0);
    const steps = outcome.steps.map((step) => (step.cqes ? { ...step, cqes: step.cqes.length } : step));
    const key = JSON.stringify({ ...outcome, steps });
    const to = this.graph.addEnd(posted, key, () => ({ outcome, seen }));
    this.graph.states[state]!.edges[choice] = { posts: made, to };
  }

  /** Contexts to choose from the start to go a branch. */
  private wayTo({ state, choice }: Branch): string[] {
    const names: string[] = [];
    for (let at = state, k = choice; at !== 0; ) {
      names.push(this.graph.states[at]!.names[k]!);
      const { from, choice: before } = this.origins[at]!;
      at = from;
      k = before;
    }
    return names.reverse();
  }

  private cqeNumber(cqe: Cqe): number {
    const text = `${cqe.userData} ${cqe.res} ${cqe.flags}`;
    let nr = this.cqeNumbers.get(text);
    if (nr === undefined) {
      nr = this.cqes.push(outcomeCqe(cqe)) - 1;
      this.cqeNumbers.set(text, nr);
    }
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

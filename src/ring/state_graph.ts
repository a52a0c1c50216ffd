/** The states that a program can come to, with the CQEs that are posted between them. */
import type { Outcome } from './outcome';

/** One way on from a state: the context that goes on, and what it leads to. */
export interface Edge {
  /** CQEs posted on the way, by their numbers. */
  readonly posts: readonly number[];
  readonly to: number;
  /** One step of a worker that did nothing to another context. */
  readonly plain: boolean;
}

/** A state in which several contexts can go on, or the end of a run. */
export interface GraphState {
  /** CQEs posted before it. */
  readonly posted: number;
  /** Contexts that can go on, the likeliest first. */
  readonly names: readonly string[];
  /** How unlikely each of them is; 0 for the first. */
  readonly costs: readonly number[];
  /** By context; undefined where nobody went yet. */
  readonly edges: (Edge | undefined)[];
  /** At the end of a run: number of its ending. */
  readonly ending: number | undefined;
}

/** What an outcome says besides which CQEs came in which order. */
export interface Ending {
  readonly outcome: Outcome;
  /** CQEs that the application saw: the first ones that were posted. */
  readonly seen: number;
}

/** States by their digest, filled by runs. */
export class StateGraph {
  readonly states: GraphState[] = [];
  readonly endings: Ending[] = [];
  private readonly byKey = new Map<number, number>();
  private readonly endingByKey = new Map<string, number>();

  /** The state with a digest, or undefined when it is new. */
  find(key: number): number | undefined {
    return this.byKey.get(key);
  }

  add(key: number, posted: number, names: readonly string[], costs: readonly number[]): number {
    const at = this.states.push({ posted, names, costs, edges: [], ending: undefined }) - 1;
    this.byKey.set(key, at);
    return at;
  }

  /** The end of a run. */
  addEnd(posted: number, key: string, ending: () => Ending): number {
    let nr = this.endingByKey.get(key);
    if (nr === undefined) {
      nr = this.endings.push(ending()) - 1;
      this.endingByKey.set(key, nr);
    }
    const stateKey = -1 - nr * 1000 - posted;
    const known = this.byKey.get(stateKey);
    if (known !== undefined) return known;
    const at = this.states.push({ posted, names: [], costs: [], edges: [], ending: nr }) - 1;
    this.byKey.set(stateKey, at);
    return at;
  }
}

/** The orders of CQEs that a state graph holds: counting them and listing the likeliest. */
import type { Edge, StateGraph } from './state_graph';

/** One order of CQEs with an ending. */
export interface Word {
  /** CQEs that the application saw. */
  readonly posts: readonly number[];
  readonly ending: number;
  /** Contexts chosen where several could go on. */
  readonly names: readonly string[];
}

/** A way through the graph, its last choice first. */
interface Path {
  readonly name: string;
  readonly before: Path | undefined;
}

/** A way on from a spot; posts at most one CQE. */
interface Arc {
  /** CQE posted, or -1. */
  readonly post: number;
  readonly to: number;
  /** How unlikely the decision is; 0 for the likeliest. */
  readonly cost: number;
  readonly name: string | undefined;
}

/** Spots that one order of CQEs leads to. */
interface Node {
  readonly endings: readonly number[];
  readonly next: readonly { readonly post: number; readonly node: Node }[];
  /** Orders from here to an end. */
  readonly count: number;
}

/** A spot reached, how unlikely, and how. */
interface Reached {
  readonly spot: number;
  readonly cost: number;
  readonly path: Path | undefined;
}

/** Begun orders, the likeliest first. */
interface Begun {
  readonly cost: number;
  readonly posts: readonly number[];
  readonly reached: readonly Reached[];
  readonly done?: Word;
}

/** Too many sets of states: there is no time to count. */
export class TooMany extends Error {
  override readonly name = 'TooMany';
}

/**
 * Orders of CQEs. A spot is a state of the graph, or a place between two CQEs of one edge. Different ways can post the same CQEs
 * in the same order: spots are taken together by the order that leads to them, so that an order counts once.
 */
export class OrderWords {
  private readonly arcs: Arc[][];
  /** Endings of a spot, for those that show just the CQEs posted before it. */
  private readonly endings: number[][];
  private readonly toEnd: Int32Array;
  private readonly nodes = new Map<string, Node>();

  constructor(
    private readonly graph: StateGraph,
    private readonly mostNodes: number,
  ) {
    this.arcs = graph.states.map(() => []);
    graph.states.forEach(({ edges, names, costs }, from) => {
      edges.forEach((edge, k) => {
        if (edge) this.addEdge(from, edge, costs[k]!, from === 0 ? undefined : names[k]!);
      });
    });
    this.endings = this.arcs.map(() => []);
    this.placeEndings();
    this.toEnd = this.distances();
  }

  /** Number of different outcomes. @throws TooMany */
  count(): number {
    return this.nodeOf([0]).count;
  }

  /** The likeliest outcomes. */
  *words(): Generator<Word> {
    const heap: Begun[][] = [];
    const push = (begun: Begun): void => {
      const list = heap[begun.cost];
      if (list) list.push(begun);
      else heap[begun.cost] = [begun];
    };
    const begin = (posts: readonly number[], starts: readonly Reached[]): void => {
      const reached = this.spread(starts);
      let cost = Number.POSITIVE_INFINITY;
      for (const each of reached) cost = Math.min(cost, each.cost + this.toEnd[each.spot]!);
      if (cost < 1e9) push({ cost, posts, reached });
    };
    begin([], [{ spot: 0, cost: 0, path: undefined }]);
    for (let level = 0; level < heap.length; level++) {
      for (let begun = heap[level]?.pop(); begun; begun = heap[level]!.pop()) {
        if (begun.done) {
          yield begun.done;
          continue;
        }
        for (const [ending, { path, cost, spot }] of this.endingsOf(begun.reached)) {
          const names = this.namesOf(path, spot, ending);
          const done = { posts: begun.posts, ending, names };
          push({ cost: Math.max(level, cost), posts: [], reached: [], done });
        }
        const next = new Map<number, Reached[]>();
        for (const { spot, cost, path } of begun.reached) {
          for (const arc of this.arcs[spot]!) {
            if (arc.post < 0) continue;
            const list = next.get(arc.post) ?? [];
            if (list.length === 0) next.set(arc.post, list);
            list.push({ spot: arc.to, cost: cost + arc.cost, path: longer(path, arc.name) });
          }
        }
        for (const [post, starts] of next) begin([...begun.posts, post], starts);
      }
    }
  }

  /** Whether an order of CQEs with an ending is among them. */
  has(posts: readonly number[], ending: number): boolean {
    let node: Node | undefined = this.nodeOf([0]);
    for (const post of posts) node = node?.next.find((each) => each.post === post)?.node;
    return node?.endings.includes(ending) ?? false;
  }

  /** CQEs by which orders differ: for each pair (a, b) whether some order has a before b, as `a * size + b`. */
  pairs(size: number): Uint8Array {
    const after = new Map<Node, Uint8Array>();
    const found = new Uint8Array(size * size);
    const walk = (node: Node): Uint8Array => {
      const known = after.get(node);
      if (known) return known;
      const here = new Uint8Array(size);
      for (const { post, node: to } of node.next) {
        const rest = walk(to);
        if (to.count === 0) continue;
        here[post] = 1;
        rest.forEach((set, b) => {
          if (set === 0) return;
          here[b] = 1;
          found[post * size + b] = 1;
        });
      }
      after.set(node, here);
      return here;
    };
    walk(this.nodeOf([0]));
    return found;
  }

  private addEdge(from: number, { posts, to }: Edge, cost: number, name: string | undefined): void {
    if (posts.length < 2) {
      this.arcs[from]!.push({ post: posts[0] ?? -1, to, cost, name });
      return;
    }
    let spot = from;
    posts.forEach((post, i) => {
      const last = i === posts.length - 1;
      const next = last ? to : this.arcs.push([]) - 1;
      this.arcs[spot]!.push({ post, to: next, cost: i === 0 ? cost : 0, name: i === 0 ? name : undefined });
      spot = next;
    });
  }

  /** Puts every ending where the CQEs that it shows were posted. */
  private placeEndings(): void {
    const depth = this.depths();
    const before: number[][] = this.arcs.map(() => []);
    this.arcs.forEach((list, from) => {
      for (const { to } of list) before[to]!.push(from);
    });
    this.graph.states.forEach(({ ending }, state) => {
      if (ending === undefined) return;
      const { seen } = this.graph.endings[ending]!;
      const reached = new Set([state]);
      for (const spot of reached) {
        if (depth[spot] === seen && !this.endings[spot]!.includes(ending)) this.endings[spot]!.push(ending);
        if (depth[spot]! > seen) for (const from of before[spot]!) reached.add(from);
      }
    });
  }

  private depths(): Int32Array {
    const depth = new Int32Array(this.arcs.length);
    this.graph.states.forEach(({ posted }, state) => {
      depth[state] = posted;
    });
    for (let state = 0; state < this.graph.states.length; state++) {
      for (const arc of this.arcs[state]!) {
        let at = arc.to;
        let d = depth[state]! + (arc.post >= 0 ? 1 : 0);
        while (at >= this.graph.states.length) {
          depth[at] = d++;
          at = this.arcs[at]![0]!.to;
        }
      }
    }
    return depth;
  }

  /** Fewest unlikely decisions from each spot to an end. */
  private distances(): Int32Array {
    const distance = new Int32Array(this.arcs.length).fill(1e9);
    const before: { from: number; cost: number }[][] = this.arcs.map(() => []);
    this.arcs.forEach((list, from) => {
      for (const { to, cost } of list) before[to]!.push({ from, cost });
    });
    const levels = [this.arcs.map((_, spot) => spot).filter((spot) => this.endings[spot]!.length > 0)];
    const push = (spot: number, d: number): void => {
      const list = levels[d];
      if (list) list.push(spot);
      else levels[d] = [spot];
    };
    for (let d = 0; d < levels.length; d++) {
      const level = levels[d] ?? [];
      for (const spot of level) if (distance[spot]! > d) distance[spot] = d;
      for (let i = 0; i < level.length; i++) {
        const spot = level[i]!;
        if (distance[spot] !== d) continue;
        for (const { from, cost } of before[spot]!) {
          if (distance[from]! <= d + cost) continue;
          if (cost === 0) {
            distance[from] = d;
            level.push(from);
          } else push(from, d + cost);
        }
      }
    }
    return distance;
  }

  /** What is reached without posting a CQE, each spot by its likeliest way. */
  private spread(starts: readonly Reached[]): Reached[] {
    const best = new Map<number, Reached>();
    const work: Reached[][] = [];
    const push = (one: Reached): void => {
      const known = best.get(one.spot);
      if (known && known.cost <= one.cost) return;
      best.set(one.spot, one);
      const list = work[one.cost];
      if (list) list.push(one);
      else work[one.cost] = [one];
    };
    for (const start of starts) push(start);
    for (let level = 0; level < work.length; level++) {
      for (let one = work[level]?.pop(); one; one = work[level]!.pop()) {
        if (best.get(one.spot) !== one) continue;
        for (const arc of this.arcs[one.spot]!) {
          if (arc.post >= 0) continue;
          push({ spot: arc.to, cost: one.cost + arc.cost, path: longer(one.path, arc.name) });
        }
      }
    }
    return [...best.values()];
  }

  private endingsOf(reached: readonly Reached[]): Map<number, Reached> {
    const found = new Map<number, Reached>();
    for (const one of reached) {
      for (const ending of this.endings[one.spot]!) {
        const known = found.get(ending);
        if (known === undefined || known.cost > one.cost) found.set(ending, one);
      }
    }
    return found;
  }

  /** The choices of a path, and of a way on from its last spot to an ending. */
  private namesOf(path: Path | undefined, spot: number, ending: number): string[] {
    const names: string[] = [];
    for (let at = path; at; at = at.before) names.push(at.name);
    names.reverse();
    const { states } = this.graph;
    const came = new Map<number, { from: number; name: string | undefined }>([
      [spot, { from: -1, name: undefined }],
    ]);
    for (const [at] of came) {
      if (states[at]?.ending !== ending) {
        for (const { to, name } of this.arcs[at]!) if (!came.has(to)) came.set(to, { from: at, name });
        continue;
      }
      const rest: string[] = [];
      for (let back = came.get(at)!; back.from >= 0; back = came.get(back.from)!) {
        if (back.name !== undefined) rest.push(back.name);
      }
      return [...names, ...rest.reverse()];
    }
    return names;
  }

  private nodeOf(starts: readonly number[]): Node {
    const spots = new Set(starts);
    for (const spot of spots) {
      for (const { post, to } of this.arcs[spot]!) if (post < 0) spots.add(to);
    }
    const telling = [...spots].filter(
      (spot) => this.endings[spot]!.length > 0 || this.arcs[spot]!.some(({ post }) => post >= 0),
    );
    const key = telling.sort((a, b) => a - b).join();
    const known = this.nodes.get(key);
    if (known) return known;
    if (this.nodes.size >= this.mostNodes) throw new TooMany();
    const endings = new Set<number>();
    const byPost = new Map<number, number[]>();
    for (const spot of telling) {
      for (const ending of this.endings[spot]!) endings.add(ending);
      for (const { post, to } of this.arcs[spot]!) {
        if (post < 0) continue;
        const list = byPost.get(post);
        if (list) list.push(to);
        else byPost.set(post, [to]);
      }
    }
    const next = [...byPost].map(([post, to]) => ({ post, node: this.nodeOf(to) }));
    const count = next.reduce((sum, { node }) => sum + node.count, endings.size);
    const made = { endings: [...endings], next, count };
    this.nodes.set(key, made);
    return made;
  }
}

function longer(path: Path | undefined, name: string | undefined): Path | undefined {
  return name === undefined ? path : { name, before: path };
}

import type { Violation } from '../check/types';
import { indexAfter } from '../debug/sorted';
import type { OpenTrace } from '../debug/model';
import { slotText } from '../debug/request_label';
import type { Translate } from './translate';
import { groupRows, type Level, levelsOf } from './tree/groups';
import {
  type EventNode,
  type GroupNode,
  type Grouping,
  type ListNode,
  type Node,
  type PageNode,
  type Pin,
  type RequestNode,
  rootOf,
  type TraceNode,
  type ViolationNode,
} from './tree/nodes';

/** Most items that are shown below one line. */
export const PAGE = 1000;

/** What a tree of one trace shows. */
export interface TreeOptions {
  readonly grouping: Grouping;
  /** Rows to show, ascending; undefined: all. */
  readonly rows?: Uint32Array;
  readonly pins?: readonly Pin[];
  /** Broken invariants, where they are known already. */
  readonly violations?: readonly Violation[];
  readonly t: Translate;
}

/**
 * The tree of one trace: trace, its groups of requests, requests, events. Nodes are made when asked for and kept, so that the same
 * place is the same object. Lists longer than {@link PAGE} are cut into pages.
 */
export class TreeModel {
  readonly root: TraceNode;
  /** Rows shown, ascending. */
  readonly rows: Uint32Array;
  private readonly levels: readonly Level[];
  private readonly made = new Map<string, Node>();
  private readonly known = new Map<string, readonly Node[]>();

  constructor(
    readonly open: OpenTrace,
    readonly key: string,
    readonly options: TreeOptions,
  ) {
    const { requests } = open;
    this.rows = options.rows ?? Uint32Array.from({ length: requests.length }, (_, row) => row);
    this.levels = levelsOf(requests, options.grouping, options.t);
    this.root = this.keep({ kind: 'trace', id: key, parent: undefined });
  }

  /** Whether a node stands in this tree, not in another one of the same trace. */
  owns(node: Node): boolean {
    return rootOf(node) === this.root;
  }

  /** Whether a node has anything below it, without making it. */
  hasChildren(node: Node): boolean {
    if (!this.owns(node)) return false;
    switch (node.kind) {
      case 'trace':
        return this.open.length > 0;
      case 'request':
        return this.open.requests.events(node.row).length > 0;
      case 'event':
      case 'violation':
        return false;
      default:
        return true;
    }
  }

  /** The nodes below a node, in order; the same objects each time. None below a node of another tree. */
  children(node: Node): readonly Node[] {
    if (!this.owns(node)) return [];
    const known = this.known.get(node.id);
    if (known !== undefined) return known;
    const made = this.makeChildren(node);
    this.known.set(node.id, made);
    return made;
  }

  /** The node of a request, with all its parents; undefined where it is filtered out. */
  requestNode(row: number): RequestNode | undefined {
    if (row < 0 || this.rows[indexAfter(this.rows, row) - 1] !== row) return undefined;
    let node: Node = this.root;
    let rows = this.rows;
    for (const level of this.levels) {
      const key = level.key(row);
      const next: Node | undefined = this.children(node).find(
        (child) => child.kind === 'group' && child.id === groupId(node, level, key),
      );
      if (next?.kind !== 'group') return undefined;
      node = next;
      rows = next.rows;
    }
    const list = this.pageOf(node, indexAfter(rows, row) - 1);
    return list.find((child): child is RequestNode => child.kind === 'request' && child.row === row);
  }

  /** The node of an event: below its request where it is shown there, else among the events of no request. */
  eventNode(event: number): EventNode | undefined {
    const { requests } = this.open;
    const row = requests.requestOf(event);
    const events = row < 0 ? undefined : requests.events(row);
    if (events !== undefined && events[indexAfter(events, event) - 1] === event) {
      const request = this.requestNode(row);
      return request && this.eventIn(request, events, event);
    }
    const others = this.children(this.root).find((node) => node.kind === 'others');
    return others && this.eventIn(others, this.open.otherEvents, event);
  }

  private eventIn(parent: Node, events: Uint32Array, event: number): EventNode | undefined {
    const at = indexAfter(events, event) - 1;
    if (at < 0 || events[at] !== event) return undefined;
    const list = this.pageOf(parent, at);
    return list.find((child): child is EventNode => child.kind === 'event' && child.event === event);
  }

  private makeChildren(node: Node): readonly Node[] {
    switch (node.kind) {
      case 'trace':
        return [
          ...this.lists(node, 'pins', 'violations'),
          ...this.below(node, this.rows, 0),
          ...this.lists(node, 'others'),
        ];
      case 'group':
        return this.below(node, node.rows, node.level + 1);
      case 'page':
        return this.paged(node, node.of, node.items, node.from, node.to, node.step);
      case 'request': {
        const events = this.open.requests.events(node.row);
        return this.paged(node, 'events', events, 0, events.length);
      }
      case 'others': {
        const events = this.open.otherEvents;
        return this.paged(node, 'events', events, 0, events.length);
      }
      case 'violations':
        return (this.options.violations ?? []).slice(0, PAGE).map((violation, index) =>
          this.keep<ViolationNode>({
            kind: 'violation',
            id: `${node.id}/${index}`,
            parent: node,
            violation,
          }),
        );
      case 'pins':
        return (this.options.pins ?? []).map((pin) => this.pinned(node, pin));
      default:
        return [];
    }
  }

  private pinned(parent: Node, { row, event, wholeTag }: Pin): Node {
    if (wholeTag === true) {
      const { requests } = this.open;
      const same = (other: number): boolean =>
        requests.tag[other] === requests.tag[row] &&
        requests.queue[other] === requests.queue[row] &&
        requests.device[other] === requests.device[row];
      return this.keep<GroupNode>({
        kind: 'group',
        id: `${parent.id}/t${row}`,
        parent,
        level: this.levels.length - 1,
        by: 'tag',
        label: slotText(requests, row),
        rows: this.rows.filter(same),
      });
    }
    return event < 0
      ? this.keep<RequestNode>({ kind: 'request', id: `${parent.id}/r${row}`, parent, row })
      : this.keep<EventNode>({ kind: 'event', id: `${parent.id}/e${event}`, parent, event, row });
  }

  /** Those of the lists that have something in them. */
  private lists(parent: Node, ...kinds: ListNode['kind'][]): ListNode[] {
    const { pins = [], violations = [], rows } = this.options;
    const counts = { pins: pins.length, violations: violations.length, others: 0 };
    if (kinds.includes('others') && rows === undefined) counts.others = this.open.otherEvents.length;
    return kinds
      .filter((kind) => counts[kind] > 0)
      .map((kind) => this.keep<ListNode>({ kind, id: `${this.key}/${kind}`, parent, count: counts[kind] }));
  }

  private below(node: Node, rows: Uint32Array, depth: number): readonly Node[] {
    const level = this.levels[depth];
    if (level === undefined) return this.paged(node, 'requests', rows, 0, rows.length);
    return groupRows(rows, level).map(({ key, rows: part }) =>
      this.keep<GroupNode>({
        kind: 'group',
        id: groupId(node, level, key),
        parent: node,
        level: depth,
        by: level.by,
        label: level.label(key),
        rows: part,
      }),
    );
  }

  /** Items `from` to `to` of a list, or pages where they are too many. */
  private paged(
    parent: Node,
    of: PageNode['of'],
    items: Uint32Array,
    from: number,
    to: number,
    given?: number,
  ): readonly Node[] {
    const step = given ?? stepOf(to - from);
    const list: Node[] = [];
    if (step === 0) {
      for (let at = from; at < to; at++) list.push(this.item(parent, of, items[at]!));
      return list;
    }
    for (let at = from; at < to; at += step) {
      const end = Math.min(to, at + step);
      const id = `${parent.id}/p${at}-${end}`;
      list.push(
        this.keep<PageNode>({
          kind: 'page',
          id,
          parent,
          of,
          items,
          from: at,
          to: end,
          step: step > PAGE ? step / PAGE : 0,
        }),
      );
    }
    return list;
  }

  private item(parent: Node, of: PageNode['of'], value: number): Node {
    if (of === 'requests')
      return this.keep<RequestNode>({ kind: 'request', id: `${parent.id}/r${value}`, parent, row: value });
    const row = this.open.requests.requestOf(value);
    return this.keep<EventNode>({ kind: 'event', id: `${parent.id}/e${value}`, parent, event: value, row });
  }

  /** The children among which item number `at` of the node's list stands. */
  private pageOf(node: Node, at: number): readonly Node[] {
    let list = this.children(node);
    for (;;) {
      const page = list.find(
        (child): child is PageNode => child.kind === 'page' && child.from <= at && at < child.to,
      );
      if (page === undefined) return list;
      list = this.children(page);
    }
  }

  private keep<T extends Node>(node: T): T {
    const known = this.made.get(node.id);
    if (known !== undefined) return known as T;
    this.made.set(node.id, node);
    return node;
  }
}

/** Trees by their nodes. One that was replaced answers for its own nodes while they are on the screen. */
export class TreeModels {
  private readonly byRoot = new WeakMap<Node, TreeModel>();

  /** The same tree, from now on found by its nodes. */
  add(model: TreeModel): TreeModel {
    this.byRoot.set(model.root, model);
    return model;
  }

  /** The tree that a node stands in. */
  of(node: Node): TreeModel | undefined {
    return this.byRoot.get(rootOf(node));
  }
}

function groupId(parent: Node, level: Level, key: number | string): string {
  return `${parent.id}/${level.by}:${key}`;
}

/** Items of each page of a list: 0 where no pages are needed, else the least power of {@link PAGE} that gives few enough. */
function stepOf(count: number): number {
  if (count <= PAGE) return 0;
  let step = PAGE;
  while (Math.ceil(count / step) > PAGE) step *= PAGE;
  return step;
}

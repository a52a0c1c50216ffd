import type { Violation } from '../../check/types';
import type { Place } from '../places';

/** How requests are arranged below a trace. */
export const GROUPINGS = ['tag', 'queue', 'time', 'op', 'status', 'path'] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** What every node has. `id` is unique in the window and the same whenever the same thing is shown. */
interface Base {
  readonly id: string;
  readonly parent: Node | undefined;
}

export interface TraceNode extends Base {
  readonly kind: 'trace';
}

/** Requests that share a value. `level` is the place of that value in the arrangement, from 0. */
export interface GroupNode extends Base {
  readonly kind: 'group';
  readonly level: number;
  /** What they share: `queue`, `tag`, ... */
  readonly by: string;
  readonly label: string;
  readonly rows: Uint32Array;
}

/** A part of a long list, `from` to `to` (exclusive) of its items. */
export interface PageNode extends Base {
  readonly kind: 'page';
  readonly of: 'requests' | 'events';
  readonly items: Uint32Array;
  readonly from: number;
  readonly to: number;
  /** Items of each page below; 0 where the items themselves are below. */
  readonly step: number;
}

export interface RequestNode extends Base {
  readonly kind: 'request';
  readonly row: number;
}

export interface EventNode extends Base {
  readonly kind: 'event';
  readonly event: number;
  /** Its request, -1 for none. */
  readonly row: number;
}

/** The broken invariants of a trace, the pinned places, and the events that belong to no request. */
export interface ListNode extends Base {
  readonly kind: 'violations' | 'pins' | 'others';
  readonly count: number;
}

export interface ViolationNode extends Base {
  readonly kind: 'violation';
  readonly violation: Violation;
}

/** One line of the tree. */
export type Node = TraceNode | GroupNode | PageNode | RequestNode | EventNode | ListNode | ViolationNode;

/** A place that a person keeps at the top of the tree: an event, a request, or the whole tag of one. */
export type Pin = Place;

/** The trace that a node stands under: each tree has a root of its own, also where it shows the same trace. */
export function rootOf(node: Node): Node {
  let root = node;
  while (root.parent !== undefined) root = root.parent;
  return root;
}

import type { DebugProtocol } from '@vscode/debugprotocol';
import { Numbered, type Numbers } from './numbered';

/** One entry of the variables view. */
export interface VariableNode {
  readonly name: string;
  readonly value: string;
  readonly type?: string;
  /** Path of a state variable: what data breakpoints and the evaluator call it. */
  readonly path?: string;
  /** Bytes behind it, see dap_bytes.ts. */
  readonly memory?: string;
  readonly children?: () => readonly VariableNode[];
  /** How many of the children, the last ones, are items of a list: long lists are shown by pages. */
  readonly items?: number;
  /** Known only from later events or by nobody: shown, but not as a value. */
  readonly hint?: DebugProtocol.VariablePresentationHint;
}

/** Longer lists are asked for by pages of so many: VS Code shows them as `[0..99]`, `[100..199]`. */
export const PAGE = 100;

/** Children of a node, made when they are looked at. */
interface Branch {
  readonly children: () => readonly VariableNode[];
  /** How many of them are items of a list that is asked for by pages. */
  readonly items: number;
  made?: readonly VariableNode[];
}

/** Gives numbers to nodes with children. They hold for some stops more. */
export class NodeTable {
  private readonly branches: Numbered<Branch>;

  constructor(numbers: Numbers) {
    this.branches = new Numbered(numbers);
  }

  /** A number for a list of nodes that is made when it is looked at. */
  add(children: () => readonly VariableNode[], items = 0): number {
    return this.branches.add({ children, items: items > PAGE ? items : 0 });
  }

  /** The nodes behind a number that a client asks for: those with names, the items of a list, or all; of these `count` from `start` on. */
  part(
    reference: number,
    filter: 'named' | 'indexed' | undefined,
    start = 0,
    count = 0,
  ): readonly VariableNode[] | undefined {
    const all = this.get(reference);
    // A client may ask late, when the run of a number was replaced: there is nothing left to show, and nothing wrong.
    if (all === undefined) return this.branches.isBefore(reference) ? [] : undefined;
    const named = all.length - (this.branches.get(reference)?.items ?? 0);
    const list = filter === 'named' ? all.slice(0, named) : filter === 'indexed' ? all.slice(named) : all;
    return count > 0 ? list.slice(start, start + count) : list;
  }

  /** The nodes behind a number; undefined for one of long ago. */
  get(reference: number): readonly VariableNode[] | undefined {
    const branch = this.branches.get(reference);
    if (branch === undefined) return undefined;
    branch.made ??= branch.children();
    return branch.made;
  }

  /** A node as the protocol wants it. */
  variable(node: VariableNode): DebugProtocol.Variable {
    const { name, value, type, path, memory, children, items = 0, hint } = node;
    return {
      name,
      value,
      variablesReference: children === undefined ? 0 : this.add(children, items),
      ...(items > PAGE ? { indexedVariables: items } : {}),
      ...(type === undefined ? {} : { type }),
      ...(path === undefined ? {} : { evaluateName: path }),
      ...(memory === undefined ? {} : { memoryReference: memory }),
      ...(hint === undefined ? {} : { presentationHint: hint }),
    };
  }

  /** A stop has come: nodes of the stops long before it are forgotten. */
  turn(): void {
    this.branches.turn();
  }
}

/** A node without children. */
export function leaf(
  name: string,
  value: string | number | boolean | null | undefined,
  more: Partial<VariableNode> = {},
): VariableNode {
  return { name, value: value === null || value === undefined ? '?' : String(value), ...more };
}

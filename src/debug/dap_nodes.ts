import type { DebugProtocol } from '@vscode/debugprotocol';

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

/** Gives numbers to nodes with children. They hold until the cursor moves. */
export class NodeTable {
  private readonly nodes = new Map<number, () => readonly VariableNode[]>();
  private readonly lists = new Map<number, number>();
  private readonly open = new Map<number, readonly VariableNode[]>();
  private next = 1;

  /** A number for a list of nodes that is made when it is looked at. */
  add(children: () => readonly VariableNode[], items = 0): number {
    const reference = this.next++;
    this.nodes.set(reference, children);
    if (items > PAGE) this.lists.set(reference, items);
    return reference;
  }

  /** The nodes behind a number that a client asks for: those with names, the items of a list, or all; of these `count` from `start` on. */
  part(
    reference: number,
    filter: 'named' | 'indexed' | undefined,
    start = 0,
    count = 0,
  ): readonly VariableNode[] | undefined {
    const all = this.get(reference);
    if (all === undefined) return undefined;
    const named = all.length - (this.lists.get(reference) ?? 0);
    const list = filter === 'named' ? all.slice(0, named) : filter === 'indexed' ? all.slice(named) : all;
    return count > 0 ? list.slice(start, start + count) : list;
  }

  /** The nodes behind a number; undefined for one of an earlier stop. */
  get(reference: number): readonly VariableNode[] | undefined {
    const known = this.open.get(reference);
    if (known !== undefined) return known;
    const children = this.nodes.get(reference)?.();
    if (children !== undefined) this.open.set(reference, children);
    return children;
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

  /** Forgets all; numbers are not used again. */
  clear(): void {
    this.nodes.clear();
    this.lists.clear();
    this.open.clear();
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

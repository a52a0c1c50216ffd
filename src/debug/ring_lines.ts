import { type JsonNode, parseJsonText, placeAt } from '../ring/json_text';
import type { RingProgram } from '../ring/program';
import { opcodeName } from '../uapi/io_uring_ops';
import type { Sqe } from '../uapi/sqe';

/** An SQE of a ring program whose request has events; lines of the program's text count from 1. */
export interface SqeLines {
  readonly line: number;
  readonly endLine: number;
  /** First event of its request. */
  readonly event: number;
  /** Where the application fills it, as far as the trace tells. */
  readonly filled?: number;
  /** What it asks for, in a few words. */
  readonly label: string;
}

/** Where the SQEs of a program stand, in the order of its text, by the first event of their requests and the event that fills each. */
export function sqeLines(
  text: string,
  program: RingProgram,
  firstEvent: ReadonlyMap<Sqe, number>,
  fills: ReadonlyMap<Sqe, number>,
): SqeLines[] {
  const sqes = program.steps.flatMap((step) => (step.kind === 'submit' ? step.sqes : []));
  return sqeNodes(parseJsonText(text)).flatMap(({ at, end }, i) => {
    const sqe = sqes[i];
    const event = sqe && firstEvent.get(sqe);
    if (sqe === undefined || event === undefined) return [];
    const label = `SQE ${opcodeName(sqe.opcode)} · user_data ${sqe.userData}`;
    const filled = fills.get(sqe);
    const lines = { line: placeAt(text, at).line, endLine: placeAt(text, end - 1).line };
    return [{ ...lines, event, label, ...(filled === undefined ? {} : { filled }) }];
  });
}

function sqeNodes(program: JsonNode): readonly JsonNode[] {
  return items(member(program, 'steps')).flatMap((step) => items(member(step, 'submit')));
}

function member(node: JsonNode, key: string): JsonNode | undefined {
  return node.type === 'object' ? node.members.find((each) => each.key === key)?.value : undefined;
}

function items(node: JsonNode | undefined): readonly JsonNode[] {
  return node?.type === 'array' ? node.items : [];
}

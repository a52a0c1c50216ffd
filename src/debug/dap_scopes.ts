import type { DebugProtocol } from '@vscode/debugprotocol';
import { formatResult } from '../uapi/errno';
import { timeText } from '../trace/print';
import { indexAfter } from './sorted';
import { bytesNode, cqeBytes, sqeBytes } from './dap_bytes';
import { leaf, type NodeTable, PAGE, type VariableNode } from './dap_nodes';
import { StateNodes } from './dap_state_nodes';
import type { OpenTrace } from './model';
import { durationText, requestLabel, sizeText } from './request_label';
import { userDataText } from './user_data_text';

const SUBMITS = ['io_uring_submit_sqe', 'io_uring_submit_req'];
/** Most characters of the fields of an event in one line. */
const LONGEST = 120;
const NONE: VariableNode = { name: '(none)', value: '', hint: { visibility: 'internal' } };

/** The scopes of a frame, always the same ones in the same order. */
export function scopesOf(
  open: OpenTrace,
  event: number,
  focus: number | undefined,
  nodes: NodeTable,
): DebugProtocol.Scope[] {
  let made: StateNodes | undefined;
  const state = (): StateNodes => {
    made ??= new StateNodes(open.states.at(event), event > -1 ? open.states.at(event - 1) : undefined);
    return made;
  };
  const own = open.requests.requestOf(event);
  const row = own >= 0 ? own : focus;
  const { slots, pages } = entityCounts(open, event);
  const scopes: readonly (readonly [string, () => readonly VariableNode[], number?])[] = [
    ['Request', () => request(open, event, row)],
    ['SQE', () => sqe(open, event, row)],
    ['CQE', () => cqe(open, event, row)],
    ['Rings', () => state().rings()],
    ['Slots', () => state().slots(), slots],
    ['Descriptors', () => state().descriptors(event), slots],
    ['Pipes', () => state().pipes()],
    ['Pages', () => state().pages(), pages],
    ['Backing', () => state().disks()],
  ];
  return scopes.map(([name, children, items = 0]) => ({
    name,
    variablesReference: nodes.add(() => {
      const list = children();
      return list.length > 0 ? list : [NONE];
    }, items),
    ...(items > PAGE ? { indexedVariables: items } : {}),
    expensive: false,
    ...(name === 'Request' ? { presentationHint: 'locals' } : {}),
  }));
}

/** How many slots and pages the state has, without making them. */
function entityCounts(open: OpenTrace, event: number): { slots: number; pages: number } {
  const { w } = open.states.seek(event).view;
  let slots = 0;
  for (const { queues } of w.devices)
    for (const queue of queues) for (const slot of queue?.slots ?? []) if (slot !== undefined) slots++;
  return { slots, pages: w.pages.size };
}

/** What is known of the request, and what will become of it. */
function request(open: OpenTrace, event: number, row: number | undefined): VariableNode[] {
  const { trace, requests } = open;
  const happened = [
    leaf('event', `${event} ${trace.nameOf(event)}`),
    leaf('time', timeText(trace.ts[event], trace.format.tsDigits)),
    {
      name: 'fields',
      value: preview(eventFields(open, event).slice(2)),
      children: () => eventFields(open, event),
    },
  ];
  if (row === undefined) return [leaf('request', 'none: the whole trace'), ...happened];
  const list = requests.events(row);
  const at = indexAfter(list, event);
  const { device, queue, tag, life, op, offset, length, result, start, end, path, status, confidence } =
    requests.get(row);
  const over = list.length > 0 && event >= list[list.length - 1];
  const later = (text: string): string =>
    over || (end !== null && trace.ts[event] >= end) ? text : `not yet (will be ${text})`;
  return [
    leaf('request', requestLabel(requests, row)),
    leaf('device', device),
    leaf('queue', queue),
    leaf('tag', tag),
    leaf('life', life),
    leaf('op', op),
    leaf('offset', offset === null ? null : `${offset} (${sizeText(offset)})`),
    leaf('length', length === null ? null : `${length} (${sizeText(length)})`),
    leaf('result', result === null ? null : later(formatResult(result))),
    leaf('latency', end === null ? null : later(durationText(end - start))),
    leaf('elapsed', durationText(Math.max(0, trace.ts[event] - start))),
    leaf('path', path),
    leaf('status', status === 'open' ? 'open' : later(status)),
    leaf('confidence', confidence),
    leaf('position', `event ${at} of ${list.length}`),
    ...happened,
  ];
}

/** Fields in one line, cut where it grows long. */
function preview(fields: readonly VariableNode[]): string {
  const text = fields.map(({ name, value }) => `${name}=${value}`).join(' ');
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text || 'none';
}

function eventFields(open: OpenTrace, event: number): VariableNode[] {
  const { trace } = open;
  const { fields, template } = trace.shapeOf(event);
  const task = trace.taskOf(trace.task[event]);
  return [
    leaf('task', `${task.comm}-${task.pid}`),
    leaf('cpu', trace.cpu[event]),
    ...[...fields].map(([name, k]) => {
      if (template.formats[k] === 's') return leaf(name, trace.strings.text(trace.word(event, k)));
      const word = trace.word(event, k);
      const hex = 'xphHz'.includes(template.formats[k]);
      return leaf(name, hex ? `0x${trace.wide.big(word).toString(16)}` : trace.wide.signed(word).toString());
    }),
  ];
}

/** The SQE that this request had submitted last. */
function sqe(open: OpenTrace, event: number, row: number | undefined): VariableNode[] {
  const { trace } = open;
  const submit = last(open, event, row, SUBMITS);
  const filled = last(open, event, row, ['io_uring_get_sqe']);
  const e =
    submit >= 0 && (filled < 0 || trace.big(filled, 'user_data') === trace.big(submit, 'user_data'))
      ? submit
      : filled;
  if (e < 0)
    return ['user_data', 'opcode', 'flags', 'ring', 'req', 'filled', 'taken', 'bytes'].map((name) =>
      leaf(name, null),
    );
  const bytes = filled < 0 ? undefined : sqeBytes(trace, filled);
  const hex = (field: string): string | null => {
    const value =
      submit === e
        ? trace.big(e, field)
        : field === 'user_data' || field === 'ring'
          ? trace.big(e, field)
          : undefined;
    return value === undefined ? null : `0x${value.toString(16)}`;
  };
  return [
    leaf(
      'user_data',
      explained(trace.big(e, 'user_data'), e === submit ? trace.str(e, 'opcode') : undefined),
    ),
    leaf('opcode', e === submit ? trace.str(e, 'opcode') : null),
    leaf('flags', hex('flags')),
    leaf('ring', hex('ring')),
    leaf('req', hex('req')),
    leaf('filled', filled < 0 ? null : `event ${filled}`),
    leaf('taken', e === submit ? `event ${submit}` : 'not yet'),
    bytesNode('sqe', `sqe:${filled}`, bytes),
  ];
}

/** The CQE that this request got last. */
function cqe(open: OpenTrace, event: number, row: number | undefined): VariableNode[] {
  const { trace } = open;
  const e = last(open, event, row, ['io_uring_complete']);
  if (e < 0) return ['user_data', 'res', 'flags', 'filled', 'bytes'].map((name) => leaf(name, null));
  const flags = trace.num(e, 'cflags');
  return [
    leaf('user_data', explained(trace.big(e, 'user_data'), undefined)),
    leaf('res', formatResult(trace.num(e, 'result') ?? 0)),
    leaf('flags', flags === undefined ? null : `0x${flags.toString(16)}`),
    leaf('filled', `event ${e}`),
    bytesNode('cqe', `cqe:${e}`, cqeBytes(trace, e)),
  ];
}

/** A user_data, with what it says where a ublk server built it. */
function explained(value: bigint | undefined, opcode: string | undefined): string | null {
  if (value === undefined) return null;
  const words = userDataText(value, opcode);
  return words === undefined ? `0x${value.toString(16)}` : `0x${value.toString(16)} (${words})`;
}

/** The last event of the request, at or before `event`, with one of these names; without a request the event itself. */
function last(open: OpenTrace, event: number, row: number | undefined, names: readonly string[]): number {
  const { trace, requests } = open;
  if (row === undefined) return names.includes(trace.nameOf(event)) ? event : -1;
  const list = requests.events(row);
  for (let k = indexAfter(list, event) - 1; k >= 0; k--)
    if (names.includes(trace.nameOf(list[k]))) return list[k];
  return -1;
}

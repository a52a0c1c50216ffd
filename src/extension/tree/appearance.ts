import type { Violation } from '../../check/types';
import type { OpenTrace } from '../../debug/model';
import { durationText, outcomeText, requestLabel } from '../../debug/request_label';
import { bodyText } from '../../trace/print';
import { FIRST_KERNEL_INTERNAL_ERRNO } from '../../uapi/errno';
import type { Translate } from '../translate';
import type { Node, Pin } from './nodes';

/** How a node looks. `icon` and `color` are ids of codicons and theme colours. */
export interface Appearance {
  readonly label: string;
  readonly description: string;
  readonly icon: string;
  readonly color?: string;
  /** Markdown. */
  readonly tooltip: string;
  /** Words that menus ask for. */
  readonly context: string;
}

/** What the look of nodes depends on besides the trace. */
export interface Look {
  readonly open: OpenTrace;
  readonly violations: readonly Violation[];
  readonly pins: readonly Pin[];
  /** Said of the trace: stale, deleted, filtered. */
  readonly note: string;
  /** Whether a node stands in a list that names its queue and tag already. */
  readonly slotKnown: boolean;
  readonly t: Translate;
}

const LONGEST = 120;
const SYSTEM_ICONS: Readonly<Record<string, string>> = {
  io_uring: 'sync',
  block: 'database',
  syscalls: 'terminal',
  ublk: 'plug',
  splice: 'git-merge',
  fuse: 'folder',
  client: 'account',
};
const STATUS_LOOK = [
  { icon: 'circle-large-outline', color: 'charts.blue' },
  { icon: 'pass', color: 'testing.iconPassed' },
  { icon: 'error', color: 'testing.iconFailed' },
  { icon: 'debug-restart', color: 'charts.yellow' },
] as const;

/** Label, icon and the rest of a node. */
export function appearance(node: Node, look: Look): Appearance {
  const { open, t } = look;
  switch (node.kind) {
    case 'trace': {
      const simulated = open.source.kind !== 'text';
      const kind = simulated ? t('simulated') : t('recorded');
      const counts = `${requestCount(open.requests.length, t)}, ${eventCount(open.length, t)}`;
      return {
        label: open.name,
        description: [look.note, counts].filter((part) => part !== '').join(' · '),
        icon: simulated ? 'beaker' : 'record',
        tooltip: `**${code(open.path)}**\n\n${kind}, ${counts}`,
        context: 'trace place',
      };
    }
    case 'group': {
      const { failed, open: unfinished } = statuses(node.rows, open);
      const parts = [requestCount(node.rows.length, t)];
      if (failed > 0) parts.push(t('{0} failed', number(failed)));
      if (unfinished > 0) parts.push(t('{0} open', number(unfinished)));
      const bad = failed > 0 ? { color: 'testing.iconFailed' } : {};
      return {
        label: node.label,
        description: parts.join(', '),
        icon: GROUP_ICONS[node.by] ?? 'list-tree',
        ...bad,
        tooltip: `${node.label}: ${parts.join(', ')}`,
        context:
          node.by === 'tag' ? `group slot ${isPinned(node.rows, look) ? 'pinned' : 'pinnable'}` : 'group',
      };
    }
    case 'page': {
      const label = `${number(node.from + 1)}–${number(node.to)}`;
      return { label, description: '', icon: 'ellipsis', tooltip: label, context: 'page' };
    }
    case 'request':
      return requestLook(node.row, look);
    case 'event':
      return eventLook(node.event, node.row, look);
    case 'violations':
      return {
        label: t('Broken rules'),
        description: number(node.count),
        icon: 'warning',
        color: 'list.warningForeground',
        tooltip: brokenCount(node.count, t),
        context: 'list',
      };
    case 'pins':
      return {
        label: t('Pinned'),
        description: number(node.count),
        icon: 'pinned',
        tooltip: t('Pinned places'),
        context: 'list',
      };
    case 'others':
      return {
        label: t('Other events'),
        description: number(node.count),
        icon: 'circle-outline',
        tooltip: t('Events that belong to no request: setting up, commands, other tasks'),
        context: 'list',
      };
    case 'violation': {
      const { rule, message, event, severity } = node.violation;
      return {
        label: rule,
        description: message,
        icon: severity === 'P' ? 'info' : 'warning',
        color: severity === 'P' ? 'charts.blue' : 'list.warningForeground',
        tooltip: `${t('**{0}** at event {1}, line {2}', rule, number(event), number(open.lineOf(event)))}\n\n${code(message)}`,
        context: 'violation place',
      };
    }
  }
}

/** Whether the tag that these requests share is pinned. */
function isPinned([row]: Uint32Array, { open: { requests }, pins }: Look): boolean {
  return pins.some(
    (pin) =>
      pin.wholeTag === true &&
      row !== undefined &&
      requests.tag[pin.row] === requests.tag[row] &&
      requests.queue[pin.row] === requests.queue[row] &&
      requests.device[pin.row] === requests.device[row],
  );
}

const GROUP_ICONS: Readonly<Record<string, string>> = {
  device: 'vm',
  queue: 'server-process',
  tag: 'tag',
  op: 'symbol-operator',
  status: 'circle-large-outline',
  path: 'git-compare',
};

function requestLook(row: number, look: Look): Appearance {
  const { open, t } = look;
  const { requests } = open;
  const label = requestLabel(requests, row);
  const life = `#${requests.life[row]}`;
  const broken = look.violations.filter((violation) => requests.requestOf(violation.event) === row);
  const pinned = look.pins.some((pin) => pin.row === row && pin.event < 0 && pin.wholeTag !== true);
  const state = STATUS_LOOK[requests.status[row]!]!;
  const get = requests.get(row);
  const tooltip = [
    `**${label}** ${life}, ${get.device}`,
    '',
    `- ${outcomeText(requests, row)}`,
    `- ${t('data path: {0}', get.path)}`,
    `- ${eventCount(get.events.length, t)}, ${t('begins at {0} of the trace', durationText(get.start - (open.trace.ts[0] ?? 0)))}`,
    ...(get.sqes.length === 0
      ? []
      : [`- SQEs: ${get.sqes.map((sqe) => `${sqe.opcode || '?'} (${sqe.via ?? t('no CQE')})`).join(', ')}`]),
    ...(get.confidence === 'exact' ? [] : [`- ${t('matched by order and time: the events carry no tag')}`]),
    ...broken.slice(0, 5).map((violation) => `- **${violation.rule}** ${code(violation.message)}`),
  ].join('\n');
  return {
    label: look.slotKnown ? `${life} ${label.replace(/^q\S+ tag \S+ /, '')}` : `${label} ${life}`,
    description: outcomeText(requests, row),
    icon: broken.length > 0 ? 'warning' : state.icon,
    color: broken.length > 0 ? 'list.warningForeground' : state.color,
    tooltip,
    context: `request place slot ${pinned ? 'pinned' : 'pinnable'}`,
  };
}

function eventLook(event: number, row: number, look: Look): Appearance {
  const { t } = look;
  const { trace, requests } = look.open;
  const shape = trace.shapeOf(event);
  const base = row >= 0 ? requests.start[row]! : (trace.ts[0] ?? 0);
  const task = trace.taskOf(trace.task[event]!);
  const body = bodyText(trace, event, shape).replace(/^\([^)]*\)\s*/, '');
  const broken = look.violations.some((violation) => violation.event === event);
  const result = signed(
    trace.num(event, 'res') ?? trace.num(event, 'result') ?? trace.num(event, 'ret') ?? 0,
  );
  // -EIOCBQUEUED and its like never reach user space: they say that the answer comes later.
  const failed = result < 0 && -result < FIRST_KERNEL_INTERNAL_ERRNO;
  const pinned = look.pins.some((pin) => pin.event === event);
  const color = broken ? 'list.warningForeground' : failed ? 'testing.iconFailed' : undefined;
  return {
    label: shape.name,
    description: `+${durationText(Math.max(0, trace.ts[event]! - base))}  ${cut(body)}`,
    icon: broken ? 'warning' : (SYSTEM_ICONS[shape.spec?.system ?? ''] ?? 'circle-small-filled'),
    ...(color === undefined ? {} : { color }),
    tooltip: [
      t('**{0}**, event {1}, line {2}', shape.name, number(event), number(look.open.lineOf(event))),
      '',
      shape.spec?.says ?? t('The schema does not know this event.'),
      '',
      `- ${t('{0} on CPU {1}', code(`${task.comm}-${task.pid}`), trace.cpu[event]!)}`,
      ...(shape.spec === undefined ? [] : [`- \`${shape.spec.fn}()\``]),
      `- ${code(cut(body, 400))}`,
    ].join('\n'),
    context: `event place ${row >= 0 ? 'slot ' : ''}${pinned ? 'pinned' : 'pinnable'}`,
  };
}

function statuses(rows: Uint32Array, open: OpenTrace): { failed: number; open: number } {
  let failed = 0;
  let unfinished = 0;
  for (const row of rows) {
    if (open.requests.status[row] === 2) failed++;
    else if (open.requests.status[row] === 0) unfinished++;
  }
  return { failed, open: unfinished };
}

/** Results are kept as 32 or 64 bit words. */
function signed(value: number): number {
  if (value >= 2 ** 63) return value - 2 ** 64;
  return value >= 2 ** 31 && value < 2 ** 32 ? value - 2 ** 32 : value;
}

/** `1 request`, `1,024 requests`. */
export function requestCount(n: number, t: Translate): string {
  return n === 1 ? t('1 request') : t('{0} requests', number(n));
}

function eventCount(n: number, t: Translate): string {
  return n === 1 ? t('1 event') : t('{0} events', number(n));
}

/** `1 broken rule`, `2 broken rules`. */
export function brokenCount(n: number, t: Translate): string {
  return n === 1 ? t('1 broken rule') : t('{0} broken rules', number(n));
}

/** A number with commas between thousands. */
export function number(n: number): string {
  return n.toLocaleString('en-US');
}

function cut(text: string, length = LONGEST): string {
  return text.length > length ? `${text.slice(0, length)}...` : text;
}

/** Text from a trace, fit to stand in Markdown. */
function code(text: string): string {
  return `\`${text.replaceAll('`', "'").replace(/[\r\n]+/g, ' ')}\``;
}

import { durationText, outcomeText, requestLabel } from '../../debug/request_label';
import type { OpenTrace } from '../../debug/model';
import type { Translate } from '../translate';
import { fieldText } from '../../view/fields';
import { schemaText } from '../../view/texts';

/** What a hover says of an event: what it means, its fields with units, and the request it belongs to. Markdown. */
export function eventHover(open: OpenTrace, event: number, t: Translate): string {
  const { trace, requests } = open;
  const { spec, name, template, raw } = trace.shapeOf(event);
  const task = trace.taskOf(trace.task[event]!);
  const lines = [`**${name}**${spec === undefined ? '' : ` · \`${spec.fn}()\``}`, ''];
  lines.push(spec === undefined ? t('The schema does not know this event.') : schemaText(spec.says, t), '');
  if (!raw) {
    for (const [k, field] of template.names.entries()) {
      if (field === 'loc' || template.names.indexOf(field) !== k) continue;
      const about = spec?.fields?.[field];
      const value = fieldText(trace, event, field, about, t);
      lines.push(
        `- \`${field}\` = ${code(value)}${about === undefined ? '' : `: ${schemaText(about.says, t)}`}`,
      );
    }
  }
  const row = requests.requestOf(event);
  lines.push(
    '',
    t(
      'Event {0}, {1} on CPU {2}',
      event.toLocaleString('en-US'),
      code(`${task.comm}-${task.pid}`),
      trace.cpu[event]!,
    ),
  );
  if (row >= 0) {
    const events = requests.events(row);
    const at = events.indexOf(event);
    const since =
      at > 0
        ? `, ${t('{0} after the one before', durationText(trace.ts[event]! - trace.ts[events[at - 1]!]!))}`
        : '';
    const place = at < 0 ? '' : ` (${t('event {0} of {1}', at + 1, events.length)}${since})`;
    lines.push(
      '',
      `${requestLabel(requests, row)} #${requests.life[row]}: ${outcomeText(requests, row)}${place}`,
    );
  }
  for (const { rule, message } of open.violations
    .filter((violation) => violation.event === event)
    .slice(0, 5))
    lines.push('', `**${rule}** ${message}`);
  return lines.join('\n');
}

function code(text: string): string {
  if (text === '') return '(empty)';
  return `\`${text.replaceAll('`', "'").replace(/[\r\n]+/g, ' ')}\``;
}

/** Lines of the text that fold together, from 0, both inclusive. */
export interface LineFold {
  readonly start: number;
  readonly end: number;
  readonly kind: 'header' | 'request';
}

/** Shortest run of lines that folds. */
const SHORTEST = 3;

/** The header, and each run of lines that belong to one request; at most `limit`, the longest ones first. */
export function traceFolds(open: OpenTrace, limit: number): LineFold[] {
  const { trace, requests } = open;
  const folds: LineFold[] = [];
  const first = trace.length > 0 ? trace.lineOf(0) : 1;
  let start = 0;
  const close = (end: number): void => {
    const row = requests.requestOf(start);
    const from = trace.lineOf(start) - 1;
    const to = trace.lineOf(end) - 1;
    if (row >= 0 && end - start + 1 >= SHORTEST && to - from === end - start)
      folds.push({ start: from, end: to, kind: 'request' });
  };
  for (let event = 1; event < trace.length; event++) {
    if (requests.requestOf(event) === requests.requestOf(start)) continue;
    close(event - 1);
    start = event;
  }
  if (trace.length > 0) close(trace.length - 1);
  const kept =
    folds.length <= limit ? folds : folds.sort((a, b) => b.end - b.start - (a.end - a.start)).slice(0, limit);
  kept.sort((a, b) => a.start - b.start);
  return first > 2 ? [{ start: 0, end: first - 2, kind: 'header' }, ...kept] : kept;
}

/** What stands behind a line while the debugger is stopped there: the request and how far it is. */
export function stoppedText(open: OpenTrace, event: number, t: Translate): string {
  const { requests, trace } = open;
  const row = requests.requestOf(event);
  if (row < 0) return '';
  const events = requests.events(row);
  const at = events.indexOf(event);
  const since = at > 0 ? `, +${durationText(trace.ts[event]! - trace.ts[events[at - 1]!]!)}` : '';
  return `${requestLabel(requests, row)} #${requests.life[row]}, ${t('event {0} of {1}', at + 1, events.length)}${since}`;
}

/** What stands behind a session's line while the debugger is stopped at an event: its I/Os so far. */
export function sessionLineText(open: OpenTrace, line: number, event: number, t: Translate): string {
  const { trace } = open;
  const events = open.sessionLines.events(line);
  const before = events.filter((each) => each <= event);
  const ios = (list: readonly number[]): number =>
    list.filter((each) => trace.nameOf(each) === 'app_io_submit').length;
  if (events.length === 0) return '';
  if (before.length === 0) return t('not reached');
  const total = ios(events);
  return total === 0 ? t('started') : t('{0} of {1} I/Os issued', ios(before), total);
}

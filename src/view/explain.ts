import { indexAfter } from '../debug/sorted';
import type { OpenTrace } from '../debug/model';
import { durationText, requestLabel } from '../debug/request_label';
import type { StackFile, StackIndex } from '../debug/stack';
import type { Explanation } from '../webview/protocol_data';
import { fieldText } from './fields';
import type { Translate } from './machine_names';
import { contextText, schemaText } from './texts';
import type { Timeline } from './timeline';

/** Longest chain of causes that is told. */
const LONGEST_WHY = 12;

/** What an event is, why it happens here, and what comes next. */
export function explain(
  open: OpenTrace,
  timeline: Timeline,
  event: number,
  stack: StackIndex | undefined,
  t: Translate,
): Explanation {
  const { trace } = open;
  if (!(Number.isInteger(event) && event >= 0 && event < trace.length))
    throw new RangeError(`there is no event ${event}`);
  const { spec, name, template, raw } = trace.shapeOf(event);
  const fields = raw
    ? []
    : template.names.filter((field, k, all) => field !== 'loc' && all.indexOf(field) === k);
  return {
    event,
    name,
    line: open.printer.line(event).trim(),
    what: `${spec === undefined ? t('The schema does not know this event.') : schemaText(spec.says, t)}${diskText(open, event, t)}`,
    why: why(open, event, t),
    where: {
      function: spec?.fn ?? functionOf(open, event),
      context: whereText(open, timeline, event, t),
      kernel: kernelText(open, t),
      lesson: stack === undefined ? '' : lessonOf(stack, name),
    },
    next: next(open, timeline, event, t),
    fields: fields.map((field) => {
      const about = spec?.fields?.[field];
      return {
        name: field,
        value: fieldText(trace, event, field, about, t),
        help: schemaText(about?.says, t),
      };
    }),
    violations: open.violations
      .filter((violation) => violation.event === event || violation.evidence.includes(event))
      .slice(0, 10)
      .map(({ rule, message }) => ({ rule, text: message })),
  };
}

/** An event in one sentence: its name, its context, what it means. */
export function sentence(open: OpenTrace, event: number, t: Translate): string {
  const { spec, name } = open.trace.shapeOf(event);
  const says = spec === undefined ? '' : `: ${schemaText(spec.says, t)}`;
  return `${name} (${contextText(open, event, t)})${says}${diskText(open, event, t)}`;
}

/** Which disk a block event is about, as a sentence behind others; empty for other events. */
function diskText({ trace, requests, causes }: OpenTrace, event: number, t: Translate): string {
  const { spec } = trace.shapeOf(event);
  if (spec?.system !== 'block') return '';
  const below = causes.isBelow(event);
  if (below === undefined) return '';
  if (!below)
    return ` ${t('Disk: the ublk disk {0}.', requests.devices[requests.device[requests.requestOf(event)]])}`;
  const major = trace.num(event, 'major');
  if (major === undefined) return ` ${t('Disk: the backing disk.')}`;
  return ` ${t('Disk: the backing disk {0},{1}.', major, trace.num(event, 'minor') ?? 0)}`;
}

function why(open: OpenTrace, event: number, t: Translate): Explanation['why'] {
  const chain = open.causes.chain(event).slice(1, LONGEST_WHY + 1);
  return chain.map((cause) => ({ text: sentence(open, cause, t), event: cause }));
}

/** What this event brings about, and the next event of its request where that is another one. */
function next(open: OpenTrace, { times }: Timeline, event: number, t: Translate): Explanation['next'] {
  const { requests, causes } = open;
  const later = (to: number): string => durationText(Math.max(0, times.at(to) - times.at(event)));
  const found: { text: string; event: number }[] = [];
  const effect = causes.caused(event);
  if (effect >= 0) {
    found.push({
      text: t('{0} later, because of this: {1}', later(effect), sentence(open, effect, t)),
      event: effect,
    });
  }
  const row = requests.requestOf(event);
  if (row < 0) return found;
  const list = requests.events(row);
  const at = indexAfter(list, event);
  if (at >= list.length) {
    const end = Number.isNaN(requests.end[row]);
    found.push({
      text: end ? t('The trace ends before this request does.') : t('The request is over.'),
      event: -1,
    });
  } else if (list[at] !== effect) {
    const to = list[at];
    const cause = causes.parent(to);
    const what = sentence(open, to, t);
    const of = requestLabel(requests, row);
    const by = cause < 0 ? '' : open.trace.nameOf(cause);
    found.push({
      text:
        by === ''
          ? t('{0} later, next in time only, of {1}: {2}', later(to), of, what)
          : t('{0} later, next in time only, of {1}, because of {2}: {3}', later(to), of, by, what),
      event: to,
    });
  }
  return found;
}

function whereText(open: OpenTrace, { lanes }: Timeline, event: number, t: Translate): string {
  const { kind } = lanes.all[lanes.of(event)];
  const words: Record<typeof kind, string> = {
    client: t('client'),
    kworker: t('kernel worker'),
    daemon: t('daemon thread'),
    'io-wq': t('io-wq worker'),
    interrupt: t('interrupt'),
    other: t('other task'),
  };
  return `${words[kind]}: ${contextText(open, event, t)}`;
}

/** The function that a probe names as its place, for events that the schema does not know. */
function functionOf({ trace }: OpenTrace, event: number): string {
  return /^(?:<- )?(\w+)/.exec(trace.str(event, 'loc') ?? '')?.[1] ?? '';
}

/** Kernel profile of a simulation, or what the recording says of its kernel. */
export function kernelText({ source, trace }: OpenTrace, t: Translate): string {
  if (source.kind === 'session') return t('simulated {0}', source.session.settings.kernel);
  if (source.kind === 'ring') return t('simulated {0}', source.kernel);
  for (const { kind, text } of trace.notes.slice(0, 64)) {
    if (kind !== 'comment') continue;
    const simulated = /^# ublk-trace kernel: (.+)$/.exec(text);
    if (simulated !== null) return t('simulated {0}', simulated[1]!);
    const recorded = /^#\s*(?:os ?release|uname|kernel)\s*[:=]\s*(.+)$/i.exec(text);
    if (recorded !== null) return recorded[1]!.trim();
  }
  return t('recorded, version not named in the text');
}

/** What the pseudo-code says where the event has its line: the remark above the line, the lesson of its file, and its locks. */
export function lessonOf(stack: StackIndex, name: string): string {
  const place = stack.locate(name);
  const file = stack.files.find((each) => each.name === place?.file);
  if (place === undefined || file === undefined) return '';
  const parts = [remarkAbove(file, place.line), paragraph(file, /^Lesson:/), paragraph(file, /^Lock/)];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** The comment that stands last above a line within its function; empty where there is none. */
function remarkAbove(file: StackFile, line: number): string {
  const around = file.functions.find((each) => each.line <= line && line <= each.endLine);
  if (around === undefined) return '';
  const above = file.lines.slice(around.line - 1, line).join('\n');
  const last = [...above.matchAll(/\/\*([\s\S]*?)\*\//g)].at(-1)?.[1] ?? '';
  return last
    .split('\n')
    .map((text) => text.replace(/^\s*\*\s?/, '').trim())
    .join(' ')
    .trim();
}

/** A paragraph of the comment at the top of a file, without its stars. */
function paragraph({ lines }: StackFile, start: RegExp): string {
  const end = lines.findIndex((text) => text.trim() === '*/');
  const header = lines.slice(0, Math.max(0, end)).map((text) => text.replace(/^\s*\/?\*\s?/, ''));
  const first = header.findIndex((text) => start.test(text));
  if (first < 0) return '';
  const after = header.findIndex((text, k) => k > first && text.trim() === '');
  return header
    .slice(first, after < 0 ? undefined : after)
    .join('\n')
    .trim();
}

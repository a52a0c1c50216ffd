import type { OpenTrace } from '../debug/model';
import { requestLabel } from '../debug/request_label';
import { bodyText } from '../trace/print';
import type { CursorState } from '../webview/protocol_data';
import type { Translate } from './machine_names';
import type { Times } from './times';

/** Context of an event in words: `ublk-256 on CPU 1`. */
export function contextText({ trace }: OpenTrace, event: number, t: Translate): string {
  const { comm, pid } = trace.taskOf(trace.task[event]);
  return t('{0} on CPU {1}', `${comm}-${pid}`, trace.cpu[event]);
}

/** What an event says behind its name, on one line. */
export function detailText({ trace }: OpenTrace, event: number): string {
  const shape = trace.shapeOf(event);
  return bodyText(trace, event, shape)
    .replace(/^\([^)]*\)\s*/, '')
    .replace(/\s+/g, ' ')
    .trim();
}

/** The cursor with what every face says of it. */
export function cursorState(open: OpenTrace, times: Times, t: Translate): CursorState {
  const { event, request } = open.cursor;
  if (event < 0) return { event: -1, request: -1, time: 0, text: t('The trace has no events'), label: '' };
  const own = open.requests.requestOf(event);
  const where = contextText(open, event, t);
  const whom = own < 0 ? '' : `, ${requestLabel(open.requests, own)}`;
  return {
    event,
    request: request ?? -1,
    time: times.at(event),
    text: t('Event {0}: {1} in {2}{3}', event, open.trace.nameOf(event), where, whom),
    label: request === undefined ? '' : requestLabel(open.requests, request),
  };
}

/** A sentence of the schema in the language of the person; its texts are in the bundle as they stand there. */
export function schemaText(says: string | undefined, translate: Translate): string {
  return says === undefined ? '' : translate(says);
}

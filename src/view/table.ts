import type { OpenTrace } from '../debug/model';
import { requestLabel } from '../debug/request_label';
import type { Column, TableRow } from '../webview/protocol_data';
import type { Translate } from './machine_names';
import { contextText, detailText } from './texts';
import type { Times } from './times';

/** Most rows of one answer. */
const MOST_ROWS = 2000;
/** Longest cell. */
const LONGEST = 200;

/** A part of the table of events, of the whole trace or of one request. */
export function tableOf(
  open: OpenTrace,
  times: Times,
  ask: { readonly offset: number; readonly count: number; readonly request?: number },
  t: Translate,
): { columns: readonly Column[]; total: number; rows: readonly TableRow[] } {
  const { requests, trace } = open;
  const list = ask.request === undefined || ask.request < 0 ? undefined : requests.events(ask.request);
  const total = list?.length ?? trace.length;
  const from = Math.max(0, Math.min(Math.trunc(ask.offset) || 0, total));
  const to = Math.min(total, from + Math.max(0, Math.min(Math.trunc(ask.count) || 0, MOST_ROWS)));
  const rows: TableRow[] = [];
  for (let k = from; k < to; k++) {
    const event = list?.[k] ?? k;
    const request = requests.requestOf(event);
    const details = detailText(open, event);
    rows.push({
      event,
      request,
      cells: [
        String(event),
        microseconds(times.at(event)),
        contextText(open, event, t),
        trace.nameOf(event),
        request < 0 ? '' : requestLabel(requests, request),
        details.length > LONGEST ? `${details.slice(0, LONGEST)}…` : details,
      ],
    });
  }
  return {
    columns: [
      { id: 'event', title: t('Event') },
      { id: 'time', title: t('Time (us)') },
      { id: 'context', title: t('Context') },
      { id: 'name', title: t('Name') },
      { id: 'request', title: t('Request') },
      { id: 'details', title: t('Details') },
    ],
    total,
    rows,
  };
}

/** Nanoseconds as microseconds with three decimals. */
function microseconds(ns: number): string {
  return `${Math.floor(ns / 1000)}.${String(Math.floor(ns % 1000)).padStart(3, '0')}`;
}

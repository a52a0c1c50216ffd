import { outcomeText, requestLabel } from '../../debug/request_label';
import type { TreeModel } from '../tree_model';
import type { Translate } from '../translate';
import { number } from './appearance';
import type { Node } from './nodes';

/** Most lines that are copied at once. */
export const MAX_LINES = 20000;

/** A node as text to paste: trace lines of requests and events, one line per request of a group. */
export function nodeText(model: TreeModel, node: Node, t: Translate): string {
  const { open } = model;
  const lines: string[] = [];
  const request = (row: number): string =>
    `${requestLabel(open.requests, row)} #${open.requests.life[row]}: ${outcomeText(open.requests, row)}`;
  const events = (list: Iterable<number>): void => {
    for (const event of list) if (lines.length <= MAX_LINES) lines.push(open.printer.line(event));
  };
  switch (node.kind) {
    case 'trace':
      for (const row of model.rows) if (lines.length <= MAX_LINES) lines.push(request(row));
      break;
    case 'group':
      for (const row of node.rows) if (lines.length <= MAX_LINES) lines.push(request(row));
      break;
    case 'page': {
      const items = node.items.subarray(node.from, node.to);
      if (node.of === 'events') events(items);
      else for (const row of items) if (lines.length <= MAX_LINES) lines.push(request(row));
      break;
    }
    case 'request':
      lines.push(`# ${request(node.row)}`);
      events(open.requests.events(node.row));
      break;
    case 'event':
      events([node.event]);
      break;
    case 'violation':
      lines.push(`# ${node.violation.rule}: ${node.violation.message}`);
      events(node.violation.evidence);
      break;
    case 'others':
      events(open.otherEvents);
      break;
    default:
      for (const child of model.children(node)) lines.push(nodeText(model, child, t).trimEnd());
  }
  const text = lines.slice(0, MAX_LINES).join('\n');
  return lines.length > MAX_LINES
    ? `${text}\n# ${t('cut after {0} lines', number(MAX_LINES))}\n`
    : `${text}\n`;
}

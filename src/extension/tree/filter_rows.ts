import * as vscode from 'vscode';
import type { OpenTrace } from '../../debug/model';
import { longWork } from '../work';

/**
 * The requests of each trace that a filter shows; all of them (undefined) for an empty text. `accepted` is told once the text is
 * understood. undefined where it was replaced by another one or given up by a person.
 * @throws FilterError
 */
export async function filterRows(
  traces: readonly OpenTrace[],
  text: string,
  accepted: () => void,
  replaced: () => boolean,
): Promise<(Uint32Array | undefined)[] | undefined> {
  const { compileFilter } = await import('../../debug/filter');
  const { requestsShown } = await import('../../debug/filter_scan');
  const filters = traces.map((open) => (text === '' ? undefined : compileFilter(text, open.trace)));
  if (replaced()) return undefined;
  accepted();
  return longWork(vscode.l10n.t('Filter requests'), async (work) => {
    const rows: (Uint32Array | undefined)[] = [];
    const part = {
      pause: work.pause,
      progress: (share: number) => work.progress('', (rows.length + share) / traces.length),
      cancelled: () => replaced() || work.cancelled(),
    };
    for (const [k, open] of traces.entries()) {
      const filter = filters[k];
      rows.push(filter && (await requestsShown(open, filter, part)));
      if (part.cancelled()) return undefined;
    }
    return rows;
  });
}

import * as vscode from 'vscode';
import type { OpenTrace } from '../../debug/model';

interface FilterItem extends vscode.QuickPickItem {
  /** Text of the filter after this item was chosen. */
  readonly next?: string;
  readonly apply?: true;
}

const MAX_HISTORY = 10;

/** Asks for a filter, proposing fields and values while it is typed; undefined when given up. An empty text shows all. */
export async function pickFilter(
  open: OpenTrace | undefined,
  value: string,
  memory: vscode.Memento,
): Promise<string | undefined> {
  const [{ completeFilter }, { filterProblem }] = await Promise.all([
    import('../../debug/filter_complete'),
    import('../../debug/filter'),
  ]);
  const { t } = vscode.l10n;
  const history = memory.get<string[]>('filters', []);
  const pick = vscode.window.createQuickPick<FilterItem>();
  pick.title = t('Filter requests');
  pick.placeholder = 'tag == 3 && res < 0, opcode == SPLICE, latency > 50us';
  pick.value = value;

  const update = (): void => {
    const text = pick.value;
    const problem = text.trim() === '' ? undefined : filterProblem(text, open?.trace);
    const items: FilterItem[] = [];
    if (problem === undefined) {
      const label = text.trim() === '' ? t('Show all requests') : t('Show requests with {0}', text.trim());
      items.push({ label: `$(check) ${label}`, alwaysShow: true, apply: true });
    } else {
      items.push({ label: `$(info) ${problem.message}`, alwaysShow: true });
    }
    const proposals = completeFilter(text, text.length, open);
    for (const { label, text: insert, says, start, end } of proposals) {
      const next = `${text.slice(0, start)}${insert}${text.slice(end)}`;
      // the path of a state variable goes on behind its kind
      const whole = /[\s:]$/.test(next) ? next : `${next} `;
      items.push({ label, description: says, alwaysShow: true, next: whole });
    }
    if (text.trim() === '') {
      for (const past of history) items.push({ label: `$(history) ${past}`, alwaysShow: true, next: past });
    }
    pick.items = items;
    // Enter ends a word that is begun, and else takes the filter.
    const begun = proposals.length > 0 && isBegun(text, proposals);
    pick.activeItems = items.slice(...(problem === undefined && !begun ? [0, 1] : [1, 2]));
  };
  update();
  return await new Promise<string | undefined>((resolve) => {
    pick.onDidChangeValue(update);
    pick.onDidAccept(() => {
      const [item] = pick.activeItems;
      if (item?.next !== undefined) {
        pick.value = item.next;
        update();
      } else if (item?.apply) {
        const text = pick.value.trim();
        if (text !== '')
          void memory.update(
            'filters',
            [text, ...history.filter((past) => past !== text)].slice(0, MAX_HISTORY),
          );
        resolve(text);
        pick.hide();
      }
    });
    pick.onDidHide(() => {
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
  });
}

/** Whether the text ends in a part of a word that is proposed, and of none that is whole. */
function isBegun(text: string, proposals: readonly { label: string; start: number; end: number }[]): boolean {
  return proposals.every(({ label, start, end }) => {
    const typed = text.slice(start, end).toLowerCase();
    return typed !== '' && typed !== label.toLowerCase();
  });
}

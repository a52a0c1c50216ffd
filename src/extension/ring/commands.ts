import * as vscode from 'vscode';
import { showError } from '../commands';
import { DEBUG_TYPE, programOf } from '../debug/configurations';
import { readBytes, readIfThere } from '../files';
import { isSession, shownPath } from '../traces';
import { orderComparison } from '../view/subject';
import type { Views } from '../view/views';
import { longWork, turns } from '../work';
import type { Sliced } from '../../trace/slices';
import type { RingLive } from './live';
import type { Orders, OrderSource } from './orders';

/** Scheme of the documents that list all orders of a program. */
export const ORDERS_SCHEME = 'ublk-orders';

/** Registers the commands of ring programs. */
export function registerRingCommands(
  { subscriptions }: vscode.ExtensionContext,
  views: Views,
  live: RingLive | undefined,
): void {
  const { commands, workspace } = vscode;
  const command = (name: string, run: (uri: vscode.Uri) => Promise<void>): void => {
    const guarded = async (about: unknown): Promise<void> => {
      const uri = about instanceof vscode.Uri ? about : vscode.window.activeTextEditor?.document.uri;
      if (uri === undefined) return;
      try {
        await run(uri);
      } catch (error) {
        showError(error);
      }
    };
    subscriptions.push(commands.registerCommand(`ublkTrace.${name}`, guarded));
  };
  subscriptions.push(
    workspace.registerTextDocumentContentProvider(ORDERS_SCHEME, {
      provideTextDocumentContent: async ({ query }) => {
        const { ordersDocument } = await import('./orders');
        const orders = await ordersAt(vscode.Uri.parse(query));
        return orders === undefined ? '' : ordersDocument(orders, vscode.l10n.t);
      },
    }),
  );
  command('ringOrders', showOrders);
  command('ringCompareOrders', (uri) => compareOrders(uri, views));
  command('ringLive', async (uri) => {
    if (live?.available(uri)) await live.run(uri);
    else
      void vscode.window.showInformationMessage(
        vscode.l10n.t(
          'Ring programs run on the kernel where VS Code runs on Linux, on local files that are trusted.',
        ),
      );
  });
}

interface Choice extends vscode.QuickPickItem {
  readonly schedule?: string | undefined;
  readonly list?: boolean;
}

/** The text of a program, as it stands in its editor. */
async function textOf(uri: vscode.Uri): Promise<string> {
  const document = vscode.workspace.textDocuments.find((each) => each.uri.toString() === uri.toString());
  return document?.getText() ?? new TextDecoder().decode(await readBytes(uri));
}

/** What a program or session says, as it stands in its editor. */
async function sourceOf(uri: vscode.Uri): Promise<OrderSource> {
  const text = await textOf(uri);
  if (isSession(uri)) {
    const { ringOfSession } = await import('../../debug/open');
    const { program, profile } = await ringOfSession(shownPath(uri), text, {
      pause: async () => undefined,
      readFile: (file) => readIfThere(vscode.Uri.joinPath(uri, '..', file)),
    });
    return { program: { ...program, name: fileName(uri) }, profile };
  }
  const { checkRing } = await import('../../debug/open_ring');
  const { mistake } = checkRing(text);
  if (mistake !== undefined)
    throw new Error(`${fileName(uri)}:${mistake.line}:${mistake.column}: ${mistake.message}`);
  return text;
}

function fileName(uri: vscode.Uri): string {
  return uri.path.slice(uri.path.lastIndexOf('/') + 1);
}

/** All orders of a program; undefined when somebody gave up waiting for them. */
async function ordersAt(uri: vscode.Uri): Promise<Orders | undefined> {
  const source = await sourceOf(uri);
  const { ordersOf } = await import('./orders');
  const title = vscode.l10n.t('Looking for all orders');
  return longWork(title, async ({ pause, progress, cancelled }) => {
    const work = ordersOf(source);
    for (let step = work.next(); ; step = work.next()) {
      if (step.done === true) return step.value;
      progress('', step.value);
      await pause();
      if (cancelled()) return undefined;
    }
  });
}

async function choices(orders: Orders): Promise<Choice[]> {
  const { orderItems } = await import('./orders');
  return orderItems(orders, vscode.l10n.t);
}

/** Lists all outcomes; the one that is chosen is debugged. */
async function showOrders(uri: vscode.Uri): Promise<void> {
  const { t } = vscode.l10n;
  const orders = await ordersAt(uri);
  if (orders === undefined) return;
  const { askingOrder, totalText } = await import('./orders');
  const source = await sourceOf(uri);
  const pairs = orders.relation.pairs.length;
  const sure = orders.relation.pairs.filter(({ rules }) => rules.length > 0).length;
  const list: Choice = {
    label: `$(list-unordered) ${t('List of outcomes and rules')}`,
    description: t('{0} of {1} pairs of CQEs have a guaranteed order', sure, pairs),
    list: true,
  };
  const picked = await choose(
    [list, ...(await choices(orders))],
    `${orders.name}: ${totalText(orders, t)}`,
    t('Choose an order of CQEs to step through it, or type one, such as 3,1,2'),
    function* (value) {
      const asked = yield* askingOrder(source, value, t);
      if (asked === undefined) return undefined;
      const { label, description, detail, schedule, possible } = asked;
      const icon = possible ? '$(debug-start)' : '$(circle-slash)';
      return { label: `${icon} ${label}`, description, detail, alwaysShow: true, schedule, list: !possible };
    },
  );
  if (picked === undefined) return;
  if (picked.list) await showList(uri);
  else await debugOrder(uri, picked.schedule);
}

/** Time after the last key from which on an order is looked at, ms. */
const TYPING_MS = 250;

/**
 * A list whose second entry, the likeliest order, is the one that Enter takes. `answer` gives an entry for what is typed; typing on or leaving
 * ends it.
 */
function choose(
  items: readonly Choice[],
  title: string,
  placeholder: string,
  answer: (value: string) => Sliced<Choice | undefined>,
): Promise<Choice | undefined> {
  const picker = vscode.window.createQuickPick<Choice>();
  picker.title = title;
  picker.placeholder = placeholder;
  picker.matchOnDetail = true;
  picker.items = items;
  picker.activeItems = items.slice(1, 2);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let turn = 0;
  const rest = (): void => {
    picker.busy = false;
    picker.title = title;
  };
  const stop = (): number => {
    clearTimeout(timer);
    if (picker.busy) rest();
    return ++turn;
  };
  const within = async <T>(work: Sliced<T>, own: number): Promise<T | undefined> => {
    const pause = turns();
    for (let step = work.next(); ; step = work.next()) {
      if (step.done === true) return step.value;
      // the answer for what was typed before is none for this
      if (!picker.busy) picker.items = items;
      picker.busy = true;
      picker.title = vscode.l10n.t(
        '{0} · looking for this order: {1} %',
        title,
        Math.floor(step.value * 100),
      );
      await pause();
      if (own !== turn) return undefined;
    }
  };
  picker.onDidChangeValue((value) => {
    const own = stop();
    timer = setTimeout(async () => {
      try {
        const answered = await within(answer(value), own);
        if (own !== turn) return;
        picker.items = answered ? [answered, ...items] : items;
        if (answered) picker.activeItems = [answered];
      } catch (error) {
        showError(error);
      } finally {
        if (own === turn) rest();
      }
    }, TYPING_MS);
  });
  return new Promise((resolve) => {
    picker.onDidAccept(() => {
      resolve(picker.activeItems[0]);
      picker.hide();
    });
    picker.onDidHide(() => {
      stop();
      resolve(undefined);
      picker.dispose();
    });
    picker.show();
  });
}

async function showList(uri: vscode.Uri): Promise<void> {
  const path = `${uri.path}.orders.md`;
  const document = await vscode.workspace.openTextDocument(
    vscode.Uri.from({ scheme: ORDERS_SCHEME, path, query: uri.toString() }),
  );
  await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside, preview: true });
}

async function debugOrder(uri: vscode.Uri, schedule: string | undefined): Promise<void> {
  const name = uri.path.slice(uri.path.lastIndexOf('/') + 1);
  await vscode.debug.startDebugging(vscode.workspace.getWorkspaceFolder(uri), {
    type: DEBUG_TYPE,
    request: 'launch',
    name: vscode.l10n.t('Debug {0}', name),
    program: programOf(uri),
    ...(schedule === undefined ? {} : { schedule }),
    stopOnEntry: true,
  });
}

/** Asks for two outcomes and shows both, one above the other. */
async function compareOrders(uri: vscode.Uri, views: Views): Promise<void> {
  const { t } = vscode.l10n;
  const orders = await ordersAt(uri);
  if (orders === undefined) return;
  const items = await choices(orders);
  if (items.length < 2) {
    void vscode.window.showInformationMessage(t('{0} has one order only', orders.name));
    return;
  }
  const first = await vscode.window.showQuickPick(items, { title: t('First order'), matchOnDetail: true });
  if (first === undefined) return;
  const rest = items.filter((item) => item !== first);
  const second = await vscode.window.showQuickPick(rest, { title: t('Second order'), matchOnDetail: true });
  if (second === undefined) return;
  await views.show(orderComparison(uri, {}, [first.schedule, second.schedule]), 'timeline');
}

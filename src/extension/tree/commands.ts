import * as vscode from 'vscode';
import { showError, showText } from '../commands';
import type { Traces } from '../traces';
import { pickFilter } from './filter_pick';
import { GROUPINGS, type Grouping, type Node } from './nodes';
import { type RequestTree, TREE_MOVER } from './view';

/** The place that a node stands for. */
function placeOf(node: Node): { event: number; row: number } | undefined {
  switch (node.kind) {
    case 'event':
      return { event: node.event, row: node.row };
    case 'request':
      return { event: -1, row: node.row };
    case 'violation':
      return { event: node.violation.event, row: -1 };
    case 'trace':
      return { event: 0, row: -1 };
    default:
      return undefined;
  }
}

/** Registers the commands of the tree: filter, arrangement, pins, and moving the cursor to a node. */
export function registerTreeCommands(
  context: vscode.ExtensionContext,
  traces: Traces,
  tree: RequestTree,
  stepTo: (node: Node) => Promise<void>,
): void {
  const { t } = vscode.l10n;
  const command = (name: string, run: (node: Node | undefined) => Promise<unknown>): void => {
    context.subscriptions.push(
      vscode.commands.registerCommand(`ublkTrace.${name}`, async (node?: Node) => {
        try {
          await run(isNode(node) ? node : tree.selected);
        } catch (error) {
          showError(error);
        }
      }),
    );
  };

  command('showPlace', async (node) => {
    const entry = node && tree.entryOf(node);
    if (node === undefined || entry === undefined) return;
    moveTo(tree, traces, node);
    const { event } = entry.open.cursor;
    await showText(entry, true, event);
  });
  command('stepTo', async (node) => {
    if (node === undefined) return;
    moveTo(tree, traces, node);
    await stepTo(node);
  });
  context.subscriptions.push(
    vscode.commands.registerCommand('ublkTrace.filter', async (text?: unknown) => {
      try {
        const chosen =
          typeof text === 'string'
            ? text
            : await pickFilter(traces.current?.open, tree.filter, context.workspaceState);
        if (chosen !== undefined) await tree.applyFilter(chosen);
      } catch (error) {
        showError(error);
      }
    }),
  );
  command('clearFilter', () => tree.applyFilter(''));
  command('group', async () => {
    const names: Record<Grouping, string> = {
      tag: t('By queue and tag'),
      queue: t('By queue'),
      time: t('In one list, by time'),
      op: t('By operation'),
      status: t('By outcome'),
      path: t('By data path'),
    };
    const items = GROUPINGS.map((grouping) => ({
      label: names[grouping],
      grouping,
      ...(grouping === tree.arrangement ? { description: t('now') } : {}),
    }));
    const picked = await vscode.window.showQuickPick(items, { title: t('Group requests') });
    if (picked) tree.arrange(picked.grouping);
  });
  context.subscriptions.push(
    vscode.commands.registerCommand('ublkTrace.rerun', async (node?: unknown, key?: unknown) => {
      const named = traces.all.find((entry) => entry.key === key);
      const chosen = isNode(node) ? tree.entryOf(node) : undefined;
      const entry = named ?? chosen ?? (tree.selected && tree.entryOf(tree.selected)) ?? traces.current;
      try {
        if (entry) await traces.open(entry.uri, entry.overrides, { again: true });
      } catch (error) {
        showError(error);
      }
    }),
  );
  command('pin', async (node) => node && tree.pin(node, true));
  command('unpin', async (node) => node && tree.pin(node, false));
  command('followCursor', () => tree.follow(true));
  command('copyText', async (node) => {
    const model = node && tree.modelOf(node);
    if (node === undefined || model === undefined) return;
    const { nodeText } = await import('./copy');
    await vscode.env.clipboard.writeText(nodeText(model, node, t));
  });
  command('showText', async (node) => {
    const entry = (node && tree.entryOf(node)) ?? traces.current;
    if (entry === undefined) return;
    const place = node && placeOf(node);
    if (node !== undefined && place !== undefined && node.kind !== 'trace') moveTo(tree, traces, node);
    const { event } = entry.open.cursor;
    await showText(entry, false, event);
  });
  command('closeTrace', async (node) => {
    const entry = (node && tree.entryOf(node)) ?? traces.current;
    if (entry) traces.close(entry);
  });
}

/** Moves the cursor of the node's trace to the node. */
function moveTo(tree: RequestTree, traces: Traces, node: Node): void {
  const entry = tree.entryOf(node);
  const place = placeOf(node);
  if (entry === undefined || place === undefined) return;
  traces.select(entry);
  const { requests, cursor } = entry.open;
  const event = place.event >= 0 ? place.event : requests.events(place.row)[0];
  if (event === undefined) return;
  const row = place.row >= 0 ? place.row : requests.requestOf(event);
  cursor.move(event, row < 0 ? undefined : row, TREE_MOVER);
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'kind' in value && 'id' in value;
}

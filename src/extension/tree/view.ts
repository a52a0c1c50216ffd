import * as vscode from 'vscode';
import type { Violation } from '../../check/types';
import { cqeOrder } from '../../ring/compare';
import type { Entry, Traces } from '../traces';
import type { WindowMemory } from '../memory';
import { TreeModel, TreeModels } from '../tree_model';
import { appearance, brokenCount, number } from './appearance';
import { filterRows } from './filter_rows';
import { GROUPINGS, type Grouping, type Node, type Pin } from './nodes';

const VIEW = 'ublkTrace.requests';
/** What the tree calls itself when it moves a cursor. */
export const TREE_MOVER = 'tree';
const REVEAL_MS = 60;
const MOST_MISSED = 5;
/** How long the status bar tells something, ms. */
const TELL_MS = 10_000;
/** Names in the workspace's memory. */
const FILTER_KEY = 'filter';
const GROUPING_KEY = 'grouping';

/** What the tree keeps of one trace. */
interface Shown {
  entry: Entry;
  model: TreeModel;
  pins: Pin[];
  rows: Uint32Array | undefined;
  /** The filter that left those rows; empty for none. */
  by: string;
  violations: readonly Violation[];
  cursor: vscode.Disposable;
}

/** The tree of requests: every open trace with its queues, tags, requests and events. */
export class RequestTree implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<Node | undefined>();
  private readonly shown = new Map<string, Shown>();
  /** VS Code asks for rows of before a filter or a run until it has the new ones. */
  private readonly models = new TreeModels();
  private readonly subscriptions: vscode.Disposable[];
  private readonly view: vscode.TreeView<Node>;
  private revealing: ReturnType<typeof setTimeout> | undefined;
  private isRevealing = false;
  /** Times in a row that a node could not be revealed. */
  private missed = 0;
  private filterRun = 0;
  private grouping: Grouping = 'tag';
  /** Ids of the lists of other events that a person has opened: only there does the tree follow such events. */
  private readonly openedLists = new Set<string>();
  readonly onDidChangeTreeData = this.changed.event;
  /** Text of the filter; empty where all requests are shown. */
  filter = '';

  constructor(
    private readonly traces: Traces,
    private readonly memory: WindowMemory,
    private readonly state: vscode.Memento,
  ) {
    this.filter = state.get(FILTER_KEY, '');
    this.grouping = GROUPINGS.find((each) => each === state.get(GROUPING_KEY)) ?? 'tag';
    void vscode.commands.executeCommand('setContext', 'ublkTrace.filtered', this.filter !== '');
    this.view = vscode.window.createTreeView<Node>(VIEW, { treeDataProvider: this, showCollapseAll: true });
    this.subscriptions = [
      this.view,
      traces.onDidChange(() => this.sync()),
      memory.onDidChangePins((key) => this.takePins(key)),
      this.view.onDidChangeVisibility(() => this.follow()),
      this.view.onDidExpandElement(({ element }) => this.opened(element, true)),
      this.view.onDidCollapseElement(({ element }) => this.opened(element, false)),
    ];
  }

  getChildren(node?: Node): Node[] {
    if (node === undefined) {
      // Asked for when the view is first seen.
      void this.memory.restore();
      return [...this.shown.values()].map((shown) => shown.model.root);
    }
    return [...(this.models.of(node)?.children(node) ?? [])];
  }

  getParent(node: Node): Node | undefined {
    return node.parent;
  }

  getTreeItem(node: Node): vscode.TreeItem {
    const model = this.models.of(node);
    const shown = model && this.shown.get(model.key);
    const { None, Collapsed, Expanded } = vscode.TreeItemCollapsibleState;
    if (model === undefined || shown === undefined) return new vscode.TreeItem('', None);
    const state = model.hasChildren(node) ? (node.kind === 'trace' ? Expanded : Collapsed) : None;
    const { violations = [], pins = [] } = model.options;
    const look = appearance(node, {
      open: model.open,
      violations,
      pins,
      note: this.noteOf(shown),
      slotKnown: this.grouping === 'tag' && node.parent?.kind !== 'pins',
      t: vscode.l10n.t,
    });
    const item = new vscode.TreeItem(look.label, state);
    item.id = node.id;
    item.description = look.description;
    item.contextValue = look.context;
    item.iconPath = new vscode.ThemeIcon(
      look.icon,
      look.color === undefined ? undefined : new vscode.ThemeColor(look.color),
    );
    item.tooltip = new vscode.MarkdownString(look.tooltip);
    item.accessibilityInformation = { label: `${look.label}, ${look.description}` };
    if (node.kind === 'event' || node.kind === 'request' || node.kind === 'violation')
      item.command = { command: 'ublkTrace.showPlace', title: vscode.l10n.t('Show'), arguments: [node] };
    return item;
  }

  /** The trace that a node belongs to; undefined for a place in a run that was replaced since. */
  entryOf(node: Node): Entry | undefined {
    return this.shownOf(node)?.entry;
  }

  /** The tree that a node stands in. */
  modelOf(node: Node): TreeModel | undefined {
    return this.models.of(node);
  }

  /** Node that a command without argument means. */
  get selected(): Node | undefined {
    return this.view.selection[0];
  }

  /** What the view says above its lines; undefined for nothing. */
  get message(): string | undefined {
    return this.view.message;
  }

  /** Number on the view's icon: rules that are broken in the open traces. */
  get badge(): number {
    return this.view.badge?.value ?? 0;
  }

  /** Whether the view is on the screen. */
  get visible(): boolean {
    return this.view.visible;
  }

  get arrangement(): Grouping {
    return this.grouping;
  }

  /** Arranges the requests of all traces anew. */
  arrange(grouping: Grouping): void {
    this.grouping = grouping;
    void this.state.update(GROUPING_KEY, grouping);
    for (const shown of this.shown.values()) this.rebuild(shown);
    this.refresh();
    void this.follow();
  }

  /** Keeps a place at the top of its trace, or lets it go. */
  pin(node: Node, on: boolean): void {
    const shown = this.shownOf(node);
    const place = shown && placeOfNode(node);
    if (place !== undefined) this.memory.pin(shown!.entry, place, on);
  }

  /** Pins are set here and in the timeline. */
  private takePins(key: string): void {
    const shown = this.shown.get(key);
    if (shown === undefined) return;
    shown.pins = this.memory.pins(shown.entry);
    this.rebuild(shown);
    this.refresh();
  }

  /**
   * Shows only requests that a filter accepts; an empty text shows all. Where a person gives it up, the filter is as it was.
   * @throws FilterError
   */
  async applyFilter(text: string): Promise<void> {
    const run = ++this.filterRun;
    const replaced = (): boolean => run !== this.filterRun;
    const shown = [...this.shown.values()];
    const traces = shown.map(({ entry }) => entry.open);
    const found = await filterRows(traces, text, () => this.setFilter(text), replaced);
    if (replaced()) return;
    if (found === undefined) {
      const known = new Set([...this.shown.values()].map(({ by }) => by));
      // rows of a trace that came meanwhile are those of no filter
      const [before = ''] = known.size === 1 ? known : [];
      if (known.size > 1) await this.applyFilter('');
      else this.setFilter(before);
      return;
    }
    shown.forEach((each, k) => {
      each.rows = found[k];
      each.by = text;
      this.rebuild(each);
    });
    this.refresh();
    void this.follow();
  }

  private setFilter(text: string): void {
    this.filter = text;
    void this.state.update(FILTER_KEY, text === '' ? undefined : text);
    void vscode.commands.executeCommand('setContext', 'ublkTrace.filtered', text !== '');
  }

  /** Selects the event of the current trace's cursor, without taking the focus. */
  async follow(force = false): Promise<void> {
    const entry = this.traces.current;
    const shown = entry && this.shown.get(entry.key);
    if (shown === undefined || (!this.view.visible && !force)) return;
    const { event, request } = shown.entry.open.cursor;
    const { model } = shown;
    const row = request ?? shown.entry.open.requests.requestOf(event);
    const owned = shown.entry.open.requests.requestOf(event) === row;
    if (row < 0 && !force && !this.openedLists.has(`${model.key}/others`)) return;
    const node =
      (owned ? model.eventNode(event) : undefined) ??
      model.requestNode(row) ??
      (event < 0 ? model.root : undefined);
    if (node === undefined) return;
    if (this.isRevealing) {
      // Of two at once the first may end last, and would win.
      this.followSoon(force);
      return;
    }
    this.isRevealing = true;
    try {
      await this.view.reveal(node, { select: true, focus: force, expand: false });
      this.missed = 0;
    } catch {
      // The tree was rebuilt meanwhile: the new one has the node too.
      if (this.missed++ < MOST_MISSED) this.followSoon();
    } finally {
      this.isRevealing = false;
    }
  }

  private followSoon(force = false): void {
    clearTimeout(this.revealing);
    this.revealing = setTimeout(() => void this.follow(force), REVEAL_MS);
  }

  dispose(): void {
    clearTimeout(this.revealing);
    for (const shown of this.shown.values()) shown.cursor.dispose();
    for (const each of this.subscriptions) each.dispose();
    this.changed.dispose();
  }

  /** Broken rules of a trace became known. */
  setViolations(entry: Entry, violations: readonly Violation[]): void {
    const shown = this.shown.get(entry.key);
    if (shown === undefined || shown.entry.open !== entry.open) return;
    shown.violations = violations;
    this.rebuild(shown);
    this.refresh();
  }

  private opened(node: Node, on: boolean): void {
    if (node.kind !== 'others') return;
    if (on) this.openedLists.add(node.id);
    else this.openedLists.delete(node.id);
  }

  private sync(): void {
    const { all } = this.traces;
    const keys = new Set(all.map((entry) => entry.key));
    for (const [key, shown] of this.shown) {
      if (keys.has(key)) continue;
      shown.cursor.dispose();
      this.shown.delete(key);
    }
    for (const entry of all) {
      const known = this.shown.get(entry.key);
      if (known?.entry === entry) continue;
      if (known?.entry.open === entry.open) {
        known.entry = entry;
        continue;
      }
      known?.cursor.dispose();
      this.add(entry);
    }
    void vscode.commands.executeCommand('setContext', 'ublkTrace.open', all.length > 0);
    this.refresh();
  }

  private add(entry: Entry): void {
    const pins = this.memory.pins(entry);
    const shown: Shown = {
      entry,
      model: this.models.add(
        new TreeModel(entry.open, entry.key, { grouping: this.grouping, pins, t: vscode.l10n.t }),
      ),
      pins,
      rows: undefined,
      by: '',
      violations: [],
      cursor: entry.open.cursor.onDidChange(({ by }) => {
        if (by !== TREE_MOVER) this.followSoon();
      }),
    };
    this.shown.set(entry.key, shown);
    if (this.filter !== '')
      void this.applyFilter(this.filter).catch((error) => this.dropFilter(entry, error));
  }

  /** Shows all requests, and says why: the filter has no meaning in a trace that was opened. */
  private async dropFilter(entry: Entry, error: unknown): Promise<void> {
    const { t } = vscode.l10n;
    const why = error instanceof Error ? error.message : String(error);
    const { name } = entry.open;
    vscode.window.setStatusBarMessage(
      t("Filter '{0}' taken off: {1} ({2})", this.filter, why, name),
      TELL_MS,
    );
    await this.applyFilter('');
  }

  private rebuild(shown: Shown): void {
    const { rows, pins, violations } = shown;
    const options = { grouping: this.grouping, pins, violations, t: vscode.l10n.t };
    shown.model = this.models.add(
      new TreeModel(shown.entry.open, shown.entry.key, rows === undefined ? options : { ...options, rows }),
    );
  }

  private refresh(): void {
    const { t } = vscode.l10n;
    let broken = 0;
    let requests = 0;
    let visible = 0;
    for (const shown of this.shown.values()) {
      broken += shown.violations.length;
      requests += shown.entry.open.requests.length;
      visible += shown.model.rows.length;
    }
    this.view.badge = broken === 0 ? undefined : { value: broken, tooltip: brokenCount(broken, t) };
    this.view.message =
      this.filter === ''
        ? undefined
        : t('Filter: {0} ({1} of {2} requests)', this.filter, number(visible), number(requests));
    this.changed.fire(undefined);
  }

  private noteOf({ entry, rows }: Shown): string {
    const { t } = vscode.l10n;
    const notes: string[] = [];
    const { zeroCopy, schedule } = entry.overrides;
    const { source } = entry.open;
    if (source.kind !== 'text' && source.steps && schedule !== undefined)
      notes.push(t('order {0}', cqeOrder({ steps: source.steps })));
    if (zeroCopy !== undefined) notes.push(zeroCopy === 'on' ? t('with -z') : t('without -z'));
    if (entry.freshness === 'changed')
      notes.push(
        entry.open.source.kind !== 'text' ? t('edited since: run again') : t('changed since: open again'),
      );
    if (entry.freshness === 'deleted') notes.push(t('file deleted'));
    if (rows !== undefined) notes.push(t('filtered'));
    return notes.join(', ');
  }

  private shownOf(node: Node): Shown | undefined {
    const model = this.models.of(node);
    const shown = model && this.shown.get(model.key);
    return node.kind === 'trace' || shown?.entry.open === model?.open ? shown : undefined;
  }
}

/** What of a node is pinned; undefined where nothing can be. */
function placeOfNode(node: Node): Pin | undefined {
  if (node.kind === 'request') return { row: node.row, event: -1 };
  if (node.kind === 'event') return { row: node.row, event: node.event };
  const first = node.kind === 'group' && node.by === 'tag' ? node.rows[0] : undefined;
  return first === undefined ? undefined : { row: first, event: -1, wholeTag: true };
}

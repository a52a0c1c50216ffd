import * as vscode from 'vscode';
import { isOnTag, isPlaceMark, markOf, type Place, type PlaceMark, placeOf, type TagMark } from './places';
import type { Entry, Overrides, Traces } from './traces';

const KEY = 'traces';
/** Traces that are remembered, the latest ones. */
const MOST = 30;
/** Moves of a cursor come in bursts. */
const WAIT_MS = 300;

/** What is remembered of one trace in this workspace. */
interface Remembered {
  readonly uri: string;
  readonly overrides: Overrides;
  /** Whether it is open in this window. */
  readonly open: boolean;
  readonly pins: readonly PlaceMark[];
  readonly cursor?: PlaceMark;
}

/** Keeps open traces, their pins and their cursors in the workspace's memory, so that a reloaded window has them again. */
export class WindowMemory implements vscode.Disposable {
  private readonly known = new Map<string, Remembered>();
  private readonly listeners = new Map<string, { open: Entry['open']; cursor: vscode.Disposable }>();
  private readonly subscription: vscode.Disposable;
  private current: string | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private restoring: Promise<void> | undefined;
  private readonly pinned = new vscode.EventEmitter<string>();
  /** Key of a trace whose pins changed. */
  readonly onDidChangePins = this.pinned.event;

  constructor(
    private readonly traces: Traces,
    private readonly state: vscode.Memento,
  ) {
    const stored = state.get<{ current?: unknown; traces?: unknown }>(KEY, {});
    if (typeof stored.current === 'string') this.current = stored.current;
    for (const [key, value] of Object.entries(stored.traces ?? {}))
      if (isRemembered(value)) this.known.set(key, value);
    this.subscription = traces.onDidChange(() => this.sync());
  }

  /** Pins of a trace that its run has, in the order in which they were set. */
  pins(entry: Entry): Place[] {
    const marks = this.known.get(entry.key)?.pins ?? [];
    return marks.map((mark) => placeOf(entry.open, mark)).filter((place) => place !== undefined);
  }

  /** Pins a place or lets it go. Pins that another run has and this one has not stay. */
  pin(entry: Entry, place: Place, on: boolean): void {
    const known = this.known.get(entry.key) ?? fresh(entry);
    const mark = markOf(entry.open, place);
    const text = JSON.stringify(mark);
    const others = known.pins.filter((other) => JSON.stringify(other) !== text);
    this.setPins(entry, on ? [...others, mark] : others);
  }

  /** Pins a tag, or lets go of it and of all that is pinned on it. */
  pinTag(entry: Entry, tag: TagMark, on: boolean): void {
    const { pins } = this.known.get(entry.key) ?? fresh(entry);
    if (!on)
      this.setPins(
        entry,
        pins.filter((mark) => !isOnTag(mark, tag)),
      );
    else if (!pins.some(({ slot }) => slot !== undefined && isOnTag({ slot }, tag)))
      this.setPins(entry, [...pins, { slot: tag }]);
  }

  private setPins(entry: Entry, pins: readonly PlaceMark[]): void {
    this.known.set(entry.key, { ...(this.known.get(entry.key) ?? fresh(entry)), pins });
    this.pinned.fire(entry.key);
    this.later();
  }

  /** Opens the traces again that were open when the window was reloaded, once; what cannot be opened is forgotten. */
  restore(): Promise<void> {
    this.restoring ??= this.open();
    return this.restoring;
  }

  dispose(): void {
    this.subscription.dispose();
    if (this.timer !== undefined) void this.save();
    for (const { cursor } of this.listeners.values()) cursor.dispose();
    this.pinned.dispose();
  }

  private async open(): Promise<void> {
    const wanted = [...this.known].filter(([key, { open }]) => open && !this.listeners.has(key));
    const { current } = this;
    const lost: string[] = [];
    for (const [key, { uri, overrides, cursor }] of wanted) {
      try {
        const entry = await this.traces.open(vscode.Uri.parse(uri), overrides);
        const place = cursor && placeOf(entry.open, cursor);
        if (place !== undefined)
          entry.open.cursor.move(place.event, place.row < 0 ? undefined : place.row, 'memory');
      } catch {
        this.known.set(key, { ...this.known.get(key)!, open: false });
        lost.push(vscode.Uri.parse(uri).path.split('/').pop() ?? uri);
      }
    }
    const selected = this.traces.all.find((entry) => entry.key === current);
    if (selected !== undefined) this.traces.select(selected);
    if (lost.length > 0)
      vscode.window.setStatusBarMessage(
        vscode.l10n.t('Could not be opened again: {0}', lost.join(', ')),
        10_000,
      );
    this.later();
  }

  private sync(): void {
    const { all, current } = this.traces;
    const keys = new Set(all.map(({ key }) => key));
    for (const [key, { cursor }] of this.listeners) {
      if (keys.has(key)) continue;
      cursor.dispose();
      this.listeners.delete(key);
      const known = this.known.get(key);
      if (known !== undefined) this.known.set(key, { ...known, open: false });
    }
    for (const entry of all) {
      const { key, open } = entry;
      if (this.listeners.get(key)?.open === open) continue;
      this.listeners.get(key)?.cursor.dispose();
      this.listeners.set(key, { open, cursor: open.cursor.onDidChange(() => this.later()) });
      const known = this.known.get(key) ?? fresh(entry);
      // The latest one goes last.
      this.known.delete(key);
      this.known.set(key, { ...known, open: true });
    }
    this.current = current?.key ?? this.current;
    this.later();
  }

  private later(): void {
    this.timer ??= setTimeout(() => void this.save(), WAIT_MS);
  }

  private async save(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const { key, open } of this.traces.all) {
      const known = this.known.get(key);
      const { event, request } = open.cursor;
      if (known === undefined || event < 0) continue;
      this.known.set(key, { ...known, cursor: markOf(open, { row: request ?? -1, event }) });
    }
    const kept = [...this.known].filter(([, { open, pins }]) => open || pins.length > 0).slice(-MOST);
    await this.state.update(KEY, { current: this.current, traces: Object.fromEntries(kept) });
  }
}

function fresh({ uri, overrides }: Entry): Remembered {
  return { uri: uri.toString(), overrides, open: true, pins: [] };
}

function isRemembered(value: unknown): value is Remembered {
  if (typeof value !== 'object' || value === null) return false;
  const { uri, overrides, open, pins, cursor } = value as Record<string, unknown>;
  return (
    typeof uri === 'string' &&
    typeof open === 'boolean' &&
    typeof overrides === 'object' &&
    overrides !== null &&
    Array.isArray(pins) &&
    pins.every(isPlaceMark) &&
    (cursor === undefined || isPlaceMark(cursor))
  );
}

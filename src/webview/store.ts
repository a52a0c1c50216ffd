import { computed, signal } from '@preact/signals-core';
import type { Client } from './client';
import type { Command } from './commands';
import { asZoom } from './drawing/zoom';
import type { Exporter } from './drawing/picture';
import { latest, oneByOne } from './latest';
import type { Hello, SavedView, StepName, TraceSummary } from './protocol';
import { PROTOCOL_VERSION } from './protocol';
import type { CursorState, Explanation, Face, Flow, Statistics } from './protocol_data';
import { longest, type TimeRange, wholeRange } from './time_range';
import { wordsFrom, type Words } from './words';

export interface Selection extends TimeRange {
  readonly trace: number;
}

export interface SearchState {
  readonly open: boolean;
  readonly query: string;
  readonly busy: boolean;
  /** What to say of the last search: number of hits, or what is wrong with the filter. */
  readonly message: string;
  readonly failed: boolean;
}

/** The faces that are drawings of a size of their own. */
export type DrawnFace = Exclude<Face, 'timeline'>;

/** A problem to show: in words, until the person closes it or it is mended. */
export interface Problem {
  readonly text: string;
  /** False: a state such as "reading …", not an error. */
  readonly failed: boolean;
  readonly progress?: number;
}

/** Memory of the webview that survives a reload. */
export interface Keeper {
  get(): SavedView | undefined;
  set(view: SavedView): void;
}

/** The cursor of a trace without events, or of none. */
export const NO_CURSOR: CursorState = { event: -1, request: -1, time: 0, text: '', label: '' };

/** All state of the view, in one place. Components read signals and call the methods; nothing else changes state. */
export class Store {
  readonly client: Client;
  private readonly keeper: Keeper;
  /** No room for the side panel unless it is asked for. */
  private readonly narrow: boolean;

  readonly traces = signal<readonly TraceSummary[]>([]);
  readonly cursors = signal<readonly CursorState[]>([]);
  readonly pins = signal<readonly string[]>([]);
  readonly face = signal<Face>('timeline');
  /** The visible range, shared by both traces of a comparison. */
  readonly range = signal<TimeRange>({ from: 0, to: 1 });
  /** The stretch in which nearly everything happens, of all traces together; undefined: the whole. */
  readonly busy = signal<TimeRange | undefined>(undefined);
  private fresh = true;
  /** First visible track of the first trace. */
  readonly scroll = signal(0);
  /** Sizes at which the other faces are drawn. */
  readonly zooms = signal<Readonly<Record<DrawnFace, number>>>({ sequence: 1, machine: 1 });
  /** The sequence says of every line what it means, not only of the current one. */
  readonly notes = signal(false);
  /** Which of two traces keys act on. */
  readonly active = signal(0);
  readonly sidePanel = signal(true);
  readonly tableOpen = signal(false);
  readonly helpOpen = signal(false);
  readonly selection = signal<Selection | undefined>(undefined);
  /** One end of a range to be measured, until the other is set. */
  readonly mark = signal<{ readonly trace: number; readonly time: number } | undefined>(undefined);
  readonly statistics = signal<Statistics | undefined>(undefined);
  readonly explanation = signal<Explanation | undefined>(undefined);
  /** The focused request of each trace across its lanes. */
  readonly flows = signal<readonly (Flow | undefined)[]>([]);
  readonly search = signal<SearchState>({ open: false, query: '', busy: false, message: '', failed: false });
  readonly problem = signal<Problem | undefined>(undefined);
  /** Said politely to screen readers and shown for a moment in the status line. */
  readonly notice = signal('');
  /** True once the host has answered. */
  readonly ready = signal(false);
  /** Counts replacements of the traces: everything fetched under another number is stale. */
  readonly epoch = signal(0);
  readonly exporter = signal<Exporter | undefined>(undefined);
  private readonly strings = signal<Readonly<Record<string, string>>>({});
  readonly words = computed<Words>(() => wordsFrom(this.strings.value));

  readonly trace = computed<TraceSummary | undefined>(() => this.traces.value[this.active.value]);
  readonly cursor = computed<CursorState>(() => this.cursors.value[this.active.value] ?? NO_CURSOR);

  private readonly handlers: ((command: Command) => boolean)[] = [];
  private readonly explain: (ask: { trace: number; event: number }) => void;
  private readonly measure: (ask: Selection) => void;
  private readonly follow: (ask: { trace: number; request: number }) => void;
  private readonly inTurn = oneByOne(3);

  constructor(client: Client, keeper: Keeper, narrow = false) {
    this.client = client;
    this.keeper = keeper;
    this.narrow = narrow;
    const fail = (error: unknown): void => this.fail(error);
    this.explain = latest(
      (ask) => client.ask('explain', ask),
      (answer) => {
        this.explanation.value = answer;
      },
      fail,
    );
    this.measure = latest(
      (ask) => client.ask('statistics', ask),
      (answer, ask) => {
        if (this.selection.peek() === ask) this.statistics.value = answer;
      },
      fail,
    );
    this.follow = latest(
      (ask) => client.ask('flow', ask),
      (answer, ask) => this.setFlow(ask.trace, answer),
      fail,
    );
    client.on('cursor', ({ trace, cursor }) => this.takeCursor(trace, cursor));
    client.on('pins', ({ pins }) => {
      this.pins.value = pins;
    });
    client.on('replaced', (value) => this.replace(value.traces, value.cursors));
    client.on('status', ({ text, failed, progress }) => {
      this.problem.value =
        text === '' ? undefined : { text, failed, ...(progress !== undefined && { progress }) };
    });
  }

  /** First exchange with the host: what to show. */
  async start(): Promise<void> {
    const saved = this.keeper.get();
    let hello: Hello;
    try {
      hello = await this.client.ask('hello', { version: PROTOCOL_VERSION, saved });
    } catch (error) {
      this.fail(error);
      return;
    }
    this.strings.value = hello.strings;
    this.client.words = this.words.peek();
    if (hello.version !== PROTOCOL_VERSION) {
      const t = this.words.peek();
      const text = t(
        'This view is of version {0}, the extension of version {1}: close the view and open it again.',
        PROTOCOL_VERSION,
        hello.version,
      );
      this.problem.value = { text, failed: true };
      return;
    }
    this.pins.value = hello.pins;
    this.replace(hello.traces, hello.cursors);
    const view = hello.view;
    if (view !== undefined) {
      this.putBack(view);
    }
    if (this.fresh && (this.narrow || hello.traces.length > 1)) this.sidePanel.value = false;
    this.ready.value = true;
  }

  /** Shows a view as it was kept; the cursors were put back by the host. */
  private putBack(view: SavedView): void {
    this.face.value = view.face;
    this.sidePanel.value = view.sidePanel;
    this.scroll.value = view.scroll;
    this.zooms.value = { sequence: asZoom(view.zooms?.sequence), machine: asZoom(view.zooms?.machine) };
    this.notes.value = view.notes === true;
    if (view.active !== undefined && this.traces.peek()[view.active] !== undefined)
      this.active.value = view.active;
    this.fresh = view.to <= view.from;
    if (!this.fresh) this.range.value = { from: view.from, to: view.to };
  }

  keep(view: SavedView): void {
    this.keeper.set(view);
  }

  /** Moves the one cursor; the debugger, the tree and the text follow. */
  move(event: number, request: number, trace = this.active.peek()): void {
    this.active.value = trace;
    if (event < 0) return;
    this.inTurn(() => this.asked(trace, this.client.ask('move', { trace, event, request })));
  }

  /** Focuses a request and goes to its first event. */
  async goToRequest(request: number): Promise<void> {
    const trace = this.active.peek();
    try {
      const flow = await this.client.ask('flow', { trace, request });
      this.move(flow.event[0] ?? -1, request, trace);
    } catch (error) {
      this.fail(error);
    }
  }

  step(step: StepName): void {
    const trace = this.active.peek();
    const t = this.words.peek();
    const before = this.cursor.peek().request;
    this.inTurn(async () => {
      await this.asked(trace, this.client.ask('step', { trace, step }));
      const { request, label } = this.cursors.peek()[trace] ?? NO_CURSOR;
      if (before < 0 && request >= 0 && step.endsWith('OfRequest')) this.say(t('Focused {0}.', label));
    });
  }

  /** Pins or unpins a tag by its key; without one, that of the focused request. */
  async pin(key: string): Promise<void> {
    const on = !this.pins.peek().includes(key);
    try {
      const { pins } = await this.client.ask('pin', { trace: this.active.peek(), key, on });
      this.pins.value = pins;
      const t = this.words.peek();
      this.say(on ? t('Pinned {0}.', key) : t('Unpinned {0}.', key));
    } catch (error) {
      this.fail(error);
    }
  }

  async reveal(where: 'text' | 'session' | 'stack' | 'tree'): Promise<void> {
    const { event } = this.cursor.peek();
    if (event < 0) return;
    try {
      await this.client.ask('reveal', { trace: this.active.peek(), event, where });
    } catch (error) {
      this.fail(error);
    }
  }

  /** Sets a data breakpoint on a state path. */
  async breakWhen(path: string, trace: number): Promise<void> {
    try {
      const { message } = await this.client.ask('breakWhen', { trace, path });
      this.say(message);
    } catch (error) {
      this.fail(error);
    }
  }

  select(selection: Selection | undefined): void {
    this.selection.value = selection;
    this.mark.value = undefined;
    this.statistics.value = undefined;
    if (selection === undefined) return;
    this.sidePanel.value = true;
    this.measure(selection);
  }

  /** Goes to the next hit of the query from the cursor on. */
  async find(query: string, backwards: boolean): Promise<void> {
    const t = this.words.peek();
    const trace = this.active.peek();
    if (query.trim() === '') {
      this.say(t('Nothing was searched for yet: press / to search.'));
      return;
    }
    this.search.value = { ...this.search.peek(), query, busy: true };
    const from = this.cursor.peek().event + (backwards ? -1 : 1);
    try {
      const hit = await this.client.ask('search', { trace, query, from, backwards });
      const count = hit.hits === undefined ? '' : hit.hits === 1 ? t('1 hit') : t('{0} hits', hit.hits);
      const message = hit.error ?? (hit.event < 0 ? t('No hit') : count);
      const failed = hit.error !== undefined;
      this.search.value = { ...this.search.peek(), busy: false, message, failed };
      if (hit.event >= 0 && !failed) this.move(hit.event, hit.request, trace);
      // A closed box shows no message.
      else if (!this.search.peek().open) this.say(message);
    } catch (error) {
      this.search.value = { ...this.search.peek(), busy: false, message: String(error), failed: true };
    }
  }

  /** Draws a face larger or smaller. */
  zoomTo(face: DrawnFace, zoom: number): void {
    this.zooms.value = { ...this.zooms.peek(), [face]: zoom };
    const t = this.words.peek();
    this.say(t('Drawn at {0} %.', Math.round(zoom * 100)));
  }

  showNotes(on: boolean): void {
    this.notes.value = on;
  }

  /** Notes where a trace is busy. A view that nobody has moved yet begins there. */
  foundBusy(trace: number, range: TimeRange | undefined): void {
    const old = trace === 0 ? undefined : this.busy.peek();
    const whole = wholeRange(longest(this.traces.peek()));
    const joined =
      old === undefined || range === undefined
        ? range
        : { from: Math.min(old.from, range.from), to: Math.max(old.to, range.to) };
    this.busy.value = joined;
    const { from, to } = this.range.peek();
    const { event, time } = this.cursor.peek();
    const inside = joined !== undefined && time >= joined.from && time <= joined.to;
    // Who stands elsewhere in the trace is not led away from there.
    if (!this.fresh || (event > 0 && !inside)) return;
    const untouched = (from === whole.from && to === whole.to) || (from === old?.from && to === old.to);
    if (untouched) this.range.value = joined ?? whole;
  }

  /** Makes a trace of a comparison the one that keys, search and the other faces act on. */
  activate(trace: number): void {
    const t = this.words.peek();
    const name = this.traces.peek()[trace]?.name;
    if (this.traces.peek().length < 2) this.say(t('There is no second trace here.'));
    if (name === undefined || trace === this.active.peek()) return;
    this.active.value = trace;
    this.say(t('Keys act on {0}.', name));
  }

  /** Lets a face or a part of the shell take commands; the latest comes first. Returns what stops that. */
  onCommand(handler: (command: Command) => boolean): () => void {
    this.handlers.unshift(handler);
    return () => {
      const at = this.handlers.indexOf(handler);
      if (at >= 0) this.handlers.splice(at, 1);
    };
  }

  /** Runs a command; false if nobody takes it now. */
  run(command: Command): boolean {
    return this.handlers.some((handler) => handler(command));
  }

  /** Says something politely, for everyone. */
  say(text: string): void {
    this.notice.value = text;
  }

  /** Shows an error in words. */
  fail(error: unknown): void {
    this.problem.value = { text: error instanceof Error ? error.message : String(error), failed: true };
  }

  /** Fetches the explanation of the event at the cursor, if that is not the one at hand. */
  wantExplanation(): void {
    const { event } = this.cursor.peek();
    const trace = this.active.peek();
    if (event < 0) this.explanation.value = undefined;
    else this.explain({ trace, event });
  }

  private async asked(trace: number, answer: Promise<CursorState>): Promise<void> {
    try {
      this.takeCursor(trace, await answer);
    } catch (error) {
      this.fail(error);
    }
  }

  private takeCursor(trace: number, cursor: CursorState): void {
    const old = this.cursors.peek()[trace];
    if (old !== undefined && old.event === cursor.event && old.request === cursor.request) return;
    this.cursors.value = this.cursors.peek().with(trace, cursor);
    if (old?.request !== cursor.request) this.wantFlow(trace, cursor.request);
  }

  private wantFlow(trace: number, request: number): void {
    if (request < 0) this.setFlow(trace, undefined);
    else this.follow({ trace, request });
  }

  private setFlow(trace: number, flow: Flow | undefined): void {
    const flows = this.traces.peek().map((_, k) => (k === trace ? flow : this.flows.peek()[k]));
    const wanted = this.cursors.peek()[trace]?.request ?? -1;
    // The focus may have moved on while the host looked.
    if (flow === undefined || flow.request === wanted) this.flows.value = flows;
  }

  private replace(traces: readonly TraceSummary[], cursors: readonly CursorState[]): void {
    const grownOnly = this.traces.peek().length === traces.length && this.ready.peek();
    this.traces.value = traces;
    this.cursors.value = cursors;
    this.active.value = Math.min(this.active.peek(), Math.max(0, traces.length - 1));
    this.selection.value = undefined;
    this.mark.value = undefined;
    this.statistics.value = undefined;
    this.explanation.value = undefined;
    this.flows.value = traces.map(() => undefined);
    this.problem.value = undefined;
    const length = longest(traces);
    const { from, to } = this.range.peek();
    if (!grownOnly || from >= length || to <= from) this.range.value = wholeRange(length);
    this.epoch.value = this.epoch.peek() + 1;
    for (const [trace, cursor] of cursors.entries()) this.wantFlow(trace, cursor.request);
  }
}

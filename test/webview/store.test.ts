import { describe, expect, it, vi } from 'vitest';
import { Client } from '../../src/webview/client';
import { TablePages } from '../../src/webview/shell/table_pages';
import type { Ask, RequestName, SavedView, TraceSummary } from '../../src/webview/protocol';
import { PROTOCOL_VERSION } from '../../src/webview/protocol';
import { keptView } from '../../src/webview/kept_view';
import { Store } from '../../src/webview/store';
import { savedView } from '../../src/webview/vscode_api';
import { tracksOf } from './slices';
import type { Command } from '../../src/webview/commands';
import type { Flow } from '../../src/webview/protocol_data';
import { timelineCommand } from '../../src/webview/timeline/timeline_commands';

const summary = (uri: string, length = 1000): TraceSummary => ({
  uri,
  name: uri,
  kernel: '6.1',
  events: 10,
  requests: 2,
  start: 0,
  length,
  simulated: true,
  warnings: [],
  totals: { copied: 0, sqes: 0, cqes: 0, punts: 0 },
  tracks: tracksOf([{ kind: 'tag' }]),
});

const cursor = (event: number, request = -1) => ({
  event,
  request,
  time: event * 10,
  text: `event ${event}`,
  label: '',
});

type Answers = Partial<Record<RequestName, (ask: Ask['with']) => unknown>>;

/** A store whose host answers with the given functions. */
function storeWith(answers: Answers = {}, saved?: SavedView, narrow = false) {
  const kept: SavedView[] = [];
  let send: (message: unknown) => void = () => undefined;
  const asked: Ask[] = [];
  const hello = () => ({
    version: PROTOCOL_VERSION,
    traces: [summary('a')],
    cursors: [cursor(0)],
    pins: [],
    view: saved,
    strings: {},
  });
  const all: Answers = {
    hello,
    flow: (ask) => ({ request: (ask as { request: number }).request, event: Int32Array.of(4) }),
    ...answers,
  };
  const client = new Client({
    post: (ask) => {
      asked.push(ask);
      queueMicrotask(() => {
        const answer = all[ask.ask];
        try {
          send({ id: ask.id, answer: answer?.(ask.with) });
        } catch (error) {
          send({ id: ask.id, error: String(error) });
        }
      });
    },
    listen: (receive) => {
      send = receive;
      return () => undefined;
    },
  });
  const store = new Store(client, { get: () => saved, set: (view) => void kept.push(view) }, narrow);
  return { store, asked, send: (message: unknown) => send(message) };
}

describe('the state of the view', () => {
  it('begins with the whole trace and what the host says', async () => {
    const { store } = storeWith();
    await store.start();
    expect(store.ready.value).toBe(true);
    expect(store.range.value).toEqual({ from: -20, to: 1020 });
    expect(keptView(store)).toMatchObject({ uri: 'a', face: 'timeline', zooms: { sequence: 1, machine: 1 } });
  });

  it('comes back as it was kept', async () => {
    const view: SavedView = {
      version: PROTOCOL_VERSION,
      uri: 'a',
      face: 'sequence',
      cursor: cursor(5, 1),
      others: [cursor(9)],
      active: 1,
      from: 100,
      to: 200,
      scroll: 7,
      zooms: { sequence: 2, machine: 17 },
      notes: true,
      sidePanel: false,
    };
    const { store } = storeWith({}, view);
    await store.start();
    store.foundBusy(0, { from: 1, to: 2 });
    expect(keptView(store)).toMatchObject({
      face: 'sequence',
      from: 100,
      to: 200,
      scroll: 7,
      // what is no size is drawn at its own
      zooms: { sequence: 2, machine: 1 },
      notes: true,
      // there is no second trace
      active: 0,
      sidePanel: false,
    });
    expect(savedView(view)).toBe(view);
    expect(savedView({ ...view, version: 99 })).toBeUndefined();
    expect(savedView(null)).toBeUndefined();
  });

  it('of a comparison comes back with the cursors of both traces, and the one that keys act on', async () => {
    const view: SavedView = {
      version: PROTOCOL_VERSION,
      uri: 'a',
      face: 'timeline',
      cursor: cursor(5, 1),
      others: [cursor(9)],
      active: 1,
      from: 0,
      to: 0,
      scroll: 0,
      sidePanel: false,
    };
    const { store } = storeWith({
      hello: () => ({
        version: PROTOCOL_VERSION,
        traces: [summary('a'), summary('b')],
        cursors: [cursor(5, 1), cursor(9)],
        pins: [],
        view,
        strings: {},
      }),
    });
    await store.start();
    expect(keptView(store)).toMatchObject({ cursor: cursor(5, 1), others: [cursor(9)], active: 1 });
    expect(store.cursor.value).toEqual(cursor(9));
  });

  it('shows nothing of a host of another version, and says why', async () => {
    const { store } = storeWith({
      hello: () => ({
        version: 99,
        traces: [summary('a')],
        cursors: [cursor(0)],
        pins: [],
        view: undefined,
        strings: {},
      }),
    });
    await store.start();
    expect(store.ready.value).toBe(false);
    expect(store.problem.value).toMatchObject({ failed: true });
    expect(store.problem.value?.text).toContain('99');
  });

  it('turns keys, steps and search to the other trace of a comparison', async () => {
    const { store, asked } = storeWith({
      hello: () => ({
        version: PROTOCOL_VERSION,
        traces: [summary('a'), summary('b')],
        cursors: [cursor(0), cursor(3)],
        pins: [],
        view: undefined,
        strings: {},
      }),
      step: () => cursor(4),
    });
    await store.start();
    store.activate(1);
    expect(store.trace.value?.name).toBe('b');
    expect(store.notice.value).toContain('b');
    store.step('next');
    await vi.waitFor(() => expect(store.cursors.value[1]?.event).toBe(4));
    expect(asked.at(-1)).toMatchObject({ ask: 'step', with: { trace: 1 } });
    store.activate(2);
    expect(store.active.value).toBe(1);
  });

  it('measures a range by keys: from end to end, what is visible, the focused request', async () => {
    const { store, send } = storeWith({ statistics: () => ({ events: 3 }) });
    await store.start();
    const press = (command: Command): boolean =>
      timelineCommand(store, [], command, { to: () => undefined, goal: () => store.range.peek() });
    const chosen = (): unknown =>
      store.selection.value && [store.selection.value.from, store.selection.value.to];
    const goTo = (event: number): void =>
      send({ event: 'cursor', with: { trace: 0, cursor: cursor(event), by: 'tree' } });
    goTo(40);
    press('measure');
    expect(store.notice.value).toContain('400 ns');
    press('measure');
    expect(chosen()).toBeUndefined();
    goTo(12);
    press('measure');
    expect(chosen()).toEqual([120, 400]);
    expect(store.mark.value).toBeUndefined();
    await vi.waitFor(() => expect(store.statistics.value).toBeDefined());
    store.range.value = { from: -20, to: 333.5 };
    press('measureVisible');
    expect(chosen()).toEqual([0, 334]);
    store.select(undefined);
    press('measureRequest');
    expect(chosen()).toBeUndefined();
    store.flows.value = [{ request: 1, time: Float64Array.of(70, 90, 130) } as unknown as Flow];
    press('measureRequest');
    expect(chosen()).toEqual([70, 130]);
  });

  it('answers next hit in words where nothing is found or was searched for', async () => {
    const { store } = storeWith({ search: () => ({ event: -1, request: -1, hits: 0 }) });
    await store.start();
    await store.find('', false);
    expect(store.notice.value).toContain('/');
    await store.find('tag == 77', false);
    expect(store.notice.value).toBe('No hit');
  });

  it('says that there is no other trace', async () => {
    const { store } = storeWith();
    await store.start();
    store.activate(0);
    expect(store.notice.value).not.toBe('');
  });

  it('moves by asking, follows moves of others, and fetches the way of the focused request', async () => {
    const { store, send, asked } = storeWith({ move: () => cursor(4, 1) });
    await store.start();
    store.move(4, 1);
    await vi.waitFor(() => expect(store.cursor.value.event).toBe(4));
    await vi.waitFor(() => expect(store.flows.value[0]?.request).toBe(1));
    send({ event: 'cursor', with: { trace: 0, cursor: cursor(9, -1), by: 'debugger' } });
    expect(store.cursor.value.event).toBe(9);
    expect(store.flows.value[0]).toBeUndefined();
    expect(asked.filter(({ ask }) => ask === 'move')).toHaveLength(1);
  });

  it('shows errors of the host in words and stays as it is', async () => {
    const { store } = storeWith({
      step: () => {
        throw new Error('the trace is closed');
      },
    });
    await store.start();
    store.step('next');
    await vi.waitFor(() => expect(store.problem.value?.text).toContain('the trace is closed'));
    expect(store.cursor.value.event).toBe(0);
  });

  it('forgets what belonged to a replaced trace, and keeps the range where it still fits', async () => {
    const { store, send } = storeWith({ statistics: () => ({ events: 3 }) });
    await store.start();
    store.range.value = { from: 100, to: 200 };
    store.select({ trace: 0, from: 100, to: 150 });
    await vi.waitFor(() => expect(store.statistics.value).toBeDefined());
    const before = store.epoch.value;
    send({ event: 'replaced', with: { traces: [summary('a', 5000)], cursors: [cursor(2)] } });
    expect(store.epoch.value).toBe(before + 1);
    expect(store.selection.value).toBeUndefined();
    expect(store.statistics.value).toBeUndefined();
    expect(store.range.value).toEqual({ from: 100, to: 200 });
    send({ event: 'replaced', with: { traces: [summary('a', 50)], cursors: [cursor(0)] } });
    expect(store.range.value).toEqual({ from: -1, to: 51 });
  });

  it('searches from the cursor on, and shows what is wrong with a filter', async () => {
    const hits = [
      { event: 6, request: 1, hits: 2 },
      { event: -1, request: -1, error: "1:5: '===' compares nothing" },
    ];
    const { store, asked } = storeWith({ search: () => hits.shift(), move: () => cursor(6, 1) });
    await store.start();
    await store.find('tag == 1', false);
    await vi.waitFor(() => expect(store.cursor.value.event).toBe(6));
    expect(store.search.value).toMatchObject({ message: '2 hits', failed: false });
    await store.find('tag === 1', true);
    expect(store.search.value).toMatchObject({ message: "1:5: '===' compares nothing", failed: true });
    const froms = asked
      .filter((ask) => ask.ask === 'search')
      .map((ask) => (ask.with as { from: number }).from);
    expect(froms).toEqual([1, 5]);
  });

  it('begins at the busy part, until somebody has moved it', async () => {
    const { store } = storeWith();
    await store.start();
    store.foundBusy(0, { from: 300, to: 400 });
    expect(store.range.value).toEqual({ from: 300, to: 400 });
    store.range.value = { from: 0, to: 10 };
    store.foundBusy(0, { from: 500, to: 600 });
    expect(store.range.value).toEqual({ from: 0, to: 10 });
  });

  it('begins there too where the cursor stands in it, and not where it stands elsewhere', async () => {
    for (const [event, from] of [
      [35, 300],
      [90, -20],
    ] as const) {
      const { store } = storeWith();
      await store.start();
      store.cursors.value = [cursor(event)];
      store.foundBusy(0, { from: 300, to: 400 });
      expect(store.range.value.from).toBe(from);
    }
  });

  it('has its side panel closed at first where it is narrow or compares', async () => {
    const open = async (narrow: boolean, traces: number): Promise<boolean> => {
      const all = Array.from({ length: traces }, (_, k) => summary(`t${k}`));
      const hello = () => ({
        version: PROTOCOL_VERSION,
        traces: all,
        cursors: all.map(() => cursor(0)),
        pins: [],
        view: undefined,
        strings: {},
      });
      const { store } = storeWith({ hello }, undefined, narrow);
      await store.start();
      return store.sidePanel.value;
    };
    expect([await open(false, 1), await open(true, 1), await open(false, 2)]).toEqual([true, false, false]);
  });

  it('offers commands to the latest part first', async () => {
    const { store } = storeWith();
    const seen: string[] = [];
    const stop = store.onCommand(() => true);
    store.onCommand((command) => {
      seen.push(command);
      return command === 'fit';
    });
    expect(store.run('fit')).toBe(true);
    stop();
    expect(store.run('help')).toBe(false);
    expect(seen).toEqual(['fit', 'help']);
  });
});

describe('pages of the table', () => {
  const answer = (offset: number, count: number, total = 1000) => ({
    columns: [{ id: 'event', title: 'Event' }],
    total,
    rows: Array.from({ length: Math.min(count, total - offset) }, (_, k) => ({
      event: offset + k,
      request: -1,
      cells: [String(offset + k)],
    })),
  });

  it('come when their rows are looked at, one at a time', async () => {
    const asked: number[] = [];
    const pages = new TablePages(
      async (offset, count) => {
        asked.push(offset);
        return answer(offset, count);
      },
      () => undefined,
      () => undefined,
    );
    await vi.waitFor(() => expect(pages.total).toBe(1000));
    expect(pages.row(3)?.event).toBe(3);
    expect(pages.row(950)).toBeUndefined();
    await vi.waitFor(() => expect(pages.row(950)?.event).toBe(950));
    expect(asked).toEqual([0, 900]);
    expect(pages.row(1000)).toBeUndefined();
    expect(pages.row(-1)).toBeUndefined();
    expect((await pages.find(450))?.event).toBe(450);
    expect(await pages.find(1000)).toBeUndefined();
    expect(pages.offsetOf(950)).toBe(950);
    expect(pages.offsetOf(500)).toBe(500);
  });

  it('tell where an event of one request stands only once they have it', async () => {
    const pages = new TablePages(
      async () => ({
        columns: [],
        total: 2,
        rows: [7, 9].map((event) => ({ event, request: 1, cells: [] })),
      }),
      () => undefined,
      () => undefined,
    );
    await vi.waitFor(() => expect(pages.total).toBe(2));
    expect(pages.offsetOf(9)).toBe(1);
    expect(pages.offsetOf(1)).toBe(-1);
  });
});

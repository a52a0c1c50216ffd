import * as assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import * as vscode from 'vscode';
import type { Api } from '../../src/extension/activate';
import type { ViewPanel } from '../../src/extension/view/panel';
import type { Node } from '../../src/extension/tree/nodes';
import { writeWhole } from '../../src/extension/view/save';
import { EDITOR_TYPE, VIEW_TYPE } from '../../src/extension/view/views';
import {
  type Ask,
  PROTOCOL_VERSION,
  type RequestName,
  type Requests,
  type SavedView,
  type Tell,
} from '../../src/webview/protocol';
import { DebugRun, RunningSessions } from './debug_run';
import { cleared, folder, remove, sample, until, write } from './support';

/** Asks a view as its webview does, and gives the answer. */
async function ask<N extends RequestName>(
  view: ViewPanel,
  name: N,
  content: Requests[N]['ask'],
): Promise<Requests[N]['answer']> {
  const id = 1_000_000 + Math.floor(Math.random() * 1_000_000);
  let told: Tell | undefined;
  const listening = view.onDidTell((message) => {
    if ('id' in message && message.id === id) told = message;
  });
  await view.receive({ id, ask: name, with: content } as Ask);
  listening.dispose();
  assert.ok(told, `${name} was answered`);
  if ('error' in told) throw new Error(told.error);
  return (told as { answer: Requests[N]['answer'] }).answer;
}

/** The view after its own webview has said hello. */
async function shown(api: Api, what: string): Promise<ViewPanel> {
  const view = await until(what, () => api.views.all.at(-1));
  await until(`${what}: hello of the webview`, () => view.ready);
  return view;
}

const keptCursor = (event: number): SavedView['cursor'] => ({
  event,
  request: 1,
  time: 0,
  text: '',
  label: '',
});

/** What a view in which somebody has moved about keeps. */
const keptOf = (uri: string, event: number): SavedView => ({
  version: PROTOCOL_VERSION,
  uri,
  face: 'sequence',
  cursor: keptCursor(event),
  from: 5,
  to: 500,
  scroll: 2,
  zooms: { sequence: 1.5, machine: 2 },
  notes: true,
  sidePanel: false,
});

describe('timeline view', () => {
  let api: Api;
  const sessions = new RunningSessions();
  before(async () => {
    api = await cleared();
  });
  afterEach(async () => {
    await sessions.end();
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });
  after(async () => {
    sessions.dispose();
    await cleared();
    await remove('copy.ublktrace');
  });

  const traceText = async (): Promise<string> => {
    const entry = await api.traces.open(sample('loop-zc.ublk'));
    return entry.open.printer.text();
  };

  it('opens by command, says hello, and answers what it is asked', async () => {
    await vscode.commands.executeCommand('ublkTrace.showTimeline', sample('loop-zc.ublk'));
    const view = await shown(api, 'the view');
    const entry = api.traces.find(sample('loop-zc.ublk'));
    assert.ok(entry);
    const hello = await ask(view, 'hello', { version: PROTOCOL_VERSION, saved: undefined });
    const [trace] = hello.traces;
    assert.equal(hello.traces.length, 1);
    assert.equal(trace?.events, entry.open.length);
    assert.equal(trace?.requests, entry.open.requests.length);
    assert.ok(trace?.simulated);
    const tracks = trace.tracks.kind.map((_, k) => k);
    const slice = await ask(view, 'slice', { trace: 0, from: 0, to: trace.length, nsPerPixel: 0, tracks });
    assert.equal(slice.marks.count.length > entry.open.length, true);
    assert.ok(slice.spans.start.length > entry.open.requests.length);
    const [first] = entry.open.requests.events(0);
    const explanation = await ask(view, 'explain', { trace: 0, event: first! });
    assert.equal(explanation.name, entry.open.trace.nameOf(first!));
    assert.notEqual(explanation.where.lesson, '');
    const flow = await ask(view, 'flow', { trace: 0, request: 3 });
    assert.equal(flow.event.length, entry.open.requests.events(3).length);
    const statistics = await ask(view, 'statistics', { trace: 0, from: 0, to: trace.length });
    assert.equal(statistics.events, entry.open.length);
    const table = await ask(view, 'table', { trace: 0, offset: 5, count: 3 });
    assert.deepEqual(
      table.rows.map(({ event }) => event),
      [5, 6, 7],
    );
    const found = await ask(view, 'search', {
      trace: 0,
      query: 'name == ublk_queue_rq',
      from: 0,
      backwards: false,
    });
    assert.equal(entry.open.trace.nameOf(found.event), 'ublk_queue_rq');
    assert.ok((await ask(view, 'sequence', { trace: 0, around: 20, count: 10 })).rows.length > 0);
    assert.equal((await ask(view, 'machine', { trace: 0, event: first! })).event, first);
  });

  it('answers what it cannot do with an error in words, and another version with its own', async () => {
    await vscode.commands.executeCommand('ublkTrace.showTimeline', sample('loop-zc.ublk'));
    const view = await shown(api, 'the view');
    await assert.rejects(ask(view, 'flow', { trace: 0, request: 123456 }), /no request 123456/);
    await assert.rejects(ask(view, 'explain', { trace: 7, event: 0 }), /not shown/);
    const odd = { trace: 0, event: 0 };
    await assert.rejects(ask(view, 'dance' as 'explain', odd), /does not know this request: dance/);
    await assert.rejects(
      ask(view, 'slice', { ...odd, from: 2, to: 1, nsPerPixel: 1, tracks: [] }),
      /no range/,
    );
    const hello = await ask(view, 'hello', { version: 99, saved: undefined });
    assert.equal(hello.version, PROTOCOL_VERSION);
    assert.deepEqual(hello.traces, []);
  });

  it('moves the cursor of the trace, and is told of its moves', async () => {
    await vscode.commands.executeCommand('ublkTrace.showMachine', sample('loop-zc.ublk'));
    const view = await shown(api, 'the view');
    const open = api.traces.find(sample('loop-zc.ublk'))!.open;
    const moved = await ask(view, 'move', { trace: 0, event: 40, request: 2 });
    assert.deepEqual([moved.event, moved.request], [40, 2]);
    assert.deepEqual([open.cursor.event, open.cursor.request], [40, 2]);
    const next = await ask(view, 'step', { trace: 0, step: 'next' });
    assert.equal(next.event, 41);
    const own = await ask(view, 'step', { trace: 0, step: 'nextOfRequest' });
    assert.equal(open.requests.requestOf(own.event), 2);
    const told: Tell[] = [];
    const listening = view.onDidTell((message) => told.push(message));
    open.cursor.move(55, undefined, 'tree');
    await until('the move to be told', () => told.some((each) => 'event' in each && each.event === 'cursor'));
    listening.dispose();
    const move = told.find((each) => 'event' in each && each.event === 'cursor');
    assert.equal((move as { with: { cursor: { event: number } } }).with.cursor.event, 55);
  });

  it('leaves the text editor the default for .ublktrace, and opens as a custom editor when asked to', async () => {
    const uri = sample('copy.ublktrace');
    await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(await traceText()));
    await vscode.commands.executeCommand('vscode.open', uri);
    assert.equal(vscode.window.activeTextEditor?.document.uri.toString(), uri.toString());
    await vscode.commands.executeCommand('vscode.openWith', uri, EDITOR_TYPE);
    const view = await shown(api, 'the custom editor');
    assert.equal(view.subject.parts[0]?.uri.toString(), uri.toString());
    const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
    assert.ok(input instanceof vscode.TabInputCustom);
    assert.equal(input.viewType, EDITOR_TYPE);
  });

  it('follows the debugger and steps it, with a .ublktrace open', async () => {
    const uri = sample('copy.ublktrace');
    await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(await traceText()));
    await vscode.commands.executeCommand('vscode.open', uri);
    await vscode.commands.executeCommand('ublkTrace.showTimeline', uri);
    const view = await shown(api, 'the view');
    const cursor = (): number => view.views[0]?.cursor().event ?? -1;
    const { open } = view.views[0]!;
    assert.ok(cursor() > 0, 'beyond the set-up');
    assert.equal(open.requests.requestOf(cursor()), 0, 'where the requests begin');
    const told: number[] = [];
    const listening = view.onDidTell((message) => {
      if ('event' in message && message.event === 'cursor') told.push(message.with.cursor.event);
    });
    const run = await DebugRun.start(() => vscode.commands.executeCommand('ublkTrace.debug', uri));
    assert.equal(run.stopped.description, 'start of trace');
    const before = cursor();
    assert.equal(before, 0);
    await until('the webview to be told of the start', () => told.includes(0));
    listening.dispose();
    await run.move('next');
    await until('the view to follow', () => cursor() === before + 1);
    const stops = run.stops.length;
    await ask(view, 'step', { trace: 0, step: 'next' });
    await until('the debugger to stop again', () => run.stops.length > stops);
    assert.equal(cursor(), before + 2);
    const line = vscode.window.visibleTextEditors.find(
      ({ document }) => document.uri.toString() === uri.toString(),
    );
    assert.ok(line, 'the text stays visible');
  });

  it('adds a breakpoint on a value', async () => {
    await vscode.commands.executeCommand('ublkTrace.showTimeline', sample('loop-zc.ublk'));
    const view = await shown(api, 'the view');
    await ask(view, 'breakWhen', { trace: 0, path: 'slot:0:1:state' });
    const mine = vscode.debug.breakpoints.filter(
      (each) => each instanceof vscode.FunctionBreakpoint && each.functionName === 'slot:0:1:state',
    );
    assert.equal(mine.length, 1);
    vscode.debug.removeBreakpoints(mine);
  });

  it('is told when its session is run again, and keeps nothing once it is closed', async () => {
    await vscode.commands.executeCommand('ublkTrace.showTimeline', sample('loop-zc.ublk'));
    const view = await shown(api, 'the view');
    const told: string[] = [];
    const listening = view.onDidTell((message) => told.push('event' in message ? message.event : 'answer'));
    const again = await api.traces.open(sample('loop-zc.ublk'), {}, { again: true });
    await until('the replacement', () => told.includes('replaced') && view.views[0]?.open === again.open);
    listening.dispose();
    view.panel.dispose();
    await until('the models to go', () => api.views.prepared === 0);
    assert.equal(api.views.all.length, 0);
  });

  it('shows a session without and with zero copy, one above the other', async () => {
    await vscode.commands.executeCommand('ublkTrace.compareZeroCopy', sample('loop-zc.ublk'));
    const view = await shown(api, 'the comparison');
    const hello = await ask(view, 'hello', { version: PROTOCOL_VERSION, saved: undefined });
    const [off, on] = hello.traces;
    assert.equal(hello.traces.length, 2);
    assert.ok(off && on);
    assert.ok((off.totals.copied ?? 0) > 0, 'copies without -z');
    assert.equal(on.totals.copied, 0);
    assert.equal(off.requests, on.requests);
    const uri = view.subject.uris[0]!;
    view.panel.dispose();
    for (const entry of api.traces.all) api.traces.close(entry);
    const saved = { ...keptOf(uri, 77), others: [keptCursor(99)], active: 1 };
    const panel = vscode.window.createWebviewPanel(VIEW_TYPE, 'restored', vscode.ViewColumn.One, {});
    await api.views.deserializeWebviewPanel(panel, saved);
    const restored = await shown(api, 'the restored comparison');
    const again = await ask(restored, 'hello', { version: PROTOCOL_VERSION, saved });
    assert.deepEqual(again.view, saved);
    assert.deepEqual(
      again.cursors.map(({ event, request }) => [event, request]),
      [
        [77, 1],
        [99, 1],
      ],
    );
    // the other tests count on the sample's trace being the first of the tree
    restored.panel.dispose();
    for (const entry of api.traces.all) api.traces.close(entry);
  });

  it('shows an event in text, session and pseudo-code, and says where it cannot', async () => {
    await vscode.commands.executeCommand('vscode.open', sample('loop-zc.ublk'));
    await vscode.commands.executeCommand('ublkTrace.showTimeline', sample('loop-zc.ublk'));
    const view = await shown(api, 'the view');
    const { open } = view.views[0]!;
    const event = Array.from({ length: open.length }, (_, i) => i).find(
      (i) =>
        open.trace.nameOf(i) === 'ublk_queue_rq' && open.requests.op(open.requests.requestOf(i)) === 'WRITE',
    )!;
    const lineOf = (what: RegExp): number | undefined => {
      const editor = vscode.window.visibleTextEditors.find(({ document }) =>
        what.test(document.uri.toString()),
      );
      return editor && editor.selection.active.line + 1;
    };
    await ask(view, 'reveal', { trace: 0, event, where: 'text' });
    await until('the text', () => lineOf(/^ublk-trace:/) === open.lineOf(event));
    await ask(view, 'reveal', { trace: 0, event, where: 'session' });
    await until('the session', () => lineOf(/loop-zc\.ublk$/) === 12);
    await ask(view, 'reveal', { trace: 0, event, where: 'stack' });
    await until('the pseudo-code', () => (lineOf(/ublk_drv\.c$/) ?? 0) > 1);
    await ask(view, 'reveal', { trace: 0, event, where: 'tree' });
  });

  it('writes pictures beside their place first, and leaves nothing behind', async () => {
    const target = sample('picture.svg');
    await writeWhole(target, new TextEncoder().encode('first'));
    await writeWhole(target, new TextEncoder().encode('second'));
    assert.equal(new TextDecoder().decode(await vscode.workspace.fs.readFile(target)), 'second');
    const names = (await vscode.workspace.fs.readDirectory(folder().uri)).map(([name]) => name);
    assert.deepEqual(
      names.filter((name) => name.startsWith('picture')),
      ['picture.svg'],
    );
    await vscode.workspace.fs.delete(target);
  });

  it('comes back when it was hidden, and shows two traces at once', async () => {
    await vscode.commands.executeCommand('ublkTrace.showTimeline', sample('loop-zc.ublk'));
    const one = await shown(api, 'the first view');
    await vscode.commands.executeCommand('ublkTrace.showTimeline', sample('loop-copy.ublk'));
    await until('the second view', () => api.views.all.length === 2);
    const two = await shown(api, 'the second view');
    assert.notEqual(one.views[0]?.open, two.views[0]?.open);
    const { viewColumn } = two.panel;
    one.panel.reveal(viewColumn);
    await until('the second one to be hidden', () => !two.panel.visible);
    const told: Tell[] = [];
    const listening = two.onDidTell((message) => told.push(message));
    two.views[0]!.open.cursor.move(30, undefined, 'tree');
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(told.length, 0);
    two.panel.reveal(viewColumn);
    // its webview was dropped: the new one says hello and gets what holds now
    const hello = await until('another hello', () =>
      told.find((message) => 'answer' in message && 'cursors' in message.answer),
    );
    listening.dispose();
    assert.equal((hello as { answer: Requests['hello']['answer'] }).answer.cursors[0]?.event, 30);
  });

  it('has lenses above a session and above a trace', async () => {
    const titles = async (uri: vscode.Uri): Promise<string> => {
      await vscode.commands.executeCommand('vscode.open', uri);
      const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
        'vscode.executeCodeLensProvider',
        uri,
        10,
      );
      return lenses.map(({ command }) => command?.title ?? '').join('|');
    };
    const session = await titles(sample('loop-zc.ublk'));
    assert.match(session, /Timeline/);
    assert.match(session, /Compare with and without -z/);
    const uri = sample('copy.ublktrace');
    await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(await traceText()));
    assert.match(await titles(uri), /Timeline/);
  });

  it('has one set of pins with the tree', async () => {
    await vscode.commands.executeCommand('ublkTrace.showTimeline', sample('loop-zc.ublk'));
    const view = await shown(api, 'the view');
    const pinned = (): string[] => {
      const nodes: Node[] = api.tree.getChildren(api.tree.getChildren()[0]);
      const list = nodes.find(({ kind }) => kind === 'pins');
      return list === undefined
        ? []
        : api.tree.getChildren(list).map((node) => `${api.tree.getTreeItem(node).label}`);
    };
    assert.deepEqual(pinned(), []);
    const told: (readonly string[])[] = [];
    const listening = view.onDidTell((message) => {
      if ('event' in message && message.event === 'pins') told.push(message.with.pins);
    });
    const { pins } = await ask(view, 'pin', { trace: 0, key: 'ublkb0/0/1', on: true });
    assert.deepEqual([pins, view.pins, pinned()], [['ublkb0/0/1'], ['ublkb0/0/1'], ['q0 tag 1']]);
    // A request that is pinned in the tree pins its tag in the view.
    const { requests } = view.views[0]!.open;
    const row = Array.from(requests.tag).indexOf(0);
    const node: Node = { kind: 'request', id: 'x', parent: api.tree.getChildren()[0], row };
    await vscode.commands.executeCommand('ublkTrace.pin', node);
    assert.deepEqual(view.pins, ['ublkb0/0/1', 'ublkb0/0/0']);
    assert.equal(pinned().length, 2);
    // Letting go of a tag lets go of all that is pinned on it.
    await ask(view, 'pin', { trace: 0, key: 'ublkb0/0/0', on: false });
    assert.deepEqual(pinned(), ['q0 tag 1']);
    const [list] = api.tree.getChildren(api.tree.getChildren()[0]).filter(({ kind }) => kind === 'pins');
    await vscode.commands.executeCommand('ublkTrace.unpin', api.tree.getChildren(list)[0]);
    assert.deepEqual([view.pins, pinned()], [[], []]);
    listening.dispose();
    assert.deepEqual(told.at(-1), []);
    assert.ok(told.length >= 4);
  });

  it('says of a recording that it does not tell how much was copied', async () => {
    const uri = vscode.Uri.joinPath(sample('recordings'), 'rfc-loop-zc.ublktrace');
    await vscode.commands.executeCommand('ublkTrace.showTimeline', uri);
    const view = await shown(api, 'the view');
    const hello = await ask(view, 'hello', { version: PROTOCOL_VERSION, saved: undefined });
    assert.equal(hello.traces[0]?.simulated, false);
    assert.equal(hello.traces[0]?.totals.copied, undefined);
  });

  it('shows a recording and a session without events, which are empty', async () => {
    const files = { 'empty.txt': '# tracer: nop\n#\n', 'empty.ublk': '# nothing to do\n' };
    for (const [name, text] of Object.entries(files)) {
      await write(name, text);
      await vscode.commands.executeCommand('ublkTrace.showTimeline', sample(name));
      const view = await shown(api, `the view of ${name}`);
      const hello = await ask(view, 'hello', { version: PROTOCOL_VERSION, saved: undefined });
      assert.equal(hello.traces[0]?.events, 0, name);
      assert.equal(hello.cursors[0]?.event, -1, name);
      assert.match((await ask(view, 'machine', { trace: 0, event: -1 })).title, /no events/);
      view.panel.dispose();
    }
    // To all others a recording without events stays what it is.
    await assert.rejects(api.traces.open(sample('empty.txt')), /empty\.txt:2:1: no events/);
    for (const entry of api.traces.all) if (entry.open.length === 0) api.traces.close(entry);
    await remove(...Object.keys(files));
  });

  it('comes back after a reload with cursor, pins and face', async () => {
    await vscode.commands.executeCommand('ublkTrace.showTimeline', sample('loop-zc.ublk'));
    const view = await shown(api, 'the view');
    const uri = view.subject.uris[0]!;
    await ask(view, 'pin', { trace: 0, key: 'ublkb0/0/1', on: true });
    view.panel.dispose();
    for (const entry of api.traces.all) api.traces.close(entry);
    const saved = keptOf(uri, 77);
    const panel = vscode.window.createWebviewPanel(VIEW_TYPE, 'restored', vscode.ViewColumn.One, {});
    await api.views.deserializeWebviewPanel(panel, saved);
    const restored = await shown(api, 'the restored view');
    const hello = await ask(restored, 'hello', { version: PROTOCOL_VERSION, saved });
    assert.deepEqual(hello.view, saved);
    assert.deepEqual(hello.pins, ['ublkb0/0/1']);
    assert.deepEqual([hello.cursors[0]?.event, hello.cursors[0]?.request], [77, 1]);
    await ask(restored, 'pin', { trace: 0, key: 'ublkb0/0/1', on: false });
  });
});

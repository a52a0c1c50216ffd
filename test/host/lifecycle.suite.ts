import * as assert from 'node:assert/strict';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { after, afterEach, describe, it } from 'mocha';
import * as vscode from 'vscode';
import { staleNotice } from '../../src/extension/stale';
import { DEBUG_TYPE, DebugRun, RunningSessions } from './debug_run';
import {
  activated,
  behind,
  cleared,
  folder,
  inRepository,
  remove,
  sample,
  show,
  until,
  write,
} from './support';

const DEVICE = ['#: kernel 6.1', 'truncate -s 16M disk.img', 'ublk add -t loop -f disk.img -q 1 -d 4'];
const READS =
  'fio --name=j --filename=/dev/ublkb0 --direct=1 --ioengine=libaio --rw=randread --bs=4k --iodepth=4 --number_ios=200';

function launch(uri: vscode.Uri, framed = true): Promise<DebugRun> {
  const start = (): Thenable<boolean> =>
    vscode.debug.startDebugging(folder(), {
      type: DEBUG_TYPE,
      request: 'launch',
      name: uri.path,
      program: uri.scheme === 'file' ? uri.fsPath : uri.toString(),
      stopOnEntry: true,
    });
  return DebugRun.start(start, framed);
}

async function append(document: vscode.TextDocument, text: string): Promise<void> {
  const edit = new vscode.WorkspaceEdit();
  edit.insert(document.uri, document.lineAt(document.lineCount - 1).range.end, text);
  await vscode.workspace.applyEdit(edit);
}

describe('a trace whose file changes', () => {
  const sessions = new RunningSessions();
  afterEach(() => sessions.end());
  after(async () => {
    sessions.dispose();
    await cleared();
    await remove('edited.ublk', 'gone.txt');
  });

  it('edited while it is debugged: the debugger goes on with the old run, and a restart takes the new one', async () => {
    const { traces, tree } = await cleared();
    const text = [...DEVICE, 'dd if=/dev/ublkb0 of=/dev/null bs=4k count=2 iflag=direct', ''].join('\n');
    const uri = await write('edited.ublk', text);
    const run = await launch(uri);
    const before = traces.current!;
    await run.act('stepOver');
    const event = before.open.cursor.event;
    const document = await show(uri);
    await append(document, 'dd if=/dev/ublkb0 of=/dev/null bs=4k count=3 iflag=direct\n');
    await until('it to be stale', () => traces.find(uri)?.freshness === 'changed');
    const notice = staleNotice(traces.find(uri)!, true);
    assert.match(notice?.message ?? '', /edited\.ublk was edited\. The debugger goes on/);
    assert.equal(notice?.action, 'Restart Debugging');
    const [root] = tree.getChildren();
    assert.match(String(tree.getTreeItem(root!).description), /edited since: run again/);
    const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
      'vscode.executeCodeLensProvider',
      uri,
      10,
    );
    assert.ok(lenses.some(({ command }) => /Run Again \(edited since\)/.test(command?.title ?? '')));

    await run.act('stepOver');
    assert.ok(before.open.cursor.event > event, 'it goes on');
    await run.move('restart', {});
    assert.notEqual(traces.current!.open, before.open);
    assert.ok(traces.current!.open.requests.length > before.open.requests.length);
    assert.equal(traces.current!.freshness, 'fresh');
    await document.save();
  });

  it('changed: offers to open it again, and the cursor stays at its event', async () => {
    const { traces } = await cleared();
    const entry = await traces.open(sample('loop-zc.ublk'));
    const text = entry.open.printer.text();
    const uri = await write('gone.txt', text);
    const { open } = await traces.open(uri);
    const row = 5;
    const event = open.requests.events(row)[6]!;
    open.cursor.move(event, row);
    // Two lines fewer above.
    const lines = text.split('\n');
    const head = lines.findIndex((line) => !line.startsWith('#'));
    await write('gone.txt', [...lines.slice(0, head), ...lines.slice(head + 2)].join('\n'));
    await until('it to be stale', () => traces.find(uri)?.freshness === 'changed');
    const notice = staleNotice(traces.find(uri)!, false);
    assert.equal(notice?.action, 'Open Again');
    await vscode.commands.executeCommand('ublkTrace.rerun', undefined, traces.find(uri)!.key);
    const next = traces.find(uri)!;
    assert.equal(next.open.length, open.length - 2);
    assert.equal(next.open.cursor.event, event - 2);
    assert.equal(next.open.cursor.request, row);
  });

  it('deleted: says so, stays open and can be stepped through', async () => {
    const { traces, tree } = await activated();
    const uri = sample('gone.txt');
    const run = await launch(uri);
    await vscode.workspace.fs.delete(uri);
    const entry = await until('it to be known as deleted', () => {
      const known = traces.find(uri);
      return known?.freshness === 'deleted' && known;
    });
    assert.match(staleNotice(entry, true)?.message ?? '', /gone\.txt was deleted/);
    const node = tree.getChildren().find(({ id }) => id === entry.key)!;
    assert.match(String(tree.getTreeItem(node).description), /file deleted/);
    const { event } = entry.open.cursor;
    await run.act('stepOver');
    assert.ok(entry.open.cursor.event > event);
    const failed = await run.ask('restart', {}).then(String, String);
    assert.match(failed, /gone\.txt: there is no such file/);
    await run.act('stepOver');
    await write('gone.txt', '');
  });
});

describe('traces that are not as usual', () => {
  const sessions = new RunningSessions();
  afterEach(() => sessions.end());
  after(async () => {
    sessions.dispose();
    await cleared();
    await remove('empty.ublk', 'empty.txt', 'deleted.ublk', 'hanging.ublk');
  });

  it('without events: opens, is debugged and says that there is nothing', async () => {
    const { traces, tree } = await cleared();
    const uri = await write('empty.ublk', '# nothing to do\n');
    const run = await launch(uri, false);
    assert.match(run.stopped.description ?? '', /no events/);
    assert.equal(traces.current!.open.length, 0);
    for (const command of ['stepOver', 'stepBack', 'reverseContinue', 'continue'])
      await run.move(command === 'stepOver' ? 'next' : command);
    for (const command of ['nextEvent', 'lastEvent', 'nextLife', 'reverseOver', 'reverseOut'])
      await vscode.commands.executeCommand(`ublkTrace.${command}`);
    assert.deepEqual(run.failures, []);
    const [root] = tree.getChildren();
    assert.deepEqual(tree.getChildren(root), []);
    assert.equal(tree.getTreeItem(root!).collapsibleState, vscode.TreeItemCollapsibleState.None);
    await vscode.commands.executeCommand('ublkTrace.showText', root);
  });

  it('recorded without events: the message says so, and nothing is debugged', async () => {
    const uri = await write('empty.txt', '# tracer: nop\n#\n');
    const message = await launch(uri).then(String, String);
    assert.match(message, /empty\.txt:2:1: no events/);
  });

  it('with a device that is deleted in the middle: no request hangs, and steps go over it both ways', async () => {
    const uri = await write(
      'deleted.ublk',
      [...DEVICE, `${READS} &`, 'sleep 0.002', 'ublk del -n 0', 'wait', ''].join('\n'),
    );
    const { traces } = await cleared();
    vscode.debug.addBreakpoints([new vscode.FunctionBreakpoint('ublk_ctrl_del_dev')]);
    const run = await launch(uri);
    const { open } = traces.current!;
    assert.ok(open.requests.length > 0, 'no request before');
    await vscode.commands.executeCommand('ublkTrace.lastEvent');
    for (let k = 0; k < 5; k++) await run.move('stepBack');
    for (let k = 0; k < 5; k++) await run.move('next');
    const scopes = await run.scopes();
    for (const scope of scopes.values()) await run.variables(scope.variablesReference);
    assert.deepEqual(run.failures, []);
    assert.deepEqual(open.violations, []);
  });

  it('with requests that never complete: they stay in flight, marked as open', async () => {
    const uri = await write(
      'hanging.ublk',
      [
        ...DEVICE,
        '#: fault server no-commit',
        'dd if=/dev/ublkb0 of=/dev/null bs=4k count=1 iflag=direct &',
        'sleep 3',
        '',
      ].join('\n'),
    );
    const { traces, tree } = await cleared();
    const run = await launch(uri);
    const { open } = traces.current!;
    const row = open.requests.status.indexOf(0);
    assert.notEqual(row, -1, 'every request completed');
    open.cursor.move(open.requests.events(row)[0]!, row, 'test');
    await until('a stop', () => run.stops.length > 1);
    assert.equal(open.cursor.request, row);
    const out = await run.move('stepOut', { threadId: run.stopped.threadId });
    assert.match(out.text ?? '', /does not show its completion/);
    const threads = await run.threads();
    assert.ok(
      threads.some(({ name }) => /READ 4 KiB/.test(name)),
      JSON.stringify(threads),
    );
    tree.arrange('status');
    const groups = tree.getChildren(tree.getChildren()[0]).filter(({ kind }) => kind === 'group');
    assert.ok(groups.some((node) => tree.getTreeItem(node).label === 'open'));
    tree.arrange('tag');
  });
});

describe('two debug sessions', () => {
  const sessions = new RunningSessions();
  afterEach(() => sessions.end());
  after(() => sessions.dispose());

  it('of one trace move together, and the end of one leaves the other', async () => {
    const { traces } = await cleared();
    const runs = await DebugRun.startAll(2, async () => {
      for (const name of ['one', 'two'])
        await vscode.debug.startDebugging(folder(), {
          type: DEBUG_TYPE,
          request: 'launch',
          name,
          program: sample('null-qd8.ublk').path,
        });
    });
    const [one, two] = runs;
    await one!.move('next');
    await until('the other to follow', () => two!.stops.length > 1);
    await one!.stop();
    const { event } = traces.current!.open.cursor;
    await two!.move('next');
    assert.ok(traces.current!.open.cursor.event > event);
  });
});

describe('F5 without launch.json', () => {
  const sessions = new RunningSessions();
  afterEach(() => sessions.end());
  after(async () => {
    sessions.dispose();
    await cleared();
    await remove('f5.ublktrace', 'f5.txt', 'f5.log');
  });

  async function pressF5(uri: vscode.Uri): Promise<DebugRun> {
    await show(uri);
    return DebugRun.start(() => vscode.commands.executeCommand('workbench.action.debug.start'));
  }

  for (const name of ['f5.ublktrace', 'f5.txt', 'f5.log'])
    it(`debugs the recording in the editor: ${name}`, async () => {
      const { traces } = await cleared();
      const packed = await vscode.workspace.fs.readFile(
        inRepository('test/fixtures/oracle/rfc-zc-loop-direct-q1d32/trace.txt.gz'),
      );
      const plain = new Blob([packed as Uint8Array<ArrayBuffer>])
        .stream()
        .pipeThrough(new DecompressionStream('gzip'));
      const uri = await write(name, await new Response(plain).text());
      const run = await pressF5(uri);
      assert.equal(run.stopped.reason, 'entry');
      assert.equal(traces.current!.uri.toString(), uri.toString());
      const threads = await run.ask<DebugProtocol.ThreadsResponse['body']>('threads');
      assert.ok(threads.threads.length > 0);
    });

  it('keeps the session line of a step among the frames', async () => {
    const document = await show(sample('loop-zc.ublk'));
    const { line } = behind(document, 'oflag=direct');
    vscode.debug.addBreakpoints([
      new vscode.SourceBreakpoint(new vscode.Location(document.uri, new vscode.Position(line, 0))),
    ]);
    const run = await pressF5(document.uri);
    await run.act('continue');
    assert.equal((await run.frames()).at(-1)!.line, line + 1);
  });
});

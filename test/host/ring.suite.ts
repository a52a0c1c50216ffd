import * as assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import * as vscode from 'vscode';
import type { Api } from '../../src/extension/activate';
import { orderComparison } from '../../src/extension/view/subject';
import { DEBUG_TYPE, DebugRun, RunningSessions } from './debug_run';
import { behind, cleared, remove, sample, show, until, writeAndShow } from './support';

const ORDERS = 'cqe-order-is-not-tag-order.ring.json';
const CHAIN = 'chain-short-read.ring.json';

/** Extension hosts in a web worker have no process. */
const inNode = typeof process === 'object' && process.versions?.node !== undefined;

describe('ring programs', () => {
  let api: Api;
  const sessions = new RunningSessions();
  before(async () => {
    api = await cleared();
  });
  afterEach(async () => {
    await vscode.commands.executeCommand('workbench.action.closeQuickOpen');
    await sessions.end();
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });
  after(async () => {
    sessions.dispose();
    await cleared();
    await remove('wrong.ring.json');
  });

  it('have a language of their own; what is wrong is marked with its place', async () => {
    const document = await writeAndShow(
      'wrong.ring.json',
      '{"name": "x", "ring": {"entries": 4},\n "steps": [{"submit": [{"op": "READ", "file": "none", "len": 1, "user_data": "1"}]}]}\n',
    );
    assert.equal(document.languageId, 'ublkring');
    const ours = await until('a mark', () => {
      const found = vscode.languages.getDiagnostics(document.uri).filter(({ source }) => source === 'ublk');
      return found.length > 0 && found;
    });
    assert.equal(ours[0]!.range.start.line, 1);
    assert.match(ours[0]!.message, /none/);
  });

  it('are checked against the schema, which explains ops and flags', async () => {
    const document = await show(sample(CHAIN));
    const hoverAt = async (before: string): Promise<string> => {
      const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
        'vscode.executeHoverProvider',
        document.uri,
        behind(document, before).translate(0, 2),
      );
      return hovers
        .flatMap(({ contents }) => contents.map((part) => (typeof part === 'string' ? part : part.value)))
        .join('\n');
    };
    await until('the hover of an op', async () => /Since Linux 5\.6/.test(await hoverAt('"op": "')));
    assert.match(await until('the hover of a flag', () => hoverAt('"flags": ["')), /next SQE/);
    assert.match(await hoverAt('"file": "'), /6000/);
  });

  it('propose the names that they declare', async () => {
    const document = await show(sample(CHAIN));
    const list = await vscode.commands.executeCommand<vscode.CompletionList>(
      'vscode.executeCompletionItemProvider',
      document.uri,
      behind(document, '"file": "'),
    );
    const labels = list.items.map(({ label }) => (typeof label === 'string' ? label : label.label));
    for (const name of ['data', 'soft', 'hard']) assert.ok(labels.includes(name), labels.join(' '));
  });

  it('have Run, Debug and All Orders above them; the kernel of the machine only in Node', async () => {
    const { uri } = await show(sample(CHAIN));
    const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
      'vscode.executeCodeLensProvider',
      uri,
    );
    const commands = lenses.map(({ command }) => command?.command);
    for (const name of ['run', 'debug', 'ringOrders', 'ringCompareOrders', 'showTimeline'])
      assert.ok(commands.includes(`ublkTrace.${name}`), commands.join(' '));
    const live = inNode && process.platform === 'linux' && uri.scheme === 'file';
    assert.equal(commands.includes('ublkTrace.ringLive'), live);
  });

  it('open as a trace whose requests are its SQEs', async () => {
    await vscode.commands.executeCommand('ublkTrace.run', sample(CHAIN));
    const entry = await until('the trace', () => api.traces.find(sample(CHAIN)));
    assert.equal(entry.open.source.kind, 'ring');
    assert.equal(entry.open.requests.length, 6);
    assert.equal(entry.open.requests.op(0), 'READ');
    const text = await vscode.workspace.openTextDocument(entry.textUri);
    assert.match(text.getText(), /io_uring_fail_link/);
  });

  it('step through an order that was chosen', async () => {
    await show(sample(ORDERS));
    const started = new Promise<vscode.DebugSession>((resolve) => {
      const listening = vscode.debug.onDidStartDebugSession((session) => {
        listening.dispose();
        resolve(session);
      });
    });
    let session: vscode.DebugSession | undefined;
    void started.then((each) => {
      session = each;
    });
    const choosing = vscode.commands.executeCommand('ublkTrace.ringOrders', sample(ORDERS));
    // nobody tells when the list is there: until then these do nothing
    await until('a debug session', async () => {
      await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
      return session;
    });
    await choosing;
    await sessions.end();

    await vscode.debug.startDebugging(undefined, {
      type: DEBUG_TYPE,
      request: 'launch',
      name: 'another order',
      program: sample(ORDERS).toString(),
      schedule: '1',
    });
    const entry = await until('the trace of the order', () =>
      api.traces.all.find(({ overrides }) => overrides.schedule === '1'),
    );
    assert.equal(entry.open.source.kind, 'ring');
  });

  it('stop at a breakpoint on the line of an SQE, and their stacks end in such a line', async () => {
    const { uri } = await show(sample(CHAIN));
    // the WRITE of the first chain
    const line = 13;
    vscode.debug.addBreakpoints([
      new vscode.SourceBreakpoint(new vscode.Location(uri, new vscode.Position(line, 0))),
    ]);
    const run = await DebugRun.start(() =>
      vscode.debug.startDebugging(undefined, {
        type: DEBUG_TYPE,
        request: 'launch',
        name: 'an SQE',
        program: uri.toString(),
        stopOnEntry: false,
      }),
    );
    assert.equal(run.stopped.reason, 'breakpoint');
    const frames = await run.frames();
    const asked = frames.find(({ source }) => source?.name === CHAIN);
    assert.equal(asked?.line, line + 1);
    await run.stop();
  });

  it('run on the kernel of the machine, in a task', async function () {
    if (!inNode || process.platform !== 'linux' || sample(CHAIN).scheme !== 'file') this.skip();
    const ended = new Promise<number | undefined>((resolve) => {
      const listening = vscode.tasks.onDidEndTaskProcess(({ execution, exitCode }) => {
        if (execution.task.definition.type !== 'ublk-ring') return;
        listening.dispose();
        resolve(exitCode);
      });
    });
    await vscode.commands.executeCommand('ublkTrace.ringLive', sample(CHAIN));
    // where there is no io_uring it says so and ends well too
    assert.equal(await ended, 0);
  });

  it('show two orders one above the other', async () => {
    const view = await api.views.show(orderComparison(sample(ORDERS), {}, [undefined, '1']), 'timeline');
    await until('hello of the webview', () => view.ready);
    const shown = api.traces.all.filter(({ uri }) => uri.path.endsWith(ORDERS));
    assert.deepEqual(
      shown.map(({ overrides }) => overrides.schedule).filter((each) => each === undefined || each === '1')
        .length >= 2,
      true,
    );
  });
});

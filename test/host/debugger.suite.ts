import * as assert from 'node:assert/strict';
import { after, afterEach, describe, it } from 'mocha';
import * as vscode from 'vscode';
import { DEBUG_TYPE, DebugRun, RunningSessions } from './debug_run';
import { activated, behind, folder, inRepository, sample, show, until } from './support';

const RECORDING = 'test/fixtures/oracle/rfc-zc-loop-direct-q1d32/trace.txt.gz';
const SCOPES = ['Request', 'SQE', 'CQE', 'Rings', 'Slots', 'Descriptors', 'Pipes', 'Pages', 'Backing'];

/** F5 with a sample in the editor; there is no launch.json. */
async function pressF5(name: string): Promise<DebugRun> {
  await show(sample(name));
  return DebugRun.start(() => vscode.commands.executeCommand('workbench.action.debug.start'));
}

function launch(uri: vscode.Uri): Thenable<boolean> {
  return vscode.debug.startDebugging(folder(), {
    type: DEBUG_TYPE,
    request: 'launch',
    name: uri.path,
    program: uri.scheme === 'file' ? uri.fsPath : uri.toString(),
    stopOnEntry: true,
  });
}

/** Event that the debugged trace's cursor is at. */
async function cursorEvent(): Promise<number> {
  const { traces } = await activated();
  assert.ok(traces.current, 'no trace is open');
  return traces.current.open.cursor.event;
}

describe('debugger', () => {
  const sessions = new RunningSessions();
  afterEach(() => sessions.end());
  after(() => sessions.dispose());

  it('stops on entry with F5 and without launch.json', async () => {
    const run = await pressF5('loop-zc.ublk');
    assert.equal(run.stopped.reason, 'entry');
    const threads = await run.threads();
    assert.ok(
      threads.some(({ name }) => /whole trace/i.test(name)),
      JSON.stringify(threads),
    );
  });

  it('gives every frame a source', async () => {
    const run = await pressF5('loop-zc.ublk');
    for (let k = 0; k < 5; k++) {
      for (const { name, source, line } of await run.frames()) {
        assert.ok(source?.path || source?.sourceReference, `${name} has no source`);
        assert.ok(line > 0, name);
      }
      await run.act('stepInto');
    }
  });

  it('steps by tag, forwards and back', async () => {
    const run = await stopAtFirstRequest();
    const { traces } = await activated();
    const { cursor, requests } = traces.current!.open;
    const request = cursor.request;
    assert.ok(request !== undefined, 'no request is focused');
    const list = [...requests.events(request)];
    const first = list.indexOf(cursor.event);
    assert.notEqual(first, -1, 'the stop is at an event of the request');

    assert.equal((await run.act('stepOver')).reason, 'step');
    assert.equal(cursor.event, list[first + 1]);
    await run.act('stepOver');
    assert.equal(cursor.event, list[first + 2]);
    assert.equal((await run.act('stepBack')).reason, 'step');
    assert.equal(cursor.event, list[first + 1]);
    assert.equal(cursor.request, request);

    await run.act('stepOut');
    assert.ok(cursor.event > list[first + 2]!, 'out is the completion');
    await run.act('ublkTrace.firstEvent');
    assert.equal(cursor.event, list[0]);
    await run.act('ublkTrace.lastEvent');
    assert.equal(cursor.event, list.at(-1));
    await run.act('ublkTrace.previousEvent');
    assert.equal(cursor.event, list.at(-2));
  });

  it('continues backwards to the start of the trace', async () => {
    const run = await stopAtFirstRequest();
    assert.ok((await cursorEvent()) > 0);
    vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
    const stop = await run.act('reverseContinue');
    assert.match(`${stop.description} ${stop.text}`, /start of trace/i);
    assert.equal(await cursorEvent(), 0);
  });

  it('stops at a line of the session', async () => {
    const document = await show(sample('loop-zc.ublk'));
    const { line } = behind(document, 'oflag=direct');
    vscode.debug.addBreakpoints([
      new vscode.SourceBreakpoint(new vscode.Location(document.uri, new vscode.Position(line, 0))),
    ]);
    const run = await pressF5('loop-zc.ublk');
    assert.equal((await run.act('continue')).reason, 'breakpoint');
    const frames = await run.frames();
    assert.ok(
      frames.some((frame) => frame.source?.path?.endsWith('loop-zc.ublk') && frame.line === line + 1),
      JSON.stringify(frames.map((frame) => [frame.source?.name, frame.line])),
    );
  });

  it('shows its scopes in one order', async () => {
    const run = await stopAtFirstRequest();
    const names = [...(await run.scopes()).keys()];
    assert.deepEqual(names, SCOPES);
    await run.act('stepOver');
    assert.deepEqual([...(await run.scopes()).keys()], names);
  });

  it('steps a recording of a real kernel', async () => {
    vscode.debug.addBreakpoints([new vscode.FunctionBreakpoint('block_rq_issue')]);
    const run = await DebugRun.start(() => launch(inRepository(RECORDING)));
    await run.act('continue');
    const before = await cursorEvent();
    await run.act('stepOver');
    assert.ok((await cursorEvent()) > before);
    await run.act('stepBack');
    assert.equal(await cursorEvent(), before);
  });

  it('keeps two sessions on two traces apart', async () => {
    const runs = await DebugRun.startAll(2, async () => {
      await launch(sample('loop-zc.ublk'));
      await launch(sample('null-qd8.ublk'));
    });
    const [one, two] = runs;
    const place = async (run: DebugRun): Promise<string> =>
      JSON.stringify(
        (await run.frames()).map((frame) => [frame.source?.path ?? frame.source?.name, frame.line]),
      );
    const before = await place(one!);
    assert.notEqual(before, await place(two!));
    const stops = two!.stops.length;
    await two!.session.customRequest('next', { threadId: two!.stopped.threadId ?? 1 });
    await until('a stop', () => two!.stops.length > stops);
    assert.equal(await place(one!), before);
    assert.equal(one!.stops.length, 1);
  });

  it('ends at once when a program is missing', async () => {
    // A host under test throws what it would show in a dialog.
    const message = await launch(sample('no-such.ublk')).then(String, String);
    assert.match(message, /no-such\.ublk: there is no such file/);
    assert.equal(sessions.count, 0);
  });

  /** Debugs the sample up to the first event in which the driver gets a request. */
  async function stopAtFirstRequest(): Promise<DebugRun> {
    vscode.debug.addBreakpoints([new vscode.FunctionBreakpoint('ublk_queue_rq')]);
    const run = await pressF5('loop-zc.ublk');
    assert.equal((await run.act('continue')).reason, 'function breakpoint');
    return run;
  }
});

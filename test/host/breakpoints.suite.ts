import * as assert from 'node:assert/strict';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { after, afterEach, describe, it } from 'mocha';
import * as vscode from 'vscode';
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

type Bound = { breakpoints: DebugProtocol.Breakpoint[] };

const FAULTY = [
  '#: kernel 6.1+splice-zc',
  '#: seed 5',
  'truncate -s 16M disk.img',
  'ublk add -t loop -f disk.img -z -q 1 -d 4',
  '#: fault server no-commit',
  'dd if=/dev/ublkb0 of=/dev/null bs=16k count=4 iflag=direct &',
  'sleep 3',
].join('\n');

function launch(uri: vscode.Uri): Promise<DebugRun> {
  return DebugRun.start(() =>
    vscode.debug.startDebugging(folder(), {
      type: DEBUG_TYPE,
      request: 'launch',
      name: uri.path,
      program: uri.scheme === 'file' ? uri.fsPath : uri.toString(),
      stopOnEntry: true,
    }),
  );
}

/** Stops at the first event of a name. */
async function stopAt(name: string, uri = sample('loop-zc.ublk'), condition?: string): Promise<DebugRun> {
  vscode.debug.addBreakpoints([new vscode.FunctionBreakpoint(name, true, condition)]);
  const run = await launch(uri);
  assert.equal((await run.act('continue')).reason, 'function breakpoint');
  return run;
}

describe('breakpoints', () => {
  const sessions = new RunningSessions();
  afterEach(() => sessions.end());
  after(async () => {
    sessions.dispose();
    await remove('faulty.ublk', 'moved.ublk');
  });

  it('stay on the lines of a session that nobody changed while it was edited; on others they say why not', async () => {
    await cleared();
    const lines = [
      '#: kernel 6.1',
      'ublk add -t null -q 1 -d 4',
      'dd if=/dev/ublkb0 of=/dev/null bs=4k count=2 iflag=direct',
      '',
    ];
    const uri = await write('moved.ublk', lines.join('\n'));
    const place = new vscode.Location(uri, new vscode.Position(2, 0));
    vscode.debug.addBreakpoints([new vscode.SourceBreakpoint(place)]);
    const run = await launch(uri);
    const document = await show(uri);
    const replaced = async (from: number, to: number, text: string): Promise<void> => {
      const edit = new vscode.WorkspaceEdit();
      edit.replace(uri, new vscode.Range(from, 0, to, 0), text);
      assert.ok(await vscode.workspace.applyEdit(edit));
    };
    const now = (): DebugProtocol.Breakpoint | undefined =>
      run.events<DebugProtocol.BreakpointEvent['body']>('breakpoint').at(-1)?.breakpoint;
    await replaced(1, 1, '# a note\n');
    await until('it to move', () => now()?.line === 4);
    assert.equal(now()?.verified, true);
    assert.equal((await run.act('continue')).reason, 'breakpoint');
    await replaced(3, 4, 'dd if=/dev/ublkb0 of=/dev/null bs=4k count=3 iflag=direct\n');
    await until('it to be of no use', () => now()?.verified === false);
    assert.match(now()?.message ?? '', /this line was edited since the run/);
    assert.match((await run.act('continue')).text ?? '', /end of trace/);
    await run.act('restart');
    await document.save();
    assert.equal((await run.act('continue')).reason, 'breakpoint');
    assert.deepEqual(run.failures, []);
  });

  it('on data have ids that last, and stop where the value changes, in both directions', async () => {
    const run = await stopAt('ublk_queue_rq');
    const slots = await run.variables((await run.scopes()).get('Slots')!.variablesReference);
    const slot = slots.find(({ name }) => /^q0 tag \d+$/.test(name))!;
    await run.variables(slot.variablesReference);
    const info = await run.ask<DebugProtocol.DataBreakpointInfoResponse['body']>('dataBreakpointInfo', {
      variablesReference: slot.variablesReference,
      name: 'state',
    });
    assert.match(String(info.dataId), /^slot:0:\d+:state$/);
    assert.equal(info.canPersist, true);
    const before = await run.evaluate(info.dataId!);
    await run.ask('setDataBreakpoints', { breakpoints: [{ dataId: info.dataId }] });
    vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
    await until('no function breakpoints', () => {
      const last = run.answers<Bound>('setFunctionBreakpoints').at(-1);
      return last?.breakpoints.length === 0;
    });
    const { cursor } = (await activated()).traces.current!.open;
    assert.equal((await run.act('continue')).reason, 'data breakpoint');
    const first = cursor.event;
    assert.notEqual(await run.evaluate(info.dataId!), before);
    assert.equal((await run.act('continue')).reason, 'data breakpoint');
    assert.ok(cursor.event > first);
    assert.equal((await run.act('reverseContinue')).reason, 'data breakpoint');
    assert.equal(cursor.event, first);
  });

  it('are offered by the tree as Break When This Changes, the state of the slot first', async () => {
    const { traces, tree } = await cleared();
    await traces.open(sample('loop-zc.ublk'));
    const queue = tree.getChildren(tree.getChildren()[0]).find(({ id }) => id.endsWith('/queue:0'));
    const [tag] = tree.getChildren(queue);
    assert.ok(tag, 'no tag');
    const asked = vscode.commands.executeCommand('ublkTrace.breakWhen', tag);
    await until('a breakpoint', async () => {
      await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
      return vscode.debug.breakpoints.length > 0;
    });
    await asked;
    const [breakpoint] = vscode.debug.breakpoints;
    assert.ok(breakpoint instanceof vscode.FunctionBreakpoint);
    assert.equal(breakpoint.functionName, 'slot:0:0:state');
    const run = await launch(sample('loop-zc.ublk'));
    assert.equal((await run.act('continue')).reason, 'data breakpoint');
  });

  it('on functions take the names of events and of kernel functions; an unknown name says what is meant', async () => {
    vscode.debug.addBreakpoints([
      new vscode.FunctionBreakpoint('ublk_queue_rq'),
      new vscode.FunctionBreakpoint('ublk_queue_qr'),
    ]);
    const run = await launch(sample('loop-zc.ublk'));
    const bound = await until('both', () =>
      run.answers<Bound>('setFunctionBreakpoints').find(({ breakpoints }) => breakpoints.length === 2),
    );
    assert.deepEqual(
      bound.breakpoints.map(({ verified }) => verified),
      [true, false],
    );
    assert.match(bound.breakpoints[1]!.message ?? '', /did you mean 'ublk_queue_rq'/);
  });

  it('take conditions in the filter language, count hits, and tell what is wrong with a condition', async () => {
    const document = await show(sample('loop-zc.ublk'));
    const { line } = behind(document, 'oflag=direct');
    const location = new vscode.Location(document.uri, new vscode.Position(line, 0));
    vscode.debug.addBreakpoints([
      new vscode.FunctionBreakpoint('ublk_queue_rq', true, 'op == READ', '2'),
      new vscode.SourceBreakpoint(location, true, 'tga == 3'),
    ]);
    const run = await launch(document.uri);
    const bound = await until('the line', () => run.answers<Bound>('setBreakpoints').at(-1));
    assert.equal(bound.breakpoints[0]!.verified, false);
    assert.match(bound.breakpoints[0]!.message ?? '', /column 1: unknown field 'tga'; did you mean 'tag'/);
    await run.act('continue');
    const { open } = (await activated()).traces.current!;
    const reads = [...Array(open.length).keys()].filter(
      (event) =>
        open.trace.nameOf(event) === 'ublk_queue_rq' &&
        open.requests.op(open.requests.requestOf(event)) === 'READ',
    );
    assert.equal(open.cursor.event, reads[1]);
  });

  it('log instead of stopping, with a link to the line of the trace', async () => {
    const { traces } = await activated();
    const entry = await traces.open(sample('loop-zc.ublk'));
    const { open } = entry;
    const event = [...Array(open.length).keys()].find((each) => open.trace.nameOf(each) === 'ublk_queue_rq')!;
    const line = open.lineOf(event);
    vscode.debug.addBreakpoints([
      new vscode.SourceBreakpoint(
        new vscode.Location(entry.textUri, new vscode.Position(line - 1, 0)),
        true,
        undefined,
        undefined,
        'tag {tag} of {op}',
      ),
    ]);
    const run = await launch(sample('loop-zc.ublk'));
    const stop = await run.act('continue');
    assert.match(`${stop.description}`, /end of trace/);
    const said = run
      .events<DebugProtocol.OutputEvent['body']>('output')
      .find(({ output }) => /^tag \d+ of (READ|WRITE)$/.test(output.trim()));
    assert.ok(said, JSON.stringify(run.events('output').slice(-5)));
    assert.equal(said.line, line);
    assert.equal(vscode.Uri.parse(said.source!.path!).toString(), entry.textUri.toString());

    // What the link opens leads back into the debugger.
    await vscode.commands.executeCommand('ublkTrace.firstEvent');
    await show(entry.textUri);
    await vscode.commands.executeCommand('ublkTrace.goToThisEvent', entry.textUri, line);
    await until('the cursor there', () => open.cursor.event === event);
  });

  it('hold in lines of the pseudo-code', async () => {
    const run = await stopAt('ublk_queue_rq');
    const [top] = await run.frames();
    const source = top!.source!.path!;
    vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
    const uri = vscode.Uri.parse(source);
    vscode.debug.addBreakpoints([
      new vscode.SourceBreakpoint(new vscode.Location(uri, new vscode.Position(top!.line - 1, 0))),
    ]);
    await until('it to be bound', () =>
      run.answers<Bound>('setBreakpoints').some(({ breakpoints }) => breakpoints[0]?.verified),
    );
    const { open } = (await activated()).traces.current!;
    const from = open.cursor.event;
    assert.equal((await run.act('continue')).reason, 'breakpoint');
    assert.ok(open.cursor.event > from);
    assert.equal(open.trace.nameOf(open.cursor.event), 'ublk_queue_rq');
  });

  it('stop at broken invariants and say rule, evidence and first cause', async () => {
    const run = await launch(await write('faulty.ublk', FAULTY));
    const filters = run.answers<DebugProtocol.Capabilities>('initialize')[0]!.exceptionBreakpointFilters!;
    const invariants = filters.filter(({ filter }) => filter.startsWith('inv-'));
    assert.ok(invariants.length > 3 && invariants.every((filter) => filter.default), JSON.stringify(filters));
    const stop = await run.act('continue');
    assert.equal(stop.reason, 'exception');
    assert.match(stop.description ?? '', /^invariant INV-\d+$/);
    const info = await run.ask<DebugProtocol.ExceptionInfoResponse['body']>('exceptionInfo', {
      threadId: stop.threadId,
    });
    assert.match(info.exceptionId, /^INV-\d+$/);
    assert.match(info.details?.stackTrace ?? '', /^event \d+: /);
    assert.match(
      info.details?.innerException?.[0]?.message ?? '',
      /^first cause, (event \d+|this event itself): /,
    );
  });

  it('stop at res < 0 and at CQ overflow when these filters are on', async () => {
    const run = await launch(inRepository('test/fixtures/oracle/k6.18-iou-cq_overflow/trace.txt.gz'));
    await run.ask('setExceptionBreakpoints', { filters: ['cq-overflow'] });
    const stop = await run.move('continue');
    assert.equal(stop.reason, 'exception');
    assert.equal(stop.description, 'CQ overflow');
    await run.ask('setExceptionBreakpoints', { filters: ['res'] });
    await run.move('ublk-goto', { event: 0 });
    const error = await launchFailing();
    await error.ask('setExceptionBreakpoints', { filters: ['res'] });
    const failed = await error.move('continue');
    assert.equal(failed.reason, 'exception');
    assert.match(`${failed.description} ${failed.text}`, /^res < 0 res -\d+/);
  });

  function launchFailing(): Promise<DebugRun> {
    return launch(inRepository('test/fixtures/oracle/k6.18-iou-link_error/trace.txt.gz'));
  }
});

describe('looking at values', () => {
  const sessions = new RunningSessions();
  afterEach(() => sessions.end());
  after(() => sessions.dispose());

  it('evaluates fields, state and filters for watch, hover and console', async () => {
    const run = await stopAt('ublk_queue_rq');
    const { open } = (await activated()).traces.current!;
    const tag = open.trace.num(open.cursor.event, 'tag');
    assert.equal(await run.evaluate('tag'), String(tag));
    assert.equal(await run.evaluate(`tag == ${tag} && res < 0`), 'false');
    const [top] = await run.frames();
    const hover = await run.ask<DebugProtocol.EvaluateResponse['body']>('evaluate', {
      expression: 'op',
      frameId: top!.id,
      context: 'hover',
    });
    assert.match(hover.result, /^(READ|WRITE)$/);
    const console = await run.ask<DebugProtocol.EvaluateResponse['body']>('evaluate', {
      expression: 'op == READ',
      frameId: top!.id,
      context: 'repl',
    });
    assert.match(console.result, /here; \d+ of \d+ requests/);
    const wrong = await run.evaluate('tag ==').then(String, String);
    assert.match(wrong, /column 7/);
  });

  it('says at a hover over trace text what the event is', async () => {
    const { traces } = await activated();
    const entry = await traces.open(sample('loop-zc.ublk'));
    const document = await show(entry.textUri);
    const position = behind(document, ' ublk_queue_rq');
    const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
      'vscode.executeHoverProvider',
      entry.textUri,
      position,
    );
    const text = hovers.flatMap(({ contents }) =>
      contents.map((part) => (typeof part === 'string' ? part : part.value)),
    );
    assert.match(text.join('\n'), /\*\*ublk_queue_rq\*\*[\s\S]*`tag` = `\d+`/);
  });

  it('folds the lines of one request in trace text', async () => {
    const { traces } = await activated();
    const entry = await traces.open(sample('loop-zc.ublk'));
    await show(entry.textUri);
    const folds = await vscode.commands.executeCommand<vscode.FoldingRange[]>(
      'vscode.executeFoldingRangeProvider',
      entry.textUri,
    );
    const { open } = entry;
    const rows = (from: number, to: number): Set<number> => {
      const found = new Set<number>();
      for (let line = from + 1; line <= to + 1; line++)
        found.add(open.requests.requestOf(open.eventAtLine(line)));
      return found;
    };
    const own = folds.slice(1).filter(({ start, end }) => rows(start, end).size !== 1);
    assert.ok(folds.length > 10, String(folds.length));
    assert.deepEqual(own, []);
  });

  it('reads the raw bytes of an SQE', async () => {
    const run = await stopAt('io_uring_submit_sqe', sample('loop-zc.ublk'), 'opcode == SPLICE');
    const variables = await run.variables((await run.scopes()).get('SQE')!.variablesReference);
    const bytes = variables.find(({ name }) => name === 'bytes');
    assert.ok(bytes?.memoryReference, JSON.stringify(variables));
    const memory = await run.ask<DebugProtocol.ReadMemoryResponse['body']>('readMemory', {
      memoryReference: bytes.memoryReference,
      offset: 0,
      count: 64,
    });
    const raw = atob(memory?.data ?? '');
    assert.equal(raw.length, 64);
    assert.equal(raw.charCodeAt(0), 30, 'IORING_OP_SPLICE');
    const fields = await run.variables(bytes.variablesReference);
    assert.match(fields[0]!.name, /^000 opcode$/);
  });

  it('gives inline values for the stopped line and for the lines of the session', async () => {
    const run = await stopAt('ublk_queue_rq', sample('loop-zc.ublk'), 'op == WRITE');
    const entry = (await activated()).traces.current!;
    const { open } = entry;
    const [top] = await run.frames();
    const values = async (uri: vscode.Uri, line: number): Promise<string[]> => {
      const document = await show(uri);
      const found = await vscode.commands.executeCommand<vscode.InlineValue[]>(
        'vscode.executeInlineValueProvider',
        uri,
        new vscode.Range(0, 0, document.lineCount, 0),
        { frameId: top!.id, stoppedLocation: new vscode.Range(line, 0, line, 0) },
      );
      return found.map((value) => ('text' in value ? value.text : ''));
    };
    const trace = await values(entry.textUri, open.lineOf(open.cursor.event) - 1);
    assert.match(trace.join(), /^q0 tag \d+ \w+ .*event \d+ of \d+/);
    const session = await values(entry.uri, 0);
    assert.ok(
      session.some((text) => /\d+ of \d+ I\/Os issued/.test(text)),
      session.join(),
    );
    assert.ok(session.includes('not reached'), session.join());
  });
});

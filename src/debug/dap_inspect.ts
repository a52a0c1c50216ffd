import type { DebugProtocol } from '@vscode/debugprotocol';
import { base64, memoryAt } from './dap_bytes';
import { type Handlers, Reply } from './dap_channel';
import { completions, countText, evaluateAt } from './dap_evaluate';
import { exceptionInfo } from './dap_exceptions';
import { RequestError, WHERE_REQUEST } from './dap_host';
import type { Run } from './dap_run';
import { scopesOf } from './dap_scopes';
import { RUN_SESSION } from './dap_sources';
import { listThreads, threadOf } from './dap_threads';
import { isStatePath } from './state_schema';
import { userDataText } from './user_data_text';

/** Most targets offered for one line. */
const MOST_TARGETS = 20;

/** Requests that look and change nothing but, for goto, the cursor. */
export function inspectHandlers(running: () => Run): Handlers {
  return {
    threads: () => ({ threads: listThreads(running().open) }),
    stackTrace: (args: DebugProtocol.StackTraceArguments) =>
      running().frames.of(args.threadId, args.startFrame ?? 0, args.levels ?? 0),
    scopes: (args: DebugProtocol.ScopesArguments) => {
      const run = running();
      if (run.frames.isBefore(args.frameId)) return { scopes: [] };
      const { event, focus } = shownBy(run, args.frameId);
      return { scopes: event < 0 ? [] : scopesOf(run.open, event, focus, run.nodes) };
    },
    variables: (args: DebugProtocol.VariablesArguments) => {
      const { nodes } = running();
      const part = nodes.part(args.variablesReference, args.filter, args.start, args.count);
      if (part === undefined) throw new RequestError('these variables are of an earlier stop', false);
      return { variables: part.map((node) => nodes.variable(node)) };
    },
    source: (args: DebugProtocol.SourceArguments) => {
      const reference = args.source?.sourceReference ?? args.sourceReference;
      const content = running().sources.text(reference);
      if (content === undefined) throw new RequestError('this source is not known', false);
      return { content, mimeType: reference === RUN_SESSION ? 'text/x-ublk' : 'text/x-ublktrace' };
    },
    loadedSources: () => ({ sources: running().sources.all() }),
    evaluate: (args: DebugProtocol.EvaluateArguments) => evaluate(running(), args),
    completions: (args: DebugProtocol.CompletionsArguments) => ({
      targets: completions(running().open, args.text, args.column),
    }),
    exceptionInfo: async () => {
      const run = running();
      const { event } = run.open.cursor;
      const what = await run.whatIsExceptional(event);
      if (what === undefined) throw new RequestError('nothing exceptional happened here', false);
      return exceptionInfo(run.open, event, what);
    },
    readMemory: (args: DebugProtocol.ReadMemoryArguments) => readMemory(running(), args),
    dataBreakpointInfo: (args: DebugProtocol.DataBreakpointInfoArguments) => dataInfo(running(), args),
    breakpointLocations: (args: DebugProtocol.BreakpointLocationsArguments) => ({
      breakpoints: running()
        .sources.breakable(args.source, args.line, args.endLine ?? args.line)
        .map((line) => ({ line })),
    }),
    gotoTargets: (args: DebugProtocol.GotoTargetsArguments) => gotoTargets(running(), args),
    goto: (args: DebugProtocol.GotoArguments) => {
      const run = running();
      const event = args.targetId;
      if (!Number.isInteger(event) || event < 0 || event >= run.open.length)
        throw new RequestError('there is no such event');
      const row = run.open.requests.requestOf(event);
      return new Reply(undefined, () => run.stop(event, row < 0 ? undefined : row, { reason: 'goto' }));
    },
    [WHERE_REQUEST]: () => {
      const { open } = running();
      const { event, request } = open.cursor;
      return { event, request, threadId: threadOf(request), program: open.path };
    },
  };
}

function shownBy(run: Run, frame: number | undefined): ReturnType<Run['frames']['shownBy']> & object {
  const shown = run.frames.shownBy(frame);
  if (shown === undefined) throw new RequestError('this frame is of an earlier stop', false);
  return shown;
}

async function evaluate(
  run: Run,
  args: DebugProtocol.EvaluateArguments,
): Promise<DebugProtocol.EvaluateResponse['body']> {
  const { event, focus } = shownBy(run, args.frameId);
  const number = /^\s*0x[0-9a-f]{1,16}\s*$/i.test(args.expression)
    ? BigInt(args.expression.trim())
    : undefined;
  if (number !== undefined) return { result: inWords(run, event, number), variablesReference: 0 };
  const value = evaluateAt(run.open, args.expression, event, focus);
  const counted = args.context === 'repl' && value.type === 'filter';
  if (value.type === 'field' && args.expression.trim() === 'user_data' && value.text.startsWith('0x'))
    return { result: inWords(run, event, BigInt(value.text)), variablesReference: 0 };
  return {
    result: counted
      ? `${value.text} here; ${await countText(run.open, args.expression, run.work)}`
      : value.text,
    variablesReference: 0,
  };
}

/** A number as text, and what a server means by it where it is a user_data of its. */
function inWords(run: Run, event: number, value: bigint): string {
  const opcode = event < 0 ? undefined : run.open.trace.str(event, 'opcode');
  return `0x${value.toString(16)} = ${userDataText(value, opcode) ?? value}`;
}

function readMemory(
  run: Run,
  args: DebugProtocol.ReadMemoryArguments,
): DebugProtocol.ReadMemoryResponse['body'] {
  const bytes = memoryAt(run.open, args.memoryReference);
  if (bytes === undefined) throw new RequestError(`the trace has no bytes at ${args.memoryReference}`, false);
  const offset = args.offset ?? 0;
  const from = Math.max(0, Math.min(bytes.length, offset));
  const to = Math.max(from, Math.min(bytes.length, offset + args.count));
  const unreadableBytes = Math.max(0, args.count - (to - from));
  return {
    address: `0x${from.toString(16)}`,
    data: base64(bytes.subarray(from, to)),
    ...(unreadableBytes > 0 ? { unreadableBytes } : {}),
  };
}

function dataInfo(
  run: Run,
  args: DebugProtocol.DataBreakpointInfoArguments,
): DebugProtocol.DataBreakpointInfoResponse['body'] {
  const reference = args.variablesReference ?? 0;
  const node = reference > 0 ? run.nodes.get(reference)?.find((each) => each.name === args.name) : undefined;
  const path = node?.path ?? (reference === 0 ? args.name : undefined);
  if (path === undefined || !isStatePath(path))
    return { dataId: null, description: `${args.name} is no state variable` };
  return { dataId: path, description: path, accessTypes: ['write'], canPersist: true };
}

/** The events of a line; for pseudo-code the next event of that name, from the cursor on, and the one before. */
function gotoTargets(
  run: Run,
  args: DebugProtocol.GotoTargetsArguments,
): DebugProtocol.GotoTargetsResponse['body'] {
  const { open, sources } = run;
  const target = sources.target(args.source, args.line);
  if (target?.problem !== undefined) throw new RequestError(target.problem);
  const events = [...(target?.events ?? []).slice(0, MOST_TARGETS)];
  if (target?.names !== undefined) {
    const { shape, shapes } = open.trace;
    const wanted = new Uint8Array(shapes.size);
    for (let id = 0; id < wanted.length; id++)
      wanted[id] = target.names.includes(shapes.get(id).name) ? 1 : 0;
    const find = (step: 1 | -1): void => {
      for (let i = open.cursor.event + step; i >= 0 && i < open.length; i += step) {
        if (wanted[shape[i]] === 0) continue;
        events.push(i);
        return;
      }
    };
    find(1);
    find(-1);
  }
  return {
    targets: events.map((event) => ({
      id: event,
      label: `event ${event}: ${open.trace.nameOf(event)}`,
      line: target?.line ?? args.line,
    })),
  };
}

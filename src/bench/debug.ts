import type { DebugProtocol } from '@vscode/debugprotocol';
import { DebugSession, STEP_REQUEST } from '../debug/dap_session';
import type { OpenTrace } from '../debug/model';
import { openTraceText } from '../debug/open';
import { busyTime, type Figure, spread } from './measure';
import type { Setting } from './setting';
import { randomPlaces, simulatedText } from './workloads';

/** Longest that the extension host may be kept from other things, ms. */
const LONGEST = 30;
const STEP = 10;
const SEARCH = 50;

/** Opening a trace of 1 M events as the extension does, stepping through it, and searching it for breakpoints. */
export async function* debugFigures({ sizes }: Setting): AsyncGenerator<Figure> {
  const slices = new Slices();
  const { bytes, events } = simulatedText(sizes.events);
  const begin = busyTime();
  slices.start();
  const open = await openTraceText('bench.ublktrace', pieces(bytes), { pause: slices.pause }, bytes.length);
  const took = busyTime() - begin;
  slices.end();
  yield rate('debug: opens', events / (took / 1000));
  yield ms('debug: opens, longest slice', [slices.longest], LONGEST);
  slices.start();
  const from = busyTime();
  await open.ensureChecked({ pause: slices.pause });
  yield ms('debug: invariants', [busyTime() - from]);
  slices.end();
  yield ms('debug: invariants, longest slice', [slices.longest], LONGEST);
  const client = new Client(open, slices);
  await client.start();
  yield* stepFigures(client, randomPlaces(sizes.seeks, open.length));
  yield* searchFigures(client);
}

/** A step and what VS Code asks for after it, at random events of requests. */
async function* stepFigures(client: Client, places: readonly number[]): AsyncGenerator<Figure> {
  const kinds = ['next', 'stepIn', 'stepOut', 'stepBack', 'reverseOver', 'reverseOut', 'nextLife'];
  const samples = new Map(kinds.map((kind) => [kind, [] as number[]]));
  const jumps: number[] = [];
  for (const [k, event] of places.entries()) {
    jumps.push(await client.timed('ublk-goto', { event }));
    for (const [kind, list] of samples) {
      await client.timed('ublk-goto', { event });
      const threadId = k % 3 === 0 ? 1 : client.thread;
      list.push(
        kind.startsWith('step') || kind === 'next'
          ? await client.timed(kind, { threadId })
          : await client.timed(STEP_REQUEST, { kind, threadId }),
      );
    }
  }
  for (const [kind, list] of samples) yield ms(`debug: ${kind}`, list, STEP);
  yield ms('debug: go to', jumps, STEP);
}

/** Running from end to end, past everything that could stop it. */
async function* searchFigures(client: Client): AsyncGenerator<Figure> {
  const names = ['ublk_queue_rq', 'io_uring_complete', 'block_rq_complete'];
  const never = ['tag == 3 && res < -100000', 'op == READ && latency > 1s', 'task ~ nobody'];
  const searches: [string, string, () => Promise<unknown>][] = [
    ['no breakpoint', 'none', () => client.ask('setFunctionBreakpoints', { breakpoints: [] })],
    ...never.map((condition): [string, string, () => Promise<unknown>] => [
      condition,
      'condition',
      () => client.ask('setFunctionBreakpoints', { breakpoints: names.map((name) => ({ name, condition })) }),
    ]),
    ...PATHS.map((path): [string, string, () => Promise<unknown>] => [
      path,
      'data',
      async () => {
        await client.ask('setFunctionBreakpoints', { breakpoints: [] });
        await client.ask('setDataBreakpoints', {
          breakpoints: [
            FREQUENT.has(path) ? { dataId: path, condition: 'task == nobody' } : { dataId: path },
          ],
        });
      },
    ]),
  ];
  for (const [name, kind, set] of searches) {
    await set();
    const runs: number[] = [];
    let longest = 0;
    for (let k = 0; k < 4; k++) {
      await client.timed('ublk-goto', { event: client.last });
      client.slices.start();
      runs.push(await client.timed('reverseContinue', {}));
      longest = Math.max(longest, client.slices.longest);
    }
    const [first, ...again] = runs;
    const text = `debug: reverse-continue past ${name}`;
    if (kind === 'data') yield ms(`${text}, first time`, [first!]);
    yield ms(text, kind === 'data' ? again : runs, SEARCH);
    yield ms(`${text}, longest slice`, [longest], LONGEST);
  }
}

/** Values that change often, seldom, never, and of things that come and go. */
const PATHS = [
  'ring:0:cq.tail',
  'device:0:state',
  'ring:0:cq.overflow',
  'totals::punts',
  'task:1:syscall',
  'page:0xffff888000000000:refs',
];
/** Those that stop a run at once unless a condition lets it pass. */
const FREQUENT: ReadonlySet<string> = new Set(['ring:0:cq.tail']);

/**
 * Time between two moments at which others may run: that of the clock or of the processor, whichever is less, since other programs
 * lengthen the one and the threads of collector and compiler the other.
 */
class Slices {
  longest = 0;
  private busy = 0;
  private clock = 0;

  readonly pause = async (): Promise<void> => {
    this.end();
    await new Promise((resolve) => setImmediate(resolve));
    this.begin();
  };

  start(): void {
    this.longest = 0;
    this.begin();
  }

  end(): void {
    const took = Math.min(busyTime() - this.busy, performance.now() - this.clock);
    this.longest = Math.max(this.longest, took);
  }

  private begin(): void {
    this.busy = busyTime();
    this.clock = performance.now();
  }
}

/** A client that asks at each stop for what VS Code asks for. */
class Client {
  thread = 1;
  private readonly session: DebugSession;
  private seq = 1;
  private stop: (() => void) | undefined;
  private answer: unknown;

  constructor(
    private readonly open: OpenTrace,
    readonly slices: Slices,
  ) {
    this.session = new DebugSession({ open: async () => ({ open }), pause: slices.pause });
    this.session.onDidSendMessage((message) => {
      if (message.type === 'response') this.answer = (message as DebugProtocol.Response).body;
      const { event, body } = message as DebugProtocol.StoppedEvent;
      if (event !== 'stopped') return;
      this.thread = body.threadId ?? 1;
      this.slices.end();
      this.stop?.();
    });
  }

  get last(): number {
    return this.open.length - 1;
  }

  async start(): Promise<void> {
    await this.ask('initialize', {});
    await this.ask('launch', { program: 'bench' });
    await this.ask('configurationDone', {});
  }

  async ask(command: string, args: object): Promise<unknown> {
    const request: DebugProtocol.Request = { seq: this.seq++, type: 'request', command, arguments: args };
    await this.session.handleMessage(request);
    return this.answer;
  }

  /** ms of a request that moves until the client has shown where it stopped. */
  async timed(command: string, args: object): Promise<number> {
    const stopped = new Promise<void>((resolve) => {
      this.stop = resolve;
    });
    const start = busyTime();
    await this.ask(command, args);
    await stopped;
    await this.ask('threads', {});
    const { stackFrames } = (await this.ask('stackTrace', { threadId: this.thread, levels: 20 })) as {
      stackFrames: DebugProtocol.StackFrame[];
    };
    const { scopes } = (await this.ask('scopes', { frameId: stackFrames[0]?.id })) as {
      scopes: DebugProtocol.Scope[];
    };
    for (const { variablesReference } of scopes) await this.ask('variables', { variablesReference });
    return busyTime() - start;
  }
}

function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1 << 20) yield bytes.subarray(at, at + (1 << 20));
}

function rate(bench: string, median: number): Figure {
  return { bench, unit: 'events/s', better: 'higher', median, runs: 1 };
}

function ms(bench: string, samples: readonly number[], goal?: number): Figure {
  const { median, p95 } = spread(samples);
  const more = samples.length > 1 ? { p95 } : {};
  const limit = goal === undefined ? {} : { goal };
  return { bench, unit: 'ms', better: 'lower', median, ...more, runs: samples.length, ...limit };
}

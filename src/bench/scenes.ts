import { checkSlices, checkTrace } from '../check/check';
import { chromeTrace } from '../convert/chrome';
import { Scheduler } from '../kernel/sched';
import type { Session } from '../session/ast';
import { simulate } from '../simulate';
import { Printer } from '../trace/print';
import { matchRequests, matchSlices } from '../trace/requests';
import { finish } from '../trace/slices';
import { StateReducer } from '../trace/state';
import { debugFigures } from './debug';
import { activationFigures } from './activation';
import { firstTime } from './first';
import { machineFigures } from './machine';
import { memoryFigures } from './memory';
import { type Figure, spread, timeInTurns } from './measure';
import { RegexReader } from './regex_reader';
import { ringFigures } from './ring';
import { seekFigures } from './seek';
import type { Setting } from './setting';
import { loadSimJs, simJsRun } from './simjs_peer';
import { reading, readingByRegex, replaying, simulating, stopped } from './standing';
import { viewFigures } from './view';
import { loopSession, nullSession, readTrace, recordedText, simulatedText } from './workloads';

/** Sizes of the works that stand beside the timed ones: enough for a few steps. */
const SMALL_BYTES = 1 << 21;
const SMALL_IOS = 4000;

/** A bench: one name for --only, one or more figures. */
export interface Scene {
  readonly name: string;
  readonly run: (setting: Setting) => Iterable<Figure> | AsyncIterable<Figure>;
}

/** Every bench there is, in the order in which they run. */
export const SCENES: readonly Scene[] = [
  { name: 'simulate', run: simulateFigures },
  { name: 'import', run: importFigures },
  { name: 'match', run: matchFigures },
  { name: 'print', run: printFigures },
  { name: 'export', run: exportFigures },
  { name: 'check', run: checkFigures },
  { name: 'replay', run: replayFigures },
  { name: 'seek', run: seekFigures },
  { name: 'view', run: allViewFigures },
  { name: 'debug', run: debugFigures },
  { name: 'ring', run: ringFigures },
  { name: 'memory', run: memoryFigures },
  { name: 'activation', run: activationFigures },
];

/** Amount per second over runs, as a figure. */
function rate(
  bench: string,
  unit: string,
  amount: number,
  seconds: readonly number[],
  goal?: number,
): Figure {
  const { median } = spread(seconds.map((s) => amount / s));
  return {
    bench,
    unit,
    better: 'higher',
    median,
    runs: seconds.length,
    ...(goal === undefined ? {} : { goal }),
  };
}

/** The figure with a peer that did the same amount of work in turns with it. */
function against(figure: Figure, name: string, amount: number, seconds: readonly number[]): Figure {
  const { median } = spread(seconds.map((s) => amount / s));
  return { ...figure, ratio: figure.median / median, peer: { name, median } };
}

function* simulateFigures({ plan, sizes }: Setting): Generator<Figure> {
  const depth = 128;
  const session = nullSession(sizes.nullIos, depth);
  const { events, steps } = counted(session);
  const sim = loadSimJs();
  // Once as many events as the trace has, once as many as our scheduler takes steps: one step records several events.
  const model = (stages: number) => ({
    depth,
    ios: sizes.nullIos,
    steps: Math.max(1, Math.round(stages / sizes.nullIos)),
  });
  const [recorded, scheduled] = [model(events), model(steps)];
  const standing = [
    ...stopped(() => simulating(nullSession(SMALL_IOS, depth))),
    ...stopped(() => simJsRun(sim, { ...scheduled, ios: SMALL_IOS })),
  ];
  const [own, many, few] = timeInTurns(
    plan,
    [() => simulate(session), () => finish(simJsRun(sim, recorded)), () => finish(simJsRun(sim, scheduled))],
    standing,
  );
  const all = rate('simulate null depth 128', 'events/s', events, own!, 1e6);
  yield against(all, 'simjs', recorded.ios * recorded.steps, many!);
  const stepped = rate('simulate null depth 128, scheduled', 'steps/s', steps, own!);
  yield against(stepped, 'simjs', scheduled.ios * scheduled.steps, few!);
  const loop = loopSession(sizes.loopIos);
  const small = stopped(() => simulating(loopSession(SMALL_IOS)));
  const [zeroCopy] = timeInTurns(plan, [() => simulate(loop)], small);
  yield rate('simulate loop zero copy depth 8', 'events/s', counted(loop).events, zeroCopy!, 1e6);
}

/** What a session records, and how many steps its scheduler takes: the events of a queueing model. */
function counted(session: Session): { events: number; steps: number } {
  const { run } = Scheduler.prototype;
  let steps = 0;
  Scheduler.prototype.run = function (max) {
    const taken = run.call(this, max);
    steps += taken;
    return taken;
  };
  try {
    return { events: simulate(session).events, steps };
  } finally {
    Scheduler.prototype.run = run;
  }
}

function* importFigures({ plan, sizes }: Setting): Generator<Figure> {
  const texts = [
    { name: 'simulated', text: simulatedText(sizes.recorded) },
    { name: 'recorded', text: recordedText(sizes.recorded) },
  ];
  for (const { name, text } of texts) {
    if (text === undefined) continue;
    const { bytes, events } = text;
    const byRegex = (): unknown => new RegexReader().read(Buffer.from(bytes).toString());
    const few = bytes.subarray(0, SMALL_BYTES);
    const standing = [...stopped(() => reading(few)), ...stopped(() => readingByRegex(few))];
    const [own, peer] = timeInTurns(plan, [() => readTrace(bytes), byRegex], standing);
    yield against(
      rate(`import ${name} text`, 'events/s', events, own!, 1.2e6),
      'regular expressions',
      events,
      peer!,
    );
    yield rate(`import ${name} text, bytes`, 'MB/s', bytes.length / 1e6, own!, 200);
  }
}

async function* matchFigures({ plan, sizes }: Setting): AsyncGenerator<Figure> {
  const { bytes, events } = simulatedText(sizes.events);
  const trace = readTrace(bytes);
  const few = bytes.subarray(0, SMALL_BYTES);
  const small = readTrace(few);
  const standing = [...stopped(() => reading(few)), ...stopped(() => matchSlices(small))];
  const [match, both] = timeInTurns(
    plan,
    [() => matchRequests(trace), () => matchRequests(readTrace(bytes))],
    standing,
  );
  yield rate('match requests', 'events/s', events, match!);
  yield rate('import and match', 'events/s', events, both!, 1.2e6);
  yield rate('import and match, bytes', 'MB/s', bytes.length / 1e6, both!, 200);
  const first: number[] = [];
  for (let run = 0; run < plan.runs; run++) first.push(await firstTime(bytes));
  yield rate('import and match, first time', 'events/s', events, first);
}

function* printFigures({ plan, sizes }: Setting): Generator<Figure> {
  const { bytes, events } = simulatedText(sizes.recorded);
  const trace = readTrace(bytes);
  const small = readTrace(bytes.subarray(0, SMALL_BYTES));
  const standing = stopped(() => new Printer(small).parts()[Symbol.iterator]());
  const [seconds] = timeInTurns(plan, [() => drain(new Printer(trace).parts())], standing);
  yield rate('print', 'events/s', events, seconds!);
  yield rate('print, bytes', 'MB/s', bytes.length / 1e6, seconds!);
}

function* exportFigures({ plan, sizes }: Setting): Generator<Figure> {
  const { bytes, events } = simulatedText(sizes.recorded);
  const trace = readTrace(bytes);
  const requests = matchRequests(trace);
  const small = readTrace(bytes.subarray(0, SMALL_BYTES));
  const few = matchRequests(small);
  const standing = stopped(() => chromeTrace(small, few));
  const [seconds] = timeInTurns(plan, [() => drain(chromeTrace(trace, requests))], standing);
  yield rate('export chrome', 'events/s', events, seconds!, 4e6);
}

function* checkFigures({ plan, sizes }: Setting): Generator<Figure> {
  const { bytes, events } = simulatedText(sizes.recorded);
  const trace = readTrace(bytes);
  const requests = matchRequests(trace);
  const small = readTrace(bytes.subarray(0, SMALL_BYTES));
  const standing = stopped(() => checkSlices(small));
  const [seconds] = timeInTurns(plan, [() => checkTrace(trace, requests)], standing);
  yield rate('check', 'events/s', events, seconds!);
}

function* allViewFigures(setting: Setting): Generator<Figure> {
  yield* viewFigures(setting);
  yield* machineFigures(setting);
}

function* replayFigures({ plan, sizes }: Setting): Generator<Figure> {
  const { bytes, events } = simulatedText(sizes.events);
  const trace = readTrace(bytes);
  const small = readTrace(bytes.subarray(0, SMALL_BYTES));
  const standing = stopped(() => replaying(small));
  const [seconds] = timeInTurns(plan, [() => new StateReducer(trace).run(trace.length - 1)], standing);
  yield rate('replay', 'events/s', events, seconds!);
}

/** Takes all pieces and keeps none, as a stream to a file does. Returns their length. */
function drain(parts: Iterable<string>): number {
  let length = 0;
  for (const part of parts) length += Buffer.byteLength(part);
  return length;
}

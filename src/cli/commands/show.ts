import { eventJson } from '../../convert/event_json';
import { Printer } from '../../trace/print';
import type { Trace } from '../../trace/trace';
import type { Args } from '../args';
import { COMMON_OPTIONS, type Command, type Environment, tellDamage } from '../command';
import { loadTrace } from '../input';
import { type Output, standardOutput } from '../output';

/** `show TRACE`: the events of a trace with their numbers. */
export const showCommand: Command = {
  name: 'show',
  positionals: ['TRACE'],
  says: 'print events with their numbers',
  options: [...COMMON_OPTIONS],
  async run(args: Args, env: Environment) {
    const loaded = await loadTrace(args.positionals[0]!, env.progress);
    tellDamage(loaded, env);
    const { trace } = loaded;
    const output = standardOutput();
    const events = everyEvent(trace);
    if (args.has('json')) await writeJson(output, trace, events);
    else await writeLines(output, trace, events, env);
    await output.close();
    return 0;
  },
};

function* everyEvent(trace: Trace): Generator<number> {
  for (let i = 0; i < trace.length; i++) yield i;
}

async function writeLines(
  output: Output,
  trace: Trace,
  events: Iterable<number>,
  env: Environment,
): Promise<void> {
  const printer = new Printer(trace);
  const width = String(Math.max(0, trace.length - 1)).length;
  for (const i of events)
    await output.write(`${env.paint.dim(String(i).padStart(width))} ${printer.line(i)}\n`);
}

async function writeJson(output: Output, trace: Trace, events: Iterable<number>): Promise<void> {
  let before = '[\n';
  for (const i of events) {
    await output.write(`${before}${JSON.stringify(eventJson(trace, i))}`);
    before = ',\n';
  }
  await output.write(before === '[\n' ? '[]\n' : '\n]\n');
}

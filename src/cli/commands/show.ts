import { eventJson } from '../../convert/event_json';
import { Printer } from '../../trace/print';
import { matchRequests } from '../../trace/requests';
import { formatState, stateAt } from '../../trace/state';
import type { Trace } from '../../trace/trace';
import type { Args } from '../args';
import { COMMON_OPTIONS, type Command, type Environment, tellDamage } from '../command';
import { fileError, usageError } from '../errors';
import { type LoadedTrace, loadTrace } from '../input';
import { type Output, standardOutput } from '../output';
import { jsonArray } from '../table';
import { readTagFilter, type TagFilter } from '../tag_filter';

/** `show TRACE`: the events of a trace with their numbers, or the machine's state after one of them. */
export const showCommand: Command = {
  name: 'show',
  positionals: ['TRACE'],
  says: 'print events with their numbers, or the state after one',
  options: [
    {
      name: 'tag',
      value: 'Q:T[#LIFE]',
      says: 'only events of the requests on this queue and tag; with --at: only that slot',
    },
    { name: 'at', value: 'N', says: 'the state of the whole machine after event N (from 0)' },
    ...COMMON_OPTIONS,
  ],
  async run(args: Args, env: Environment) {
    const tag = args.text('tag');
    const filter = tag === undefined ? undefined : readTagFilter(tag);
    const at = args.count('at');
    if (at !== undefined && filter?.life !== undefined) {
      throw usageError('with --at, --tag takes no life: event N says which one it is');
    }
    const loaded = await loadTrace(args.positionals[0]!, env.progress);
    tellDamage(loaded, env);
    const output = standardOutput();
    if (at === undefined) await showEvents(output, loaded, filter, args.has('json'), env);
    else await showState(output, loaded, at, filter, args.has('json'));
    await output.close();
    return 0;
  },
};

async function showState(
  output: Output,
  { file, trace }: LoadedTrace,
  at: number,
  filter: TagFilter | undefined,
  json: boolean,
): Promise<void> {
  if (at >= trace.length) throw fileError(file, `has no event ${at}: the last one is ${trace.length - 1}`);
  const whole = stateAt(trace, at);
  const wanted = (slot: { queue: number; tag: number }) =>
    slot.queue === filter?.queue && slot.tag === filter.tag;
  const state = filter === undefined ? whole : { ...whole, slots: whole.slots.filter(wanted) };
  if (json) {
    await output.write(`${JSON.stringify(state)}\n`);
    return;
  }
  await output.write(`${new Printer(trace).line(at)}\n`);
  await output.write(formatState(state));
}

async function showEvents(
  output: Output,
  { file, trace }: LoadedTrace,
  filter: TagFilter | undefined,
  json: boolean,
  env: Environment,
): Promise<void> {
  const events = filter === undefined ? undefined : eventsOf(trace, filter);
  if (events?.length === 0) {
    const life = filter?.life === undefined ? '' : ` life ${filter.life}`;
    throw fileError(file, `no request on queue ${filter?.queue} tag ${filter?.tag}${life}`);
  }
  const chosen = events ?? everyEvent(trace);
  if (json) {
    await jsonArray(output, eachJson(trace, chosen));
    return;
  }
  const printer = new Printer(trace);
  const width = String(Math.max(0, trace.length - 1)).length;
  for (const i of chosen)
    await output.write(`${env.paint.dim(String(i).padStart(width))} ${printer.line(i)}\n`);
}

function* everyEvent(trace: Trace): Generator<number> {
  for (let i = 0; i < trace.length; i++) yield i;
}

function* eachJson(trace: Trace, events: Iterable<number>): Generator<object> {
  for (const i of events) yield eventJson(trace, i);
}

/** Numbers of the events of all requests that the filter means, in order, each once. */
function eventsOf(trace: Trace, filter: TagFilter): number[] {
  const requests = matchRequests(trace, {});
  const events = new Set<number>();
  for (let r = 0; r < requests.length; r++) {
    const request = requests.toJson(r);
    if (request.queue !== filter.queue || request.tag !== filter.tag) continue;
    if (filter.life !== undefined && request.life !== filter.life) continue;
    for (const i of request.events) events.add(i);
  }
  return [...events].sort((a, b) => a - b);
}

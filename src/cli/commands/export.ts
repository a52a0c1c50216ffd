import { chromeTrace } from '../../convert/chrome';
import { didYouMean, quote } from '../../session/diagnostics';
import { matchRequests, type RequestTable } from '../../trace/requests';
import type { Trace } from '../../trace/trace';
import type { Args } from '../args';
import { COMMON_OPTIONS, type Command, type Environment, tellDamage } from '../command';
import { usageError } from '../errors';
import { loadTrace } from '../input';
import { openOutput } from '../output';

/** Formats that can be written; each gives its text in pieces. */
const FORMATS: ReadonlyMap<string, (trace: Trace, requests: RequestTable) => Iterable<string>> = new Map([
  ['chrome', chromeTrace],
]);

/** `export TRACE --to FORMAT`: the trace for another tool. */
export const exportCommand: Command = {
  name: 'export',
  positionals: ['TRACE'],
  says: 'write the trace for another tool',
  more: ['Formats: chrome (trace event JSON for ui.perfetto.dev and chrome://tracing).'],
  options: [
    { name: 'to', value: 'FORMAT', says: `the format: ${[...FORMATS.keys()].join(', ')}` },
    { name: 'output', short: 'o', value: 'FILE', says: 'write to this file instead of stdout' },
    ...COMMON_OPTIONS,
  ],
  async run(args: Args, env: Environment) {
    const name = args.text('to');
    const formats = [...FORMATS.keys()];
    if (name === undefined) throw usageError(`export needs --to FORMAT (${formats.join(', ')})`);
    const write = FORMATS.get(name);
    if (write === undefined) {
      throw usageError(
        `no format ${quote(name)}${didYouMean(name, formats)}; formats: ${formats.join(', ')}`,
      );
    }
    const loaded = await loadTrace(args.positionals[0]!, env.progress);
    tellDamage(loaded, env);
    const requests = matchRequests(loaded.trace, {});
    const file = args.text('output');
    const output = openOutput(file, args.positionals[0]!);
    let size = 0;
    try {
      for (const piece of write(loaded.trace, requests)) {
        size += piece.length;
        env.progress.update(`writing ${name}`, 0, 0, `${size >> 20} MB`);
        await output.write(piece);
      }
    } catch (error) {
      output.abort();
      throw error;
    } finally {
      env.progress.done();
    }
    await output.close();
    if (args.has('json') && file !== undefined && file !== '-') {
      process.stdout.write(
        `${JSON.stringify({ format: name, file, events: loaded.trace.length, requests: requests.length })}\n`,
      );
    }
    return 0;
  },
};

import { matchRequests } from '../../trace/requests';
import type { Args } from '../args';
import { COMMON_OPTIONS, type Command, type Environment, tellDamage } from '../command';
import { loadTrace } from '../input';
import { standardOutput } from '../output';
import { requestColumns } from '../request_columns';
import { jsonArray, writeTable } from '../table';

/** `requests TRACE`: every block or FUSE request by device, queue, tag and life. */
export const requestsCommand: Command = {
  name: 'requests',
  positionals: ['TRACE'],
  says: 'list requests by queue and tag',
  options: [{ name: 'all-devices', says: 'list requests of backing disks too' }, ...COMMON_OPTIONS],
  async run(args: Args, env: Environment) {
    const loaded = await loadTrace(args.positionals[0]!, env.progress);
    tellDamage(loaded, env);
    const table = matchRequests(loaded.trace, { allDevices: args.has('all-devices') });
    const output = standardOutput();
    const rows = function* () {
      for (let r = 0; r < table.length; r++) yield table.toJson(r);
    };
    if (args.has('json')) await jsonArray(output, rows());
    else await writeTable(output, env.paint, requestColumns(env.paint), rows);
    await output.close();
    return 0;
  },
};

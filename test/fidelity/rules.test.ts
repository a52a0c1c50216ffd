import { describe, expect, it } from 'vitest';
import { parseSession } from '../../src/session/parse';
import { simulate } from '../../src/simulate';
import { matchRequests } from '../../src/trace/requests';

/** Requests of a session on 6.1 with the recorded ublksrv, each as event names and how its SQEs ended. */
function requests(
  add: string,
  clients: string,
): { op: string; events: string[]; sqes: string[]; commands: string[] }[] {
  const text = `#: kernel 6.1\n#: part-scan off\ntruncate -s 1M back.img\ndd if=/dev/urandom of=back.img bs=64k count=64\n${add}\n${clients}\n`;
  const session = parseSession(text, 'rules.ublk');
  expect(session.diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
  const { trace } = simulate(session, {
    facts: false,
    override: (kind) => (kind === 'early-irq' ? 1 : kind === 'nowait-writes' ? 0 : undefined),
  });
  const table = matchRequests(trace);
  return Array.from({ length: table.length }, (_, r) => ({
    op: table.op(r),
    events: [...table.events(r)].map((e) => trace.nameOf(e)),
    sqes: table.sqes(r).map((sqe) => `${sqe.opcode} ${sqe.result} ${sqe.via}`),
    commands: table.commands(r).map((sqe) => sqe.cmd ?? ''),
  }));
}

describe('6.1 with ublksrv 1.2, options that the given recordings do not show', () => {
  it('null: the COMMIT follows the delivery, without any backend SQE', () => {
    const all = requests(
      'ublk add -t null -n 0 -q 1 -d 128',
      'iogen /dev/ublkb0 io.json list:1:r@0+4096,w@4096+65536',
    );
    expect(all.map(({ op, sqes }) => [op, sqes])).toEqual([
      ['READ', []],
      ['WRITE', []],
    ]);
    for (const { commands } of all) expect(commands).toEqual(['FETCH_REQ', 'COMMIT_AND_FETCH_REQ']);
  });

  it('two queues: no scheduler, the tag comes with the request, reads are issued by the client', () => {
    const [read, write] = requests(
      'ublk add -t loop -n 0 -q 2 -d 64 -f back.img',
      'taskset 1 iogen /dev/ublkb0 io.json list:1:r@0+4096,w@4096+4096',
    );
    expect(read.events).not.toContain('block_rq_insert');
    expect(read.events.indexOf('blk_mq_get_driver_tag')).toBeLessThan(read.events.indexOf('block_rq_issue'));
    // a synchronous write sleeps with its plug open, and schedule() hands the plug to the software queue
    expect(write.events).toContain('block_rq_insert');
  });

  it('buffered: a cold read waits for its pages and ends in task work, a warm one inline, a write in a worker', () => {
    const all = requests(
      'ublk add -t loop -n 0 -q 1 -d 32 -f back.img --buffered_io',
      'iogen /dev/ublkb0 io.json list:1:r@0+4096,r@0+4096,w@65536+4096',
    );
    expect(all.map(({ sqes }) => sqes)).toEqual([
      ['READ 4096 task-work'],
      ['READ 4096 inline'],
      ['WRITE 4096 io-wq'],
    ]);
    expect(all[2].events).toContain('io_uring_queue_async_work');
  });

  it('-u 1 changes nothing where the driver is a module', () => {
    const client = 'iogen /dev/ublkb0 io.json list:1:r@0+4096';
    const [plain] = requests('ublk add -t loop -n 0 -q 1 -d 32 -f back.img', client);
    const [forced] = requests('ublk add -t loop -n 0 -q 1 -d 32 -f back.img -u 1', client);
    expect(forced).toEqual(plain);
  });
});

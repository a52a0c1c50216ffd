import { describe, expect, it } from 'vitest';
import { RULES } from '../../src/check/rules';
import { type Lines, recorded } from './support';

/** One edit of a recording of a correct server, and what it breaks. */
interface Mutation {
  /** The rule that it is about. */
  readonly rule: string;
  readonly what: string;
  readonly of: string;
  readonly edit: (lines: Lines) => void;
  /** Rules that the same edit breaks for the same reason. */
  readonly also?: readonly string[];
}

const COPY = 'k7.3-loop-copy-kublk-q1d32';
const LIFE = 'k7.3-life-loop-copy-kublk-q1d4';
const OLD = 'k6.1-loop-copy-qd32-ublksrvold';
const DATA = 'k6.1-loop-getdata-ublksrvold-q1d32';
const ZC = 'rfc-zc-loop-direct-q1d32';
const RFC_COPY = 'rfc-copy-loop-direct-q1d32';
const OVERFLOW = 'k7.3-iou-cq_overflow';
const CHAIN = 'k7.3-iou-link_rwf';
const WORKERS = 'rfc-zc-blkdev-backing-qd32';

const READ_CQE = /io_uring_complete: .*user_data 0x80000000000000[0-9a-f]{2}, result 4096/;
const READ_SQE = /io_uring_submit_\w+: .*opcode READ,/;
const COMMIT_SQE = /io_uring_submit_\w+: .*user_data 0x21[0-9a-f]{4}, opcode URING_CMD/;
const COMMAND = /ublk_ch_uring_cmd: .*op=0x(c01075)?21 .*result=4096/;
const DELIVERY = /io_uring_complete: .*user_data 0x2[01][0-9a-f]{4}, result 0/;
const UBLK_END = /block_rq_complete: 259,0 RS/;
const RC = /do_splice_direct_rc: .*len=4096/;

const MUTATIONS: readonly Mutation[] = [
  {
    rule: 'INV-01',
    what: 'more SQEs taken than handed over',
    of: COPY,
    edit: (t) => t.edit(t.find(/to_submit: 1,/), 'to_submit: 1', 'to_submit: 0'),
  },
  {
    rule: 'INV-06',
    what: 'a CQE passes those on the overflow list',
    of: OVERFLOW,
    edit: (t) => {
      const submit = t.lines[t.find(/submit_req: .*user_data 0x6d/)];
      const req = /req (\w+)/.exec(submit)?.[1] ?? '';
      const at = t.find(/cqe_overflow: .*0x6d/);
      t.edit(
        at,
        /io_uring_cqe_overflow: ring (\w+), user_data (\w+),.*/,
        `io_uring_complete: ring $1, req ${req}, user_data $2, result 0, cflags 0x0 extra1 0 extra2 0 `,
      );
    },
  },
  {
    rule: 'INV-20',
    what: 'the last SQE of a submit call with a link flag',
    of: CHAIN,
    edit: (t) => t.edit(t.find(/submit_req: .*opcode FSYNC, flags 0x10,/), 'flags 0x10,', 'flags 0x14,'),
  },
  {
    rule: 'INV-07',
    what: 'a second CQE for one SQE',
    of: COPY,
    edit: (t) => t.repeat(t.find(READ_CQE)),
  },
  {
    rule: 'INV-07',
    what: 'a CQE that never comes',
    of: COPY,
    edit: (t) => t.drop(t.find(READ_CQE)),
    also: ['INV-42'],
  },
  {
    rule: 'INV-08',
    what: 'user_data rounded to a double',
    of: COPY,
    edit: (t) =>
      t.edit(t.find(READ_CQE), /user_data 0x80000000000000[0-9a-f]{2}/, 'user_data 0x8000000000000400'),
  },
  {
    rule: 'INV-09',
    what: 'a CQE for an SQE that was never taken',
    of: LIFE,
    edit: (t) => t.edit(t.find(READ_CQE), /req \w+/, 'req 00000000deadbeef'),
    also: ['INV-07', 'INV-42'],
  },
  {
    rule: 'INV-09',
    what: 'a punted SQE completes before a worker began',
    of: ZC,
    edit: (t) => {
      for (let n = 0; n < 3; n++) t.drop(t.find(/io_wq_submit_work:/));
    },
  },
  {
    rule: 'INV-10',
    what: 'another return value of io_uring_enter',
    of: COPY,
    edit: (t) => t.edit(t.find(/io_uring_enter -> 0x1/, t.find(READ_SQE)), '0x1', '0x2'),
  },
  {
    rule: 'INV-24',
    what: 'a tag starts again before its request has ended',
    of: COPY,
    edit: (t) => {
      const start = t.find(/ublk_queue_rq: .*len=4096/);
      const issue = t.find(/block_rq_issue: 259,0/, start);
      t.insert(issue + 1, t.lines[start], t.lines[issue]);
    },
  },
  {
    rule: 'INV-26',
    what: 'a tag above the depth, never given back',
    of: LIFE,
    edit: (t) => {
      const delivery = t.find(/ublk_dispatch_req/);
      const start = t.find(/ublk_queue_rq:/);
      const issue = t.find(/block_rq_issue: 259,0/, start);
      const after = t.find(DELIVERY, delivery) + 1;
      t.insert(after, t.lines[start].replace(/tag=\d+/, 'tag=7'), t.lines[issue]);
    },
    also: ['INV-25'],
  },
  {
    rule: 'INV-25',
    what: 'more requests in flight than tags',
    of: LIFE,
    edit: (t) => {
      const start = t.find(/ublk_queue_rq:/);
      const issue = t.find(/block_rq_issue: 259,0/, start);
      const after = t.find(DELIVERY, start) + 1;
      for (const tag of [4, 5, 6, 7, 8])
        t.insert(after, t.lines[start].replace(/tag=\d+/, `tag=${tag}`), t.lines[issue]);
    },
    also: ['INV-26'],
  },
  {
    rule: 'INV-27',
    what: 'NEED_GET_DATA for a slot that waits for none',
    of: DATA,
    edit: (t) =>
      t.edit(
        t.find(/io_uring_complete: .*user_data 0x2[01][0-9a-f]{4}, result 1,/),
        'result 1,',
        'result 0,',
      ),
  },
  {
    rule: 'INV-28',
    what: 'a command answered twice',
    of: COPY,
    edit: (t) => t.repeat(t.find(DELIVERY)),
  },
  {
    rule: 'INV-28',
    what: 'an answer that does not exist',
    of: COPY,
    edit: (t) => t.edit(t.find(DELIVERY), 'result 0', 'result 5'),
  },
  {
    rule: 'INV-29',
    what: 'a delivery of a request that was not started',
    of: OLD,
    edit: (t) => {
      const { tag, from } = reused(t);
      const start = t.find(new RegExp(`ublk_queue_rq: .*tag=${tag} `), from);
      t.drop(t.find(/block_rq_issue: 259,0/, start)).drop(start);
    },
  },
  {
    rule: 'INV-30',
    what: 'a second COMMIT for one delivery',
    of: COPY,
    edit: (t) => {
      const at = t.find(COMMIT_SQE);
      const again = t.lines[at].replace(/req \w+/, 'req 00000000deadbeef');
      t.insert(t.find(/cqring_wait/, at) + 1, again);
      t.edit(t.find(/to_submit: 1,/, at - 2), 'to_submit: 1', 'to_submit: 2');
      t.edit(t.find(/io_uring_enter -> /, at), /-> 0x\w+/, '-> 0x2');
    },
  },
  {
    rule: 'INV-31',
    what: 'a COMMIT of a slot that was only fetched',
    of: LIFE,
    edit: (t) => {
      const at = t.find(COMMIT_SQE);
      const tag = Number(/user_data 0x21000(\d)/.exec(t.lines[at])?.[1]);
      t.edit(at, /user_data 0x21000\d/, `user_data 0x21000${(tag + 1) % 4}`);
    },
    also: ['INV-08', 'INV-34'],
  },
  {
    rule: 'INV-32',
    what: 'a FETCH instead of a COMMIT',
    of: COPY,
    edit: (t) => t.edit(t.find(COMMIT_SQE, t.find(DELIVERY)), 'user_data 0x21', 'user_data 0x20'),
    also: ['INV-34'],
  },
  {
    rule: 'INV-33',
    what: 'a COMMIT from another task',
    of: LIFE,
    edit: (t) => {
      const at = t.find(COMMIT_SQE);
      t.edit(at, /kublk-\d+/, 'kublk-9999');
    },
    also: ['INV-10'],
  },
  {
    rule: 'INV-34',
    what: 'a request that ends before its COMMIT',
    of: OLD,
    edit: (t) => {
      const commit = t.find(COMMIT_SQE, t.find(DELIVERY));
      t.move(t.find(/block_rq_complete: 259,0/, commit), commit);
    },
  },
  {
    rule: 'INV-35',
    what: 'a descriptor written while the server holds the request',
    of: OLD,
    edit: (t) => {
      const start = t.find(/ublk_queue_rq:/);
      t.insert(t.find(DELIVERY) + 1, t.lines[start], t.lines[t.find(/block_rq_issue: 259,0/, start)]);
    },
    also: ['INV-24'],
  },
  {
    rule: 'INV-36',
    what: 'a slot fetched after the first delivery',
    of: LIFE,
    edit: (t) => {
      // The SQE comes later than it came, with the call that brings it.
      const fetch = t.find(/submit_req: .*user_data 0x200003, opcode URING_CMD/);
      const deliver = t.find(/io_uring_complete: .*user_data 0x20000[0-2], result 0/);
      t.move(fetch, t.find(COMMIT_SQE, deliver));
    },
    also: ['INV-01', 'INV-10'],
  },
  {
    rule: 'INV-37',
    what: 'a FETCH after -ENODEV',
    of: LIFE,
    edit: (t) => {
      const at = t.find(/io_uring_complete: .*user_data 0x2[01]000\d, result -19/);
      const fetch = t.lines[t.find(/submit_req: .*user_data 0x200000, opcode URING_CMD/)];
      const tag = /user_data 0x2[01]000(\d)/.exec(t.lines[at])?.[1];
      t.insert(
        t.find(/io_uring_enter -> /, at) + 1,
        fetch.replace('0x200000', `0x20000${tag}`).replace(/req \w+/, 'req 00000000deadbeef'),
      );
    },
  },
  {
    rule: 'INV-40',
    what: 'half of a request ends',
    of: COPY,
    edit: (t) => t.edit(t.find(UBLK_END, t.find(DELIVERY)), / \+ 8 /, ' + 4 '),
  },
  {
    rule: 'INV-40',
    what: 'another rest is requeued than was left',
    of: 'k7.3-loop-copy-truncated-backing-kublk',
    edit: (t) => t.edit(t.find(/block_rq_requeue/), / \d+ \+ \d+ /, ' 16 + 16 '),
  },
  {
    rule: 'INV-40',
    what: 'a rest that is not requeued',
    of: 'rfc-zc-short-backing',
    edit: (t) => t.drop(t.find(/block_rq_requeue: 259,0/)),
  },
  {
    rule: 'INV-41',
    what: 'a WRITE committed with more than its length',
    of: COPY,
    edit: (t) => {
      const write = t.find(/submit_req: .*opcode WRITE,/);
      t.edit(t.find(COMMAND, write), 'result=4096', 'result=8192');
    },
  },
  {
    rule: 'INV-41',
    what: 'a result that is no errno',
    of: COPY,
    edit: (t) => {
      const write = t.find(/submit_req: .*opcode WRITE,/);
      t.edit(t.find(COMMAND, write), 'result=4096', 'result=-5000');
    },
  },
  {
    rule: 'INV-42',
    what: 'a COMMIT before the CQE of the backend',
    of: 'rfc-copy-loop-qd32-noprobe',
    edit: (t) => {
      const cqe = t.find(READ_CQE, t.find(DELIVERY));
      const tag = /user_data 0x80000000000000(\w\w)/.exec(t.lines[cqe])?.[1];
      t.move(cqe, t.find(new RegExp(`submit_sqe: .*user_data 0x2100${tag}, opcode URING_CMD`), cqe) + 1);
    },
  },
  {
    rule: 'INV-42',
    what: 'a READ committed with more than its backend moved',
    of: COPY,
    edit: (t) => t.edit(t.find(READ_CQE, t.find(DELIVERY)), 'result 4096', 'result 2048'),
  },
  {
    rule: 'INV-43',
    what: 'READ data copied after the request has ended',
    of: COPY,
    edit: (t) => {
      const command = t.find(COMMAND, t.find(DELIVERY));
      t.move(t.find(/ublk_copy_user_pages/, command), t.find(UBLK_END, command) + 1);
    },
  },
  {
    rule: 'INV-43',
    what: 'WRITE data copied after the delivery',
    of: RFC_COPY,
    edit: (t) => {
      const work = t.find(
        /ublk_rq_task_work:/,
        t.find(/ublk_queue_rq: .*flags=0x8800|block_rq_issue: 259,0 WS/),
      );
      const copy = t.find(/ublk_copy_user_pages/, work);
      t.move(copy, t.find(DELIVERY, copy) + 1);
    },
  },
  {
    rule: 'INV-48',
    what: 'bytes handed over that nothing filled',
    of: ZC,
    edit: (t) => t.edit(t.find(/actor_read_consumer_ret: .*ret=4096/), 'ret=4096', 'ret=2048'),
  },
  {
    rule: 'INV-51',
    what: 'more buffers than the pipe has',
    of: ZC,
    edit: (t) => t.edit(t.find(/do_splice_to: .*consumer=1 head=1 tail=0/), 'head=1', 'head=17'),
    also: ['INV-52'],
  },
  {
    rule: 'INV-51',
    what: 'a buffer that did not fit and stays',
    of: ZC,
    edit: (t) => t.drop(t.find(/ublk_pipe_buf_release:/, t.find(/add_to_pipe: .*head=16 tail=0/))),
    also: ['INV-52'],
  },
  {
    rule: 'INV-52',
    what: 'a buffer that is never released',
    of: ZC,
    edit: (t) => t.drop(t.find(/ublk_pipe_buf_release: .*len_left=0/)),
  },
  {
    rule: 'INV-52',
    what: 'a tail that goes back',
    of: ZC,
    edit: (t) => t.edit(t.find(/splice_dismiss_pipe: .*head=32 tail=16/), 'tail=16', 'tail=15'),
    also: ['INV-51'],
  },
  {
    rule: 'INV-53',
    what: 'a producing half that returns too little',
    of: ZC,
    edit: (t) =>
      t.edit(t.find(/do_splice_to_ret: .*splice_direct_to_actor.*ret=4096/), 'ret=4096', 'ret=2048'),
  },
  {
    rule: 'INV-53',
    what: 'more bytes leave the pipe than are in it',
    of: ZC,
    edit: (t) => t.edit(t.find(/splice_dismiss_pipe: .*bytes=4096/), 'bytes=4096', 'bytes=8192'),
  },
  {
    rule: 'INV-54',
    what: 'two workers with one pipe',
    of: WORKERS,
    edit: (t) => {
      const first = t.find(/ublk_splice_read: /, t.find(/ublk_splice_read: .*pos=/) + 1);
      const pipe = /pipe=(\w+)/.exec(t.lines[first])?.[1] ?? '';
      const other = new RegExp(`ublk_splice_read: .*pipe=(?!${pipe})`);
      for (let n = 0, at = first; n < 5; n++) {
        at = t.find(other, at + 1);
        t.edit(at, /pipe=\w+/, `pipe=${pipe}`);
      }
    },
  },
  {
    rule: 'INV-55',
    what: 'a consuming half on an unmarked pipe',
    of: ZC,
    edit: (t) => t.edit(t.find(/actor_read_consumer: .*consumed_by_read=1/), 'read=1', 'read=0'),
  },
  {
    rule: 'INV-55',
    what: 'a pipe that is marked before its producer',
    of: ZC,
    edit: (t) => t.edit(t.find(/ublk_splice_read: .*consumed_by_read=0/), 'read=0', 'read=1'),
  },
  {
    rule: 'INV-56',
    what: 'a SPLICE longer than its request',
    of: ZC,
    edit: (t) => t.edit(t.find(RC), 'len=4096', 'len=8192'),
  },
  {
    rule: 'INV-57',
    what: 'a READ without READ_TO_READ',
    of: ZC,
    edit: (t) => t.edit(t.find(/ublk_splice_read: .*flags=0x30/), 'flags=0x30', 'flags=0x10'),
  },
  {
    rule: 'INV-57',
    what: 'a WRITE with READ_TO_READ',
    of: ZC,
    edit: (t) => t.edit(t.find(/ublk_splice_read: .*flags=0x10/), 'flags=0x10', 'flags=0x30'),
  },
  {
    rule: 'INV-57',
    what: 'a position behind the end of the request',
    of: ZC,
    edit: (t) => {
      const at = t.find(/ublk_splice_read: .*pos=0x\w+00000 len=4096/);
      t.edit(at, /pos=0x(\w+)00000 /, 'pos=0x$180000 ');
    },
    also: ['INV-48'],
  },
  {
    rule: 'INV-58',
    what: 'a reference that is lost in the pipe',
    of: ZC,
    edit: (t) => t.edit(t.find(/ublk_pipe_buf_release: .*page_refs=2/), 'page_refs=2', 'page_refs=1'),
  },
  {
    rule: 'INV-59',
    what: 'a request that ends while a SPLICE has its pages',
    of: ZC,
    edit: (t) => {
      const read = t.find(/ublk_splice_read: .*len=4096 flags=0x30/);
      const end = t.find(/block_rq_complete: 259,0/, read);
      const [line] = t.lines.splice(end, 1);
      t.insert(t.find(/actor_read_consumer:/, read), line);
    },
    also: ['INV-34', 'INV-48'],
  },
  {
    rule: 'INV-60',
    what: 'a splice that moved more than was asked for',
    of: ZC,
    edit: (t) => t.edit(t.find(/do_splice_direct_rc_ret: .*ret=4096/), 'ret=4096', 'ret=8192'),
  },
  {
    rule: 'INV-60',
    what: 'a CQE that tells less than was moved',
    of: ZC,
    edit: (t) =>
      t.edit(
        t.find(/io_uring_complete: .*result 4096/, t.find(/do_splice_direct_ret: .*ret=4096/)),
        'result 4096',
        'result 2048',
      ),
  },
];

/** A tag that is used a second time, and the line from which on. */
function reused(t: Lines): { tag: string; from: number } {
  const seen = new Set<string>();
  for (let at = 0; ; ) {
    at = t.find(/ublk_queue_rq: /, at);
    const tag = /tag=(\d+)/.exec(t.lines[at])?.[1] ?? '';
    if (seen.has(tag)) return { tag, from: at };
    seen.add(tag);
    at++;
  }
}

describe('an edit of a correct recording breaks the rule', () => {
  it.each(MUTATIONS)('$rule: $what', ({ rule, of, edit, also }) => {
    const lines = recorded(of);
    edit(lines);
    expect(lines.broken()).toEqual([rule, ...(also ?? [])].sort());
  });

  it('every rule has one here, or needs facts that only the simulator has', () => {
    const facts = ['INV-02', 'INV-03', 'INV-04', 'INV-05'];
    const tested = new Set([...MUTATIONS.map((m) => m.rule), ...facts]);
    expect(RULES.map((rule) => rule.id).filter((id) => !tested.has(id))).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { opcodeName } from '../../src/uapi/io_uring_ops';
import { UD_TAG_IGNORE } from '../../src/uapi/user_data';
import type { Trace } from '../../src/trace/trace';
import { scoreOf } from './score';

const DEPTH = 16;

/** One metadata SQE in the order of the ring: what it was, how it was punted, what it brought. */
interface MetaSqe {
  readonly sqe: string;
  punt: string;
  result: number | undefined;
}

function isSubmit(event: string): boolean {
  return event === 'io_uring_submit_sqe' || event === 'io_uring_submit_req';
}

/** Metadata I/O that was asked for before the first FSYNC ended; `neighbours`: the SQEs of the submit call that the FSYNC came with, in ring order. */
function metadata(trace: Trace): { sqes: MetaSqe[]; neighbours: string[] } {
  const sqes: MetaSqe[] = [];
  const open = new Map<bigint, MetaSqe>();
  let call: string[] = [];
  let neighbours: string[] = [];
  let over = false;
  for (let e = 0; e < trace.length; e++) {
    const event = trace.nameOf(e);
    if (event === 'sys_enter_io_uring_enter') call = [];
    if (
      event === 'io_uring_cqring_wait' &&
      neighbours.length === 0 &&
      call.some((op) => op.startsWith('FSYNC'))
    )
      neighbours = call;
    const ud = trace.big(e, 'user_data');
    if (ud === undefined || ud >> 63n === 0n) {
      if (isSubmit(event)) call.push(trace.str(e, 'opcode') ?? '');
      continue;
    }
    const tag = Number(ud & 0xffffn);
    const id = Number((ud >> 24n) & 0xffffn);
    if (isSubmit(event)) call.push(`${trace.str(e, 'opcode')}${tag < DEPTH ? '' : ' of its own'}`);
    if ((id === 0 && tag !== UD_TAG_IGNORE) || (over && isSubmit(event))) continue;
    if (isSubmit(event)) {
      const who = tag === UD_TAG_IGNORE ? 'nobody' : tag < DEPTH ? 'request' : `internal ${tag - DEPTH}`;
      const flags = trace.num(e, 'flags')?.toString(16);
      const op = opcodeName(Number((ud >> 16n) & 0xffn));
      const sqe = {
        sqe: `${trace.str(e, 'opcode')} op=${op} id=${id} tag=${who} flags=${flags}`,
        punt: '',
        result: undefined,
      };
      sqes.push(sqe);
      open.set(ud, sqe);
    } else if (event === 'io_uring_queue_async_work') {
      const sqe = open.get(ud);
      if (sqe) sqe.punt = `${trace.big(e, 'flags')?.toString(16)} ${trace.str(e, 'queue')}`;
    } else if (event === 'io_uring_complete') {
      const sqe = open.get(ud);
      if (sqe) sqe.result = trace.num(e, 'result');
      over ||= tag === UD_TAG_IGNORE;
      if (over && sqes.every(({ result }) => result !== undefined)) break;
    }
  }
  return { sqes, neighbours };
}

describe.each(['k6.1-qcow2-ublksrvold-q1d16', 'k7.3-qcow2-ublksrvold-q1d16'])(
  'metadata I/O of ublk-qcow2: %s',
  (name) => {
    const score = scoreOf(name);
    const recorded = metadata(score.recorded);
    const simulated = metadata(score.simulated);

    it('has the recorded order, tags, IDs, flags, queues and results for the first allocating write', () => {
      expect(recorded.sqes.map(({ sqe }) => sqe.split(' ')[0])).toEqual([
        'READ',
        'FALLOCATE',
        'WRITE',
        'WRITE',
        'WRITE',
        'FSYNC',
      ]);
      expect(simulated.sqes).toEqual(recorded.sqes);
    });

    it('has the FSYNC with IOSQE_IO_LINK last in its submit call, right behind the WRITE of the table', () => {
      for (const { neighbours } of [recorded, simulated])
        expect(neighbours.slice(-2)).toEqual(['WRITE of its own', 'FSYNC of its own']);
    });
  },
);

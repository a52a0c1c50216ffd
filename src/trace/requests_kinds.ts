import type { Trace } from './trace';

/** What the matcher does with an event; 0 is nothing. */
export const KIND = {
  none: 0,
  bioQueue: 1,
  split: 2,
  merge: 3,
  getrq: 4,
  insert: 5,
  issue: 6,
  rqMerge: 7,
  requeue: 8,
  complete: 9,
  plug: 10,
  endProbe: 11,
  queueRq: 12,
  tagProbe: 13,
  bareProbe: 14,
  twCallback: 15,
  uringCmd: 16,
  uringCmdRet: 17,
  posProbe: 18,
  copyProbe: 19,
  tagBitmap: 20,
  fact: 21,
  spliceProbe: 22,
  spliceTag: 23,
  workStart: 24,
  create: 25,
  submit: 26,
  cqe: 27,
  sqeEvent: 28,
  link: 29,
  taskWork: 30,
  pause: 31,
  getSqe: 32,
  fuseSend: 33,
  fuseEnd: 34,
  driverStart: 35,
  reqFailed: 36,
} as const;

interface Plan {
  readonly kind: number;
  readonly fields: readonly string[];
}

const BLOCK_RQ = ['major', 'minor', 'rwbs', 'sector', 'nr_sector', 'error', 'bytes'];
const SQE = ['ring', 'req', 'user_data', 'opcode', 'result', 'cflags'];

/** Fields that each event needs, in the order of the index table. */
const PLANS: Readonly<Record<string, Plan>> = {
  block_bio_queue: { kind: KIND.bioQueue, fields: BLOCK_RQ },
  block_split: { kind: KIND.split, fields: BLOCK_RQ },
  block_bio_backmerge: { kind: KIND.merge, fields: BLOCK_RQ },
  block_bio_frontmerge: { kind: KIND.merge, fields: BLOCK_RQ },
  block_getrq: { kind: KIND.getrq, fields: BLOCK_RQ },
  block_rq_insert: { kind: KIND.insert, fields: BLOCK_RQ },
  block_rq_issue: { kind: KIND.issue, fields: BLOCK_RQ },
  block_rq_merge: { kind: KIND.rqMerge, fields: BLOCK_RQ },
  block_rq_requeue: { kind: KIND.requeue, fields: BLOCK_RQ },
  block_rq_complete: { kind: KIND.complete, fields: BLOCK_RQ },
  block_plug: { kind: KIND.plug, fields: [] },
  block_unplug: { kind: KIND.plug, fields: [] },
  blk_mq_end_request: { kind: KIND.endProbe, fields: ['tag'] },
  blk_mq_requeue_request: { kind: KIND.endProbe, fields: ['tag'] },
  blk_mq_get_driver_tag: { kind: KIND.tagBitmap, fields: ['major', 'minor', 'qid', 'tag', 'sector', 'len'] },
  blk_mq_put_driver_tag: { kind: KIND.tagBitmap, fields: ['major', 'minor', 'qid', 'tag', 'sector', 'len'] },
  ublk_queue_rq: { kind: KIND.queueRq, fields: ['qid', 'tag', 'sector', 'len', 'flags'] },
  ublk_prep_req: { kind: KIND.driverStart, fields: ['qid', 'tag'] },
  ublk_queue_cmd: { kind: KIND.bareProbe, fields: [] },
  ublk_dispatch_req: { kind: KIND.tagProbe, fields: ['qid', 'tag'] },
  ublk_rq_task_work: { kind: KIND.tagProbe, fields: ['qid', 'tag'] },
  ublk_start_io: { kind: KIND.tagProbe, fields: ['qid', 'tag'] },
  ublk_map_io: { kind: KIND.tagProbe, fields: ['qid', 'tag'] },
  ublk_unmap_io: { kind: KIND.tagProbe, fields: ['qid', 'tag'] },
  ublk_complete_rq: { kind: KIND.tagProbe, fields: ['qid', 'tag'] },
  ublk_commit_completion: { kind: KIND.tagProbe, fields: ['qid', 'tag'] },
  ublk_fail_req: { kind: KIND.tagProbe, fields: ['qid', 'tag'] },
  ublk_abort_rq: { kind: KIND.tagProbe, fields: ['qid', 'tag'] },
  ublk_map_io_ret: { kind: KIND.bareProbe, fields: [] },
  ublk_unmap_io_ret: { kind: KIND.bareProbe, fields: [] },
  ublk_io_release: { kind: KIND.bareProbe, fields: [] },
  ublk_user_copy: { kind: KIND.bareProbe, fields: [] },
  io_uring_cmd_done: { kind: KIND.bareProbe, fields: [] },
  ublk_copy_user_pages: { kind: KIND.copyProbe, fields: ['qid', 'tag'] },
  ublk_copy_user_pages_isra_0: { kind: KIND.copyProbe, fields: ['qid', 'tag'] },
  ublk_queue_rqs: { kind: KIND.twCallback, fields: [] },
  ublk_cmd_tw_cb: { kind: KIND.twCallback, fields: [] },
  ublk_cmd_list_tw_cb: { kind: KIND.twCallback, fields: [] },
  ublk_rq_task_work_cb: { kind: KIND.twCallback, fields: [] },
  ublk_ch_uring_cmd: { kind: KIND.uringCmd, fields: ['q_id', 'tag', 'op', 'issue_flags', 'addr'] },
  ublk_ch_uring_cmd_ret: { kind: KIND.uringCmdRet, fields: [] },
  ublk_ch_read_iter: { kind: KIND.posProbe, fields: ['pos'] },
  ublk_ch_write_iter: { kind: KIND.posProbe, fields: ['pos'] },
  page_fill: { kind: KIND.fact, fields: ['qid', 'tag'] },
  page_expose: { kind: KIND.fact, fields: ['qid', 'tag'] },
  ublk_splice_read: { kind: KIND.spliceTag, fields: ['pos', 'tag'] },
  ublk_handled: { kind: KIND.spliceTag, fields: ['pos', 'tag'] },
  io_wq_submit_work: { kind: KIND.workStart, fields: [] },
  io_uring_create: { kind: KIND.create, fields: ['ring'] },
  io_uring_submit_sqe: { kind: KIND.submit, fields: SQE },
  io_uring_submit_req: { kind: KIND.submit, fields: SQE },
  io_uring_complete: { kind: KIND.cqe, fields: SQE },
  io_uring_queue_async_work: { kind: KIND.sqeEvent, fields: SQE },
  io_uring_file_get: { kind: KIND.sqeEvent, fields: SQE },
  io_uring_poll_arm: { kind: KIND.sqeEvent, fields: SQE },
  io_uring_task_add: { kind: KIND.sqeEvent, fields: SQE },
  io_uring_defer: { kind: KIND.sqeEvent, fields: SQE },
  io_uring_fail_link: { kind: KIND.sqeEvent, fields: SQE },
  io_uring_req_failed: { kind: KIND.reqFailed, fields: SQE },
  io_uring_link: { kind: KIND.link, fields: ['ring', 'req', 'target'] },
  io_uring_task_work_run: { kind: KIND.taskWork, fields: ['count'] },
  io_uring_local_work_run: { kind: KIND.taskWork, fields: ['count'] },
  io_uring_cqring_wait: { kind: KIND.pause, fields: [] },
  sys_enter_io_uring_enter: { kind: KIND.pause, fields: [] },
  sys_exit_io_uring_enter: { kind: KIND.pause, fields: [] },
  io_uring_get_sqe: { kind: KIND.getSqe, fields: ['ring', 'user_data'] },
  fuse_request_send: { kind: KIND.fuseSend, fields: ['connection', 'unique', 'opname', 'len'] },
  fuse_request_end: { kind: KIND.fuseEnd, fields: ['connection', 'unique', 'error', 'len'] },
};

/** Field indices kept per shape. */
export const FIELDS = 8;

/** Kind and field indices of every shape of a trace, resolved once; a missing field has index -1. */
export class ShapePlans {
  readonly kind: Uint8Array;
  readonly field: Int8Array;
  /** Bit 1: a punt, bit 2: a file lookup, bit 4: merge in front, bit 8: release of a tag, bit 16: a probe that copies. */
  readonly detail: Uint8Array;

  constructor(trace: Trace) {
    const n = trace.shapes.size;
    this.kind = new Uint8Array(n);
    this.field = new Int8Array(n * FIELDS).fill(-1);
    this.detail = new Uint8Array(n);
    for (let id = 0; id < n; id++) {
      const shape = trace.shapes.get(id);
      if (shape.raw) continue;
      const plan = Object.hasOwn(PLANS, shape.name) ? PLANS[shape.name] : undefined;
      const splice = shape.spec?.system === 'splice';
      if (!plan && !splice) continue;
      const kind = plan?.kind ?? KIND.spliceProbe;
      plan?.fields.forEach((name, k) => {
        this.field[id * FIELDS + k] = shape.fields.get(name) ?? -1;
      });
      if (!complete(kind, this.field, id)) continue;
      this.kind[id] = kind;
      this.detail[id] = detailOf(shape.name);
    }
  }
}

/** Whether the fields without which an event of this kind means nothing are there. */
function complete(kind: number, field: Int8Array, id: number): boolean {
  const at = id * FIELDS;
  if (kind >= KIND.bioQueue && kind <= KIND.complete)
    return field[at] >= 0 && field[at + 1] >= 0 && field[at + 3] >= 0;
  if (kind === KIND.queueRq) return field[at] >= 0 && field[at + 1] >= 0 && field[at + 2] >= 0;
  if (kind === KIND.submit || kind === KIND.cqe || kind === KIND.sqeEvent || kind === KIND.reqFailed) {
    return field[at] >= 0 && field[at + 1] >= 0 && field[at + 2] >= 0;
  }
  if (kind === KIND.fuseSend || kind === KIND.fuseEnd || kind === KIND.link) return field[at + 1] >= 0;
  if (kind === KIND.create || kind === KIND.posProbe) return field[at] >= 0;
  return true;
}

function detailOf(name: string): number {
  switch (name) {
    case 'io_uring_queue_async_work':
      return 1;
    case 'io_uring_file_get':
      return 2;
    case 'block_bio_frontmerge':
      return 4;
    case 'blk_mq_put_driver_tag':
      return 8;
    case 'ublk_map_io':
    case 'ublk_unmap_io':
      return 0;
    case 'blk_mq_requeue_request':
      return 16;
    default:
      return 0;
  }
}

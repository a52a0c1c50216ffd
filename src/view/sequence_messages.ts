import type { Place } from './sequence_actors';
import type { EventWords } from './sequence_words';

/** How an event is drawn: between which places, and with which words. Without `to` it happens within one place. */
export interface MessageRule {
  readonly from: Place;
  readonly to?: Place;
  readonly label: (w: EventWords) => string;
}

const RETURNS = (from: Place, to?: Place, what = 'returns'): MessageRule => ({
  from,
  to,
  label: (w) => `${what} ${w.result('ret')}`,
});
const HERE = (label: (w: EventWords) => string): MessageRule => ({ from: 'here', label });

/** Events of rings and workers. */
const RING: Readonly<Record<string, MessageRule>> = {
  io_uring_create: {
    from: 'here',
    to: 'ring',
    label: (w) => `ring with ${w.show('sq_entries')} SQ, ${w.show('cq_entries')} CQ entries`,
  },
  io_uring_register: { from: 'here', to: 'ring', label: () => 'registers files or buffers' },
  io_uring_get_sqe: { from: 'here', to: 'ring', label: (w) => `fills SQE: ${w.sqe()}` },
  io_uring_submit_sqe: { from: 'here', to: 'ring', label: (w) => `SQE ${w.sqe()}` },
  io_uring_submit_req: { from: 'here', to: 'ring', label: (w) => `SQE ${w.sqe()}` },
  io_uring_file_get: HERE((w) => `looks up fd ${w.show('fd')}`),
  io_uring_queue_async_work: { from: 'ring', to: 'io-wq', label: (w) => `punt: ${w.sqe()}` },
  io_queue_iowq: { from: 'ring', to: 'io-wq', label: () => 'punt to io-wq' },
  io_uring_defer: { from: 'ring', label: (w) => `drain: ${w.sqe()} waits` },
  io_uring_link: { from: 'ring', label: () => 'linked to the one before' },
  io_uring_fail_link: { from: 'ring', label: (w) => `link broken: ${w.sqe()}` },
  io_uring_req_failed: { from: 'ring', to: 'here', label: (w) => `refused: ${w.result('error')}` },
  io_uring_cqring_wait: HERE(
    (w) => `sleeps for ${w.show('min_events')} CQE${w.num('min_events') === 1 ? '' : 's'}`,
  ),
  io_uring_complete: { from: 'here', to: 'ring', label: (w) => `CQE ${w.sqe()}: ${w.result('result')}` },
  io_uring_cqe_overflow: {
    from: 'here',
    to: 'ring',
    label: (w) => `CQ full, overflow: ${w.result('result')}`,
  },
  io_uring_poll_arm: { from: 'ring', label: (w) => `${w.sqe()} waits for the file` },
  io_uring_task_add: { from: 'here', to: 'daemon', label: (w) => `wakes: task work for ${w.sqe()}` },
  io_uring_task_work_run: HERE((w) => `runs task work (${w.show('count')})`),
  io_uring_local_work_run: HERE((w) => `runs task work (${w.show('count')})`),
  io_uring_short_write: HERE((w) => `short write: ${w.show('got')} of ${w.show('wanted')}`),
  io_wq_submit_work: HERE(() => 'takes the next piece of work'),
  io_req_task_submit: HERE(() => 'task work issues a request'),
  io_uring_cmd_done: { from: 'driver', to: 'ring', label: (w) => `command done: ${w.result('ret')}` },
  sys_enter_io_uring_setup: { from: 'here', to: 'ring', label: () => 'io_uring_setup' },
  sys_exit_io_uring_setup: { from: 'ring', to: 'here', label: () => 'ring is set up' },
  sys_enter_io_uring_register: { from: 'here', to: 'ring', label: () => 'io_uring_register' },
  sys_exit_io_uring_register: { from: 'ring', to: 'here', label: () => 'registered' },
  sys_enter_io_uring_enter: {
    from: 'here',
    to: 'ring',
    label: (w) => `io_uring_enter: submit ${w.show('to_submit')}, wait ${w.show('min_complete')}`,
  },
  sys_exit_io_uring_enter: { from: 'ring', to: 'here', label: (w) => `enter returns ${w.result('ret')}` },
  io_uring_cq_advance: {
    from: 'ring',
    to: 'here',
    label: (w) => `reaped ${w.show('count')} CQE${w.num('count') === 1 ? '' : 's'}`,
  },
};

/** Events of the ublk driver and of FUSE. */
const DRIVER: Readonly<Record<string, MessageRule>> = {
  ublk_queue_rq: { from: 'here', to: 'driver', label: (w) => `queue_rq ${w.tag()}, ${w.size('len')}` },
  ublk_queue_rqs: { from: 'here', to: 'driver', label: () => 'queue_rqs: a whole plug list' },
  ublk_prep_req: { from: 'driver', label: (w) => `fills descriptor, ${w.tag()}` },
  ublk_queue_cmd: { from: 'driver', to: 'daemon', label: (w) => `kick: ${w.tag()} is queued` },
  ublk_rq_task_work: { from: 'driver', to: 'daemon', label: (w) => `delivers ${w.tag()}` },
  ublk_rq_task_work_cb: { from: 'driver', to: 'daemon', label: () => 'task work: takes the list' },
  ublk_dispatch_req: { from: 'driver', to: 'daemon', label: (w) => `delivers ${w.tag()}` },
  ublk_cmd_tw_cb: { from: 'driver', to: 'daemon', label: () => 'task work for one request' },
  ublk_cmd_list_tw_cb: { from: 'driver', to: 'daemon', label: () => 'task work for a list' },
  ublk_map_io: { from: 'here', to: 'driver', label: (w) => `map ${w.tag()}` },
  ublk_map_io_ret: RETURNS('driver', 'here', 'ready:'),
  ublk_start_io: { from: 'here', to: 'driver', label: (w) => `start ${w.tag()}` },
  ublk_unmap_io: { from: 'here', to: 'driver', label: (w) => `unmap ${w.tag()}` },
  ublk_unmap_io_ret: RETURNS('driver', 'here', 'done:'),
  ublk_copy_user_pages: {
    from: 'driver',
    to: 'daemon',
    label: (w) =>
      w.num('len') === undefined
        ? 'copies payload'
        : w.num('to_server') === 0
          ? `copies ${w.size('len')} from server`
          : `copies ${w.size('len')} to server`,
  },
  ublk_copy_user_pages_isra_0: { from: 'driver', to: 'daemon', label: () => 'copies payload' },
  ublk_user_copy: { from: 'daemon', to: 'driver', label: () => 'server copies payload' },
  ublk_ch_read_iter: { from: 'here', to: 'driver', label: (w) => `pread payload, ${w.size('count')}` },
  ublk_ch_write_iter: { from: 'here', to: 'driver', label: (w) => `pwrite payload, ${w.size('count')}` },
  ublk_ch_uring_cmd: {
    from: 'ring',
    to: 'driver',
    label: (w) =>
      `${w.driverCommand()} ${w.tag()}${w.driverCommand() === 'COMMIT_AND_FETCH' ? `, result ${w.result('result')}` : ''}`,
  },
  ublk_ch_uring_cmd_ret: {
    from: 'driver',
    to: 'ring',
    label: (w) => (w.num('ret') === -529 ? 'parked: answer comes later' : `answers ${w.result('ret')}`),
  },
  ublk_commit_completion: { from: 'driver', label: (w) => `commits ${w.tag()}: ${w.result('result')}` },
  ublk_complete_rq: { from: 'driver', label: (w) => `ends the request of ${w.tag()}` },
  ublk_fail_req: { from: 'driver', label: (w) => `fails ${w.tag()}` },
  ublk_abort_rq: { from: 'driver', label: (w) => `aborts ${w.tag()}` },
  ublk_cancel_cmd: { from: 'ring', to: 'driver', label: (w) => `cancels ${w.tag()}` },
  ublk_io_release: { from: 'driver', label: () => 'buffer of the request released' },
  ublk_mark_io_ready: { from: 'driver', label: () => 'one more slot is armed' },
  ublk_ctrl_uring_cmd: { from: 'here', to: 'driver', label: (w) => w.driverCommand() },
  ublk_dev_state: { from: 'driver', label: (w) => `device ${w.show('dev_id')}: ${w.str('state')}` },
  ublk_ch_open: { from: 'here', to: 'driver', label: () => 'opens /dev/ublkcN' },
  ublk_ch_release: { from: 'here', to: 'driver', label: () => 'last reference is gone' },
  ublk_stop_dev: { from: 'here', to: 'driver', label: () => 'stop device' },
  ublk_cancel_dev: { from: 'here', to: 'driver', label: () => 'cancel parked commands' },
  page_expose: {
    from: 'driver',
    to: 'client',
    label: (w) => `${w.size('length')} become visible, ${w.size('filled')} filled`,
  },
  fuse_request_send: { from: 'here', to: 'fuse', label: (w) => w.str('opname') },
  fuse_request_end: { from: 'fuse', to: 'client', label: (w) => `answer: ${w.result('error')}` },
};

/** Events of the splice path. */
const SPLICE: Readonly<Record<string, MessageRule>> = {
  io_splice: HERE(() => 'SPLICE runs'),
  do_splice: HERE((w) => `splice ${w.size('len')}`),
  do_splice_direct: HERE((w) => `WRITE by splice, ${w.size('len')}`),
  do_splice_direct_rc: HERE((w) => `READ by splice, ${w.size('len')}`),
  splice_direct_to_actor: HERE(() => 'loop: fill pipe, empty pipe'),
  do_splice_to: HERE((w) =>
    w.num('consumer') === undefined
      ? 'half a round'
      : w.num('consumer') === 0
        ? 'fill the pipe'
        : 'the file reads into the pipe',
  ),
  ublk_splice_read: {
    from: 'here',
    to: 'driver',
    label: (w) => `asks for pages: ${w.splicePlace()}, ${w.size('len')}`,
  },
  ublk_splice_read_ret: RETURNS('driver', 'here', 'pages:'),
  ublk_handled: {
    from: 'driver',
    label: (w) => `handled ${w.size('handled_after_add')} of ${w.size('rq_bytes')}`,
  },
  add_to_pipe: { from: 'driver', to: 'pipe', label: (w) => `${w.page()} (refs ${w.show('page_refs')})` },
  ublk_pipe_buf_release: { from: 'pipe', to: 'driver', label: (w) => `lets go of ${w.page()}` },
  actor_read_consumer: HERE(() => 'empty the pipe: read into it'),
  actor_write: HERE(() => 'empty the pipe: write from it'),
  generic_file_splice_read: {
    from: 'here',
    to: 'pipe',
    label: (w) => `file reads into the pages${w.num('len') === undefined ? '' : `, ${w.size('len')}`}`,
  },
  iter_file_splice_write: {
    from: 'here',
    to: 'pipe',
    label: (w) => `file writes from the pages${w.num('len') === undefined ? '' : `, ${w.size('len')}`}`,
  },
  splice_dismiss_pipe: { from: 'pipe', label: (w) => `${w.size('bytes')} consumed` },
  alloc_pipe_info: { from: 'here', to: 'pipe', label: () => 'makes a pipe' },
  alloc_pipe_info_ret: { from: 'pipe', to: 'here', label: () => 'new pipe' },
  free_pipe_info: { from: 'here', to: 'pipe', label: () => 'frees the pipe' },
};

/** Events of clients. */
const CLIENT: Readonly<Record<string, MessageRule>> = {
  session_command: HERE((w) => `$ ${w.str('text')}`),
  session_command_done: HERE((w) => `exit status ${w.show('status')}`),
  command_output: HERE((w) => `prints: ${w.str('text')}`),
  app_io_submit: HERE((w) => `${w.str('op')} ${w.size('length')} @ ${w.size('offset')}`),
  app_io_done: { from: 'client', label: (w) => `has ${w.result('result')}` },
};

/** Block events of a ublk disk. */
const SERVED: Readonly<Record<string, MessageRule>> = {
  block_bio_queue: HERE((w) => `bio ${w.block()}`),
  block_getrq: HERE((w) => `request ${w.block()}`),
  block_rq_insert: { from: 'here', to: 'kworker', label: (w) => `queued: ${w.block()}` },
  blk_mq_get_driver_tag: HERE((w) => `gets ${w.tag()}`),
  block_rq_issue: HERE((w) => `started: ${w.block()}`),
  block_rq_requeue: { from: 'driver', to: 'kworker', label: (w) => `requeued: ${w.block()}` },
  block_rq_complete: {
    from: 'driver',
    to: 'client',
    label: (w) => `done: ${w.block()}${w.num('error') === 0 ? '' : `, ${w.result('error')}`}`,
  },
  block_rq_error: { from: 'driver', to: 'client', label: (w) => `failed: ${w.result('error')}` },
  blk_mq_end_request: { from: 'driver', label: (w) => `end of ${w.tag()}` },
  blk_mq_put_driver_tag: { from: 'driver', label: (w) => `${w.tag()} is free` },
  blk_mq_requeue_request: { from: 'driver', label: (w) => `${w.tag()} goes back` },
};

/** Block events of a disk below. */
const BACKING: Readonly<Record<string, MessageRule>> = {
  block_bio_queue: HERE((w) => `bio for disk ${w.disk()}`),
  block_getrq: HERE(() => 'request for the disk'),
  block_rq_insert: HERE(() => 'into the scheduler'),
  blk_mq_get_driver_tag: HERE(() => 'driver tag of the disk'),
  block_rq_issue: { from: 'here', to: 'disk', label: (w) => `${w.block()} to disk ${w.disk()}` },
  block_rq_complete: {
    from: 'disk',
    to: 'io-wq',
    label: (w) => `disk done: ${w.block()}${w.num('error') === 0 ? '' : `, ${w.result('error')}`}`,
  },
  block_rq_error: { from: 'disk', to: 'io-wq', label: (w) => `disk failed: ${w.result('error')}` },
  blk_mq_end_request: { from: 'disk', label: () => 'end at the disk' },
  blk_mq_put_driver_tag: { from: 'disk', label: () => 'tag of the disk is free' },
};

const COMMON: Readonly<Record<string, MessageRule>> = { ...RING, ...DRIVER, ...SPLICE, ...CLIENT };

/** The driver's copy fills pages from the server's buffer, everything else fills them from a file. */
function fillRule(source: string): MessageRule {
  const label = (w: EventWords): string => `${w.size('length')} of data from ${w.str('source')}`;
  return source.startsWith('server')
    ? { from: 'daemon', to: 'driver', label }
    : { from: 'disk', to: 'pipe', label };
}

/** How an event is drawn. `disk` tells whose a block event is; events without a rule stand in their context. */
export function messageRule(name: string, disk: 'served' | 'backing', source = ''): MessageRule {
  if (name === 'page_fill') return fillRule(source);
  const table = disk === 'served' ? SERVED : BACKING;
  if (Object.hasOwn(table, name)) return table[name];
  if (Object.hasOwn(COMMON, name)) return COMMON[name];
  if (name === 'block_plug') return HERE(() => 'starts a plug');
  if (name === 'block_unplug') return HERE((w) => `unplugs ${w.show('nr_rq')}`);
  if (name.endsWith('_ret')) return HERE((w) => `${name.slice(0, -4)} returns ${w.result('ret')}`);
  return HERE(() => name);
}

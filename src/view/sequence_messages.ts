import type { Translate } from './machine_names';
import type { Place } from './sequence_actors';
import type { EventWords } from './sequence_words';

/** How an event is drawn: between which places, and with which words. Without `to` it happens within one place. */
export interface MessageRule {
  readonly from: Place;
  readonly to?: Place;
  readonly label: (w: EventWords, t: Translate) => string;
}

const HERE = (label: MessageRule['label']): MessageRule => ({ from: 'here', label });

/** Events of rings and workers. */
const RING: Readonly<Record<string, MessageRule>> = {
  io_uring_create: {
    from: 'here',
    to: 'ring',
    label: (w, t) => t('ring with {0} SQ, {1} CQ entries', w.show('sq_entries'), w.show('cq_entries')),
  },
  io_uring_register: { from: 'here', to: 'ring', label: (_, t) => t('registers files or buffers') },
  io_uring_get_sqe: { from: 'here', to: 'ring', label: (w, t) => t('fills SQE: {0}', w.sqe()) },
  io_uring_submit_sqe: { from: 'here', to: 'ring', label: (w) => `SQE ${w.sqe()}` },
  io_uring_submit_req: { from: 'here', to: 'ring', label: (w) => `SQE ${w.sqe()}` },
  io_uring_file_get: HERE((w, t) => t('looks up fd {0}', w.show('fd'))),
  io_uring_queue_async_work: { from: 'ring', to: 'io-wq', label: (w, t) => t('punt: {0}', w.sqe()) },
  io_queue_iowq: { from: 'ring', to: 'io-wq', label: (_, t) => t('punt to io-wq') },
  io_uring_defer: { from: 'ring', label: (w, t) => t('drain: {0} waits', w.sqe()) },
  io_uring_link: { from: 'ring', label: (_, t) => t('linked to the one before') },
  io_uring_fail_link: { from: 'ring', label: (w, t) => t('link broken: {0}', w.sqe()) },
  io_uring_req_failed: { from: 'ring', to: 'here', label: (w, t) => t('refused: {0}', w.result('error')) },
  io_uring_cqring_wait: HERE((w, t) =>
    w.num('min_events') === 1 ? t('sleeps for 1 CQE') : t('sleeps for {0} CQEs', w.show('min_events')),
  ),
  io_uring_complete: { from: 'here', to: 'ring', label: (w) => `CQE ${w.sqe()}: ${w.result('result')}` },
  io_uring_cqe_overflow: {
    from: 'here',
    to: 'ring',
    label: (w, t) => t('CQ full, overflow: {0}', w.result('result')),
  },
  io_uring_poll_arm: { from: 'ring', label: (w, t) => t('{0} waits for the file', w.sqe()) },
  io_uring_task_add: { from: 'here', to: 'daemon', label: (w, t) => t('wakes: task work for {0}', w.sqe()) },
  io_uring_task_work_run: HERE((w, t) => t('runs task work ({0})', w.show('count'))),
  io_uring_local_work_run: HERE((w, t) => t('runs task work ({0})', w.show('count'))),
  io_uring_short_write: HERE((w, t) => t('short write: {0} of {1}', w.show('got'), w.show('wanted'))),
  io_wq_submit_work: HERE((_, t) => t('takes the next piece of work')),
  io_req_task_submit: HERE((_, t) => t('task work issues a request')),
  io_uring_cmd_done: { from: 'driver', to: 'ring', label: (w, t) => t('command done: {0}', w.result('ret')) },
  sys_enter_io_uring_setup: { from: 'here', to: 'ring', label: () => 'io_uring_setup' },
  sys_exit_io_uring_setup: { from: 'ring', to: 'here', label: (_, t) => t('ring is set up') },
  sys_enter_io_uring_register: { from: 'here', to: 'ring', label: () => 'io_uring_register' },
  sys_exit_io_uring_register: { from: 'ring', to: 'here', label: (_, t) => t('registered') },
  sys_enter_io_uring_enter: {
    from: 'here',
    to: 'ring',
    label: (w, t) => t('io_uring_enter: submit {0}, wait {1}', w.show('to_submit'), w.show('min_complete')),
  },
  sys_exit_io_uring_enter: {
    from: 'ring',
    to: 'here',
    label: (w, t) => t('enter returns {0}', w.result('ret')),
  },
  io_uring_cq_advance: {
    from: 'ring',
    to: 'here',
    label: (w, t) => (w.num('count') === 1 ? t('reaped 1 CQE') : t('reaped {0} CQEs', w.show('count'))),
  },
};

/** Events of the ublk driver and of FUSE. */
const DRIVER: Readonly<Record<string, MessageRule>> = {
  ublk_queue_rq: {
    from: 'here',
    to: 'driver',
    label: (w, t) => t('queue_rq {0}, {1}', w.tag(), w.size('len')),
  },
  ublk_queue_rqs: { from: 'here', to: 'driver', label: (_, t) => t('queue_rqs: a whole plug list') },
  ublk_prep_req: { from: 'driver', label: (w, t) => t('fills descriptor, {0}', w.tag()) },
  ublk_queue_cmd: { from: 'driver', to: 'daemon', label: (w, t) => t('kick: {0} is queued', w.tag()) },
  ublk_rq_task_work: { from: 'driver', to: 'daemon', label: (w, t) => t('delivers {0}', w.tag()) },
  ublk_rq_task_work_cb: { from: 'driver', to: 'daemon', label: (_, t) => t('task work: takes the list') },
  ublk_dispatch_req: { from: 'driver', to: 'daemon', label: (w, t) => t('delivers {0}', w.tag()) },
  ublk_cmd_tw_cb: { from: 'driver', to: 'daemon', label: (_, t) => t('task work for one request') },
  ublk_cmd_list_tw_cb: { from: 'driver', to: 'daemon', label: (_, t) => t('task work for a list') },
  ublk_map_io: { from: 'here', to: 'driver', label: (w, t) => t('map {0}', w.tag()) },
  ublk_map_io_ret: { from: 'driver', to: 'here', label: (w, t) => t('ready: {0}', w.result('ret')) },
  ublk_start_io: { from: 'here', to: 'driver', label: (w, t) => t('start {0}', w.tag()) },
  ublk_unmap_io: { from: 'here', to: 'driver', label: (w, t) => t('unmap {0}', w.tag()) },
  ublk_unmap_io_ret: { from: 'driver', to: 'here', label: (w, t) => t('done: {0}', w.result('ret')) },
  ublk_copy_user_pages: {
    from: 'driver',
    to: 'daemon',
    label: (w, t) =>
      w.num('len') === undefined
        ? t('copies payload')
        : w.num('to_server') === 0
          ? t('copies {0} from server', w.size('len'))
          : t('copies {0} to server', w.size('len')),
  },
  ublk_copy_user_pages_isra_0: { from: 'driver', to: 'daemon', label: (_, t) => t('copies payload') },
  ublk_user_copy: { from: 'daemon', to: 'driver', label: (_, t) => t('server copies payload') },
  ublk_ch_read_iter: {
    from: 'here',
    to: 'driver',
    label: (w, t) => t('pread payload, {0}', w.size('count')),
  },
  ublk_ch_write_iter: {
    from: 'here',
    to: 'driver',
    label: (w, t) => t('pwrite payload, {0}', w.size('count')),
  },
  ublk_ch_uring_cmd: {
    from: 'ring',
    to: 'driver',
    label: (w, t) =>
      w.driverCommand() === 'COMMIT_AND_FETCH'
        ? t('{0} {1}, result {2}', w.driverCommand(), w.tag(), w.result('result'))
        : `${w.driverCommand()} ${w.tag()}`,
  },
  ublk_ch_uring_cmd_ret: {
    from: 'driver',
    to: 'ring',
    label: (w, t) =>
      w.num('ret') === -529 ? t('parked: answer comes later') : t('answers {0}', w.result('ret')),
  },
  ublk_commit_completion: {
    from: 'driver',
    label: (w, t) => t('commits {0}: {1}', w.tag(), w.result('result')),
  },
  ublk_complete_rq: { from: 'driver', label: (w, t) => t('ends the request of {0}', w.tag()) },
  ublk_fail_req: { from: 'driver', label: (w, t) => t('fails {0}', w.tag()) },
  ublk_abort_rq: { from: 'driver', label: (w, t) => t('aborts {0}', w.tag()) },
  ublk_cancel_cmd: { from: 'ring', to: 'driver', label: (w, t) => t('cancels {0}', w.tag()) },
  ublk_io_release: { from: 'driver', label: (_, t) => t('buffer of the request released') },
  ublk_mark_io_ready: { from: 'driver', label: (_, t) => t('one more slot is armed') },
  ublk_ctrl_uring_cmd: { from: 'here', to: 'driver', label: (w) => w.driverCommand() },
  ublk_dev_state: { from: 'driver', label: (w, t) => t('device {0}: {1}', w.show('dev_id'), w.str('state')) },
  ublk_ch_open: { from: 'here', to: 'driver', label: (_, t) => t('opens /dev/ublkcN') },
  sched_process_exit: HERE((_, t) => t('this thread ends')),
  ublk_ch_release: { from: 'here', to: 'driver', label: (_, t) => t('last reference is gone') },
  ublk_stop_dev: { from: 'here', to: 'driver', label: (_, t) => t('stop device') },
  ublk_cancel_dev: { from: 'here', to: 'driver', label: (_, t) => t('cancel parked commands') },
  page_expose: {
    from: 'driver',
    to: 'client',
    label: (w, t) => t('{0} become visible, {1} filled', w.size('length'), w.size('filled')),
  },
  fuse_request_send: { from: 'here', to: 'fuse', label: (w) => w.str('opname') },
  fuse_request_end: { from: 'fuse', to: 'client', label: (w, t) => t('answer: {0}', w.result('error')) },
};

/** Events of the splice path. */
const SPLICE: Readonly<Record<string, MessageRule>> = {
  io_splice: HERE((_, t) => t('SPLICE runs')),
  do_splice: HERE((w, t) => t('splice {0}', w.size('len'))),
  do_splice_direct: HERE((w, t) => t('WRITE by splice, {0}', w.size('len'))),
  do_splice_direct_rc: HERE((w, t) => t('READ by splice, {0}', w.size('len'))),
  splice_direct_to_actor: HERE((_, t) => t('loop: fill pipe, empty pipe')),
  do_splice_to: HERE((w, t) =>
    w.num('consumer') === undefined
      ? t('half a round')
      : w.num('consumer') === 0
        ? t('fill the pipe')
        : t('the file reads into the pipe'),
  ),
  ublk_splice_read: {
    from: 'here',
    to: 'driver',
    label: (w, t) => t('asks for pages: {0}, {1}', w.splicePlace(), w.size('len')),
  },
  ublk_splice_read_ret: { from: 'driver', to: 'here', label: (w, t) => t('pages: {0}', w.result('ret')) },
  ublk_handled: {
    from: 'driver',
    label: (w, t) => t('handled {0} of {1}', w.size('handled_after_add'), w.size('rq_bytes')),
  },
  add_to_pipe: {
    from: 'driver',
    to: 'pipe',
    label: (w, t) => t('{0} (refs {1})', w.page(), w.show('page_refs')),
  },
  ublk_pipe_buf_release: { from: 'pipe', to: 'driver', label: (w, t) => t('lets go of {0}', w.page()) },
  actor_read_consumer: HERE((_, t) => t('empty the pipe: read into it')),
  actor_write: HERE((_, t) => t('empty the pipe: write from it')),
  generic_file_splice_read: {
    from: 'here',
    to: 'pipe',
    label: (w, t) =>
      w.num('len') === undefined
        ? t('file reads into the pages')
        : t('file reads into the pages, {0}', w.size('len')),
  },
  iter_file_splice_write: {
    from: 'here',
    to: 'pipe',
    label: (w, t) =>
      w.num('len') === undefined
        ? t('file writes from the pages')
        : t('file writes from the pages, {0}', w.size('len')),
  },
  splice_dismiss_pipe: { from: 'pipe', label: (w, t) => t('{0} consumed', w.size('bytes')) },
  alloc_pipe_info: { from: 'here', to: 'pipe', label: (_, t) => t('makes a pipe') },
  alloc_pipe_info_ret: { from: 'pipe', to: 'here', label: (_, t) => t('new pipe') },
  free_pipe_info: { from: 'here', to: 'pipe', label: (_, t) => t('frees the pipe') },
};

/** Events of clients. */
const CLIENT: Readonly<Record<string, MessageRule>> = {
  session_command: HERE((w) => `$ ${w.str('text')}`),
  session_command_done: HERE((w, t) => t('exit status {0}', w.show('status'))),
  command_output: HERE((w, t) => t('prints: {0}', w.str('text'))),
  app_io_submit: HERE((w) => `${w.str('op')} ${w.size('length')} @ ${w.size('offset')}`),
  app_io_done: { from: 'client', label: (w, t) => t('has {0}', w.result('result')) },
};

/** Block events of a ublk disk. */
const SERVED: Readonly<Record<string, MessageRule>> = {
  block_bio_queue: HERE((w, t) => t('bio {0}', w.block())),
  block_getrq: HERE((w, t) => t('request {0}', w.block())),
  block_rq_insert: { from: 'here', to: 'kworker', label: (w, t) => t('queued: {0}', w.block()) },
  blk_mq_get_driver_tag: HERE((w, t) => t('gets {0}', w.tag())),
  block_rq_issue: HERE((w, t) => t('started: {0}', w.block())),
  block_rq_requeue: { from: 'driver', to: 'kworker', label: (w, t) => t('requeued: {0}', w.block()) },
  block_rq_complete: {
    from: 'driver',
    to: 'client',
    label: (w, t) =>
      w.num('error') === 0 ? t('done: {0}', w.block()) : t('done: {0}, {1}', w.block(), w.result('error')),
  },
  block_rq_error: { from: 'driver', to: 'client', label: (w, t) => t('failed: {0}', w.result('error')) },
  blk_mq_end_request: { from: 'driver', label: (w, t) => t('end of {0}', w.tag()) },
  blk_mq_put_driver_tag: { from: 'driver', label: (w, t) => t('{0} is free', w.tag()) },
  blk_mq_requeue_request: { from: 'driver', label: (w, t) => t('{0} goes back', w.tag()) },
};

/** Block events of a disk below. */
const BACKING: Readonly<Record<string, MessageRule>> = {
  block_bio_queue: HERE((w, t) => t('bio for disk {0}', w.disk())),
  block_getrq: HERE((_, t) => t('request for the disk')),
  block_rq_insert: HERE((_, t) => t('into the scheduler')),
  blk_mq_get_driver_tag: HERE((_, t) => t('driver tag of the disk')),
  block_rq_issue: { from: 'here', to: 'disk', label: (w, t) => t('{0} to disk {1}', w.block(), w.disk()) },
  block_rq_complete: {
    from: 'disk',
    to: 'io-wq',
    label: (w, t) =>
      w.num('error') === 0
        ? t('disk done: {0}', w.block())
        : t('disk done: {0}, {1}', w.block(), w.result('error')),
  },
  block_rq_error: { from: 'disk', to: 'io-wq', label: (w, t) => t('disk failed: {0}', w.result('error')) },
  blk_mq_end_request: { from: 'disk', label: (_, t) => t('end at the disk') },
  blk_mq_put_driver_tag: { from: 'disk', label: (_, t) => t('tag of the disk is free') },
};

const COMMON: Readonly<Record<string, MessageRule>> = { ...RING, ...DRIVER, ...SPLICE, ...CLIENT };

/** The driver's copy fills pages from the server's buffer, everything else fills them from a file. */
function fillRule(source: string): MessageRule {
  const label: MessageRule['label'] = (w, t) => t('{0} of data from {1}', w.size('length'), w.str('source'));
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
  if (name === 'block_plug') return HERE((_, t) => t('starts a plug'));
  if (name === 'block_unplug') return HERE((w, t) => t('unplugs {0}', w.show('nr_rq')));
  if (name.endsWith('_ret')) return HERE((w, t) => t('{0} returns {1}', name.slice(0, -4), w.result('ret')));
  return HERE(() => name);
}

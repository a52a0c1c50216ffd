/** Where a context begins to run: what it does next was brought about by it. */
export const CONTEXT_STARTS: readonly string[] = [
  'io_wq_submit_work',
  'ublk_rq_task_work',
  'ublk_rq_task_work_cb',
  'ublk_dispatch_req',
  'ublk_cmd_tw_cb',
  'ublk_cmd_list_tw_cb',
  'ublk_daemon_monitor_work',
  'ublk_stop_work_fn',
  'ublk_ch_release_work_fn',
  'ublk_partition_scan_work',
];

const SUBMIT = ['io_uring_submit_sqe', 'io_uring_submit_req'];
const QUEUED = ['block_rq_requeue', 'block_rq_insert', 'block_getrq'];
const QUEUE_RQ = ['ublk_queue_rq', 'ublk_queue_rqs', 'blk_mq_get_driver_tag', 'block_rq_issue'];

/**
 * Which earlier event of the same request brings an event about, where no call of its own task is around it: the nearest of
 * the first group that has one. Events without an entry were brought about by the one before them.
 */
export const CAUSES: Readonly<Record<string, readonly (readonly string[])[]>> = {
  block_getrq: [['block_bio_queue', 'block_split', 'block_bio_remap']],
  block_rq_insert: [['block_getrq', 'block_rq_requeue']],
  blk_mq_get_driver_tag: [QUEUED],
  ublk_queue_rq: [['blk_mq_get_driver_tag', 'ublk_queue_rqs'], QUEUED],
  ublk_queue_rqs: [['blk_mq_get_driver_tag'], QUEUED],
  block_rq_issue: [['ublk_queue_rq', 'ublk_queue_rqs', 'blk_mq_get_driver_tag'], QUEUED],
  ublk_queue_cmd: [QUEUE_RQ, QUEUED],
  ublk_rq_task_work: [['ublk_queue_cmd'], QUEUE_RQ],
  ublk_rq_task_work_cb: [['ublk_queue_cmd'], QUEUE_RQ],
  ublk_cmd_tw_cb: [QUEUE_RQ],
  ublk_cmd_list_tw_cb: [QUEUE_RQ],
  ublk_dispatch_req: [['ublk_cmd_tw_cb', 'ublk_cmd_list_tw_cb'], QUEUE_RQ],
  io_uring_get_sqe: [['io_uring_complete']],
  io_uring_submit_sqe: [['io_uring_get_sqe'], ['io_uring_complete']],
  io_uring_submit_req: [['io_uring_get_sqe'], ['io_uring_complete']],
  io_uring_file_get: [SUBMIT],
  io_uring_queue_async_work: [SUBMIT],
  io_uring_poll_arm: [SUBMIT],
  io_uring_task_add: [['io_uring_poll_arm'], SUBMIT],
  io_uring_link: [SUBMIT],
  io_uring_defer: [SUBMIT],
  io_uring_fail_link: [['io_uring_complete', 'io_uring_req_failed'], SUBMIT],
  // the monitor finds out that the server is gone
  ublk_daemon_monitor_work: [['ublk_ch_release']],
  io_wq_submit_work: [['io_uring_queue_async_work'], SUBMIT],
  ublk_ch_uring_cmd: [SUBMIT],
  io_uring_complete: [
    ['io_uring_task_add', 'io_uring_queue_async_work', 'io_uring_poll_arm', ...SUBMIT],
    ['ublk_queue_cmd', ...QUEUE_RQ],
  ],
  block_rq_complete: [['ublk_complete_rq', 'ublk_commit_completion', 'ublk_ch_uring_cmd'], SUBMIT],
  block_rq_error: [['ublk_complete_rq', 'ublk_commit_completion', 'ublk_ch_uring_cmd'], SUBMIT],
  app_io_done: [['block_rq_complete', 'block_bio_complete']],
  fuse_request_end: [SUBMIT],
};

const STARTED = ['block_rq_issue'];

/**
 * The same for events at a disk below the one that the request is for; its own steps are no cause of them. What has none of these
 * before it was brought about by the SQE or the call that did the I/O.
 */
export const BELOW: Readonly<Record<string, readonly (readonly string[])[]>> = {
  block_bio_queue: [],
  block_split: [['block_bio_queue']],
  block_getrq: [['block_bio_queue', 'block_split', 'block_bio_remap']],
  block_rq_insert: [['block_getrq', 'block_rq_requeue']],
  blk_mq_get_driver_tag: [QUEUED],
  block_rq_issue: [['blk_mq_get_driver_tag'], QUEUED],
  blk_mq_end_request: [STARTED, QUEUED],
  block_rq_complete: [['blk_mq_end_request'], STARTED, QUEUED],
  block_rq_error: [['blk_mq_end_request'], STARTED, QUEUED],
};

/** Why something of a recording or of a simulated trace takes no part in the comparison. */
export interface Dropped {
  readonly what: string;
  readonly why: string;
}

/** Columns and fields that are not compared, by name; `*` holds for every event. */
export const DROPPED_FIELDS: readonly (Dropped & { readonly events: RegExp; readonly field: RegExp })[] = [
  { what: 'loc', events: /./, field: /^loc$/, why: 'place of a probe: the simulator has no machine code' },
  {
    what: 'tag',
    events: /./,
    field: /^tag$/,
    why: 'which tag is free is the tag allocator’s history, and says nothing about the request',
  },
  {
    what: 'comm',
    events: /./,
    field: /^comm$/,
    why: 'name of the task that runs: the same work may be done by another kworker or client',
  },
  {
    what: 'pointers',
    events: /./,
    field: /^(ring|req|target|tctx|work|pipe|page|argp|arg|params|linked|overflow_cqe)$/,
    why: 'addresses of kernel and user memory',
  },
  {
    what: 'addr of a command',
    events: /^ublk_ch_uring_cmd$/,
    field: /^addr$/,
    why: 'where the server has its buffers',
  },
  {
    what: 'page_refs',
    events: /./,
    field: /^page_refs$/,
    why: 'direct I/O counts as recorded; references that readers and readahead hold on pages of a page cache are not modelled',
  },
  {
    what: 'tag and length of a copy',
    events: /^ublk_copy_user_pages$/,
    field: /^(tag|to_server|len)$/,
    why: 'the recorded probe prints no arguments',
  },
];

/** Events of which neither side has to have a counterpart. */
export const DROPPED_EVENTS: readonly (Dropped & {
  readonly side: 'both' | 'simulated';
  readonly events: RegExp;
})[] = [
  {
    what: 'facts (SQE bytes, CQ head, page fill, driver tags, client I/Os, device state)',
    side: 'simulated',
    events:
      /^(io_uring_get_sqe|io_uring_cq_advance|page_fill|page_expose|app_io_\w+|session_\w+|command_output|ublk_dev_state|blk_mq_(get|put)_driver_tag)$/,
    why: 'no kernel prints them',
  },
  {
    what: 'sched_process_exit',
    side: 'simulated',
    events: /^sched_process_exit$/,
    why: 'the tracepoint was not switched on in the recordings',
  },
];

/** What {@link Normaliser} and the score leave out by rules of their own. */
export const DROPPED_OTHERWISE: readonly Dropped[] = [
  {
    what: 'sector and minor number of the backing disk',
    why: 'where the file system put the file',
  },
  {
    what: 'blk_mq_end_request of the backing disk',
    why: 'the probe prints a tag and no device, so the request that it belongs to is uncertain; block_rq_complete right behind it is compared',
  },
  {
    what: 'I/O of the backing disk marked M',
    why: 'journal and inodes of ext4 are not simulated',
  },
  {
    what: 'flush requests of the backing disk (FWS, FF)',
    why: 'after a write with RWF_DSYNC ext4 flushes, or commits its journal where that has to be done anyway; a kworker or the journal thread does it, which events do not tie to the write',
  },
  {
    what: 'whether a delivery is the CQE of a FETCH or of a COMMIT_AND_FETCH',
    why: 'FETCH delivers the first request of a tag only, so it follows from which tags were used before',
  },
  {
    what: 'the address that user_data of a control command is',
    why: 'where the process has its ring in memory',
  },
  {
    what: 'probes that were not set in the recording',
    why: 'the simulated trace has them, the recording cannot',
  },
  {
    what: 'the columns for time, task, CPU and flags',
    why: 'the recordings were made under emulation; which CPU or kworker runs is chance',
  },
];

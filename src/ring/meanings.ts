/** What the names of ring programs mean, and since which kernel they exist: for completion and hovers. */

/** One name. */
export interface Meaning {
  /** One or two sentences. */
  readonly says: string;
  /** First kernel that has it. */
  readonly since: string;
  /** Where the profiles 6.1, 6.12, 6.18 and 7.3 differ. */
  readonly differs?: string;
}

type Meanings = Readonly<Record<string, Meaning>>;

const m = (since: string, says: string, differs?: string): Meaning => ({
  says,
  since,
  ...(differs === undefined ? {} : { differs }),
});

/** Why blocking ops look different in a trace of 6.1. */
const PUNT =
  '6.1 tries it inline first, gets -EAGAIN and then goes to a worker; later kernels go there at once.';

/** Operations. */
export const OP_MEANINGS: Meanings = {
  NOP: m('5.1', 'Does nothing; its CQE has result 0.'),
  READ: m(
    '5.6',
    'Reads into a buffer. Inline where the pages are cached; fewer bytes than asked for break its chain.',
  ),
  WRITE: m(
    '5.6',
    'Writes from a buffer. To a regular file on ext4 always by a worker, hashed by inode; a short one breaks its chain.',
  ),
  READV: m('5.1', 'Reads into the pieces of `iov`.'),
  WRITEV: m('5.1', 'Writes from the pieces of `iov`.'),
  READ_FIXED: m('5.1', 'READ into a registered buffer; a range outside of it is -EFAULT.'),
  WRITE_FIXED: m('5.1', 'WRITE from a registered buffer; a range outside of it is -EFAULT.'),
  FSYNC: m('5.1', 'Writes a file back. Runs in a worker. Its failure never breaks a chain.', PUNT),
  SYNC_FILE_RANGE: m('5.2', 'Writes back a range, without metadata. Its failure never breaks a chain.', PUNT),
  FALLOCATE: m('5.6', 'Reserves, zeroes or removes a range. Its failure never breaks a chain.', PUNT),
  SPLICE: m(
    '5.7',
    'Moves pages between a pipe and a file or another pipe, in a worker. What is short breaks its chain; a full or empty pipe blocks the worker.',
    PUNT,
  ),
  TEE: m('5.8', 'Duplicates what a pipe holds into another pipe, in a worker, without taking it.', PUNT),
  POLL_ADD: m(
    '5.1',
    'Waits until a file is ready; the result is the mask of events. ERR and HUP come unasked.',
  ),
  TIMEOUT: m(
    '5.4',
    'Ends after `ns` with -ETIME, or with 0 after `count` completions. Expiry counts as failure unless ETIME_SUCCESS is set.',
  ),
  TIMEOUT_REMOVE: m(
    '5.5',
    'Removes a TIMEOUT by its user_data: that one ends with -ECANCELED. -ENOENT where there is none.',
  ),
  LINK_TIMEOUT: m(
    '5.5',
    'Limits the request right before it in the chain. Armed after that request was issued: one that blocks inside a worker is never interrupted.',
  ),
  ASYNC_CANCEL: m(
    '5.5',
    'Cancels by user_data, or by what its flags say. Members of a chain that have not started, and requests behind a drain, are not found (-ENOENT).',
    'The CQE of a cancelled SPLICE that blocks in a worker is -512 on 6.18, -4 (-EINTR) on 6.1, 6.12 and 7.3.',
  ),
};

/** Bits of a flag field, by field. */
export const FLAG_MEANINGS: Readonly<Record<string, Meanings>> = {
  flags: {
    FIXED_FILE: m('5.1', 'The file is meant by its index in the table of registered files.'),
    IO_DRAIN: m(
      '5.2',
      'Starts when every earlier request of the ring has completed; what comes later does not start before it. A request that never completes, such as an armed FETCH, holds it for ever.',
      '6.1 and 6.12 compare sequence numbers and release what comes later together with it; 6.18 and 7.3 count live requests, and what comes later waits until it has completed.',
    ),
    IO_LINK: m(
      '5.3',
      'The next SQE of the same submit starts when this one has succeeded; if it fails or is short, the rest of the chain is cancelled.',
      'io_uring_link names the head of the chain on 6.1, the request before on later kernels.',
    ),
    IO_HARDLINK: m('5.5', 'As IO_LINK, but a failure while running does not cancel what follows.'),
    ASYNC: m('5.6', 'Straight to a worker, without an inline try.'),
    CQE_SKIP_SUCCESS: m(
      '5.17',
      'No CQE on success. After such an SQE the ring refuses every IO_DRAIN (-EOPNOTSUPP).',
    ),
  },
  setup: {
    SUBMIT_ALL: m('5.18', 'A malformed SQE does not end its batch.'),
    COOP_TASKRUN: m('5.19', 'No interrupt for task work: it runs when the task enters the kernel by itself.'),
    TASKRUN_FLAG: m('5.19', 'sq_flags tell that task work is pending. Needs COOP_TASKRUN or DEFER_TASKRUN.'),
    SINGLE_ISSUER: m('6.0', 'Only one task submits.'),
    DEFER_TASKRUN: m(
      '6.1',
      'Task work runs only inside io_uring_enter with GETEVENTS: completions wait until somebody waits. Needs SINGLE_ISSUER.',
      'Workers hand their CQEs to the submitter from 6.12 on; on 6.1 they post them.',
    ),
    SQPOLL: m('5.1', 'A kernel thread takes the SQEs and runs the task work.'),
    CLAMP: m('5.6', 'Sizes beyond the limits are cut down instead of refused.'),
  },
  rw_flags: {
    HIPRI: m('4.6', 'Poll for completion; a ring without IOPOLL refuses it.'),
    DSYNC: m('4.7', 'Data on disk when the request ends.'),
    SYNC: m('4.7', 'Data and metadata on disk when the request ends.'),
    NOWAIT: m('4.14', '-EAGAIN instead of waiting; on ext4 a buffered WRITE always says that.'),
    APPEND: m('4.16', 'At the end of the file, whatever `off` says.'),
  },
  fsync_flags: { DATASYNC: m('5.1', 'Without metadata that is not needed to read the data.') },
  sync_range_flags: {
    WAIT_BEFORE: m('5.2', 'First wait for write-back that runs.'),
    WRITE: m('5.2', 'Start write-back of dirty pages.'),
    WAIT_AFTER: m('5.2', 'Wait for it.'),
  },
  mode: {
    KEEP_SIZE: m('2.6.23', 'The file keeps its size.'),
    PUNCH_HOLE: m('2.6.38', 'Removes the range; needs KEEP_SIZE.'),
    ZERO_RANGE: m('3.15', 'The range reads as zeroes.'),
    COLLAPSE_RANGE: m('3.15', 'Cuts the range out; block aligned.'),
    INSERT_RANGE: m('4.1', 'Makes room; block aligned.'),
  },
  splice_flags: {
    MOVE: m('5.7', 'Pages may be moved; without effect today.'),
    NONBLOCK: m('5.7', '-EAGAIN instead of waiting for a pipe.'),
    MORE: m('5.7', 'More is coming; for sockets.'),
    GIFT: m('5.7', 'Of vmsplice.'),
    FD_IN_FIXED: m('5.7', '`file_in` is meant by its index in the table of registered files.'),
  },
  poll_events: {
    IN: m('5.1', 'Something to read.'),
    OUT: m('5.1', 'Room to write.'),
    PRI: m('5.1', 'Urgent data.'),
    ERR: m('5.1', 'An error; reported unasked.'),
    HUP: m('5.1', 'The other end is closed; reported unasked.'),
    RDHUP: m('5.1', 'The other end of a socket writes no more.'),
  },
  poll_flags: { ADD_MULTI: m('5.13', 'Goes on after the first event: CQEs with F_MORE.') },
  timeout_flags: { ETIME_SUCCESS: m('5.16', 'Expiry counts as success, so that a chain goes on.') },
  cancel_flags: {
    ALL: m('5.19', 'All that match; the result is their number.'),
    FD: m('5.19', 'By file instead of user_data.'),
    ANY: m('5.19', 'Everything.'),
    FD_FIXED: m('6.0', 'The file is meant by its index.'),
    USERDATA: m('6.6', 'By user_data, said outright.', '6.1 refuses it (-EINVAL).'),
    OP: m('6.6', 'By opcode.', '6.1 refuses it (-EINVAL).'),
  },
  open: {
    RDONLY: m('1.0', 'For reading only.'),
    WRONLY: m('1.0', 'For writing only.'),
    DIRECT: m('2.4', 'Past the page cache: offset, length and address aligned to 512 bytes.'),
    APPEND: m('1.0', 'Every write goes to the end.'),
    NONBLOCK: m('1.0', 'Of a pipe; io_uring waits all the same, by a poll.'),
    DSYNC: m('2.6.33', 'Every write as with DSYNC.'),
    SYNC: m('1.0', 'Every write as with SYNC.'),
  },
};

/** Fields of an SQE and other keys of a program. */
export const KEY_MEANINGS: Readonly<Record<string, string>> = {
  op: 'Operation, by name; a number for an opcode that has none here.',
  user_data:
    '64 bits that come back in the CQE; a string, decimal or 0x. The only thing that says which SQE a CQE answers.',
  flags: 'IOSQE flags.',
  file: 'File the request works on; a pipe has the ends `NAME.r` and `NAME.w`.',
  file_in: 'File that a splice or tee takes from.',
  off: 'Offset, bytes; -1 means the position of the file, and none for a pipe.',
  off_in: 'Offset in `file_in`; -1 for none.',
  len: 'Length, bytes.',
  buf: 'Buffer.',
  buf_off: 'Where in the buffer, bytes.',
  iov: 'Pieces of buffers.',
  ns: 'Time, nanoseconds.',
  count: 'Completions to wait for; 0 is a pure timer.',
  target: 'user_data of the request meant.',
  fd: 'Raw descriptor or index instead of `file`.',
  splice_fd_in: 'Raw descriptor or index instead of `file_in`.',
  addr: 'Raw address field.',
  ioprio: 'Raw priority field; most ops refuse all but 0.',
  buf_index: 'Raw index of a registered buffer.',
  personality: 'Raw credentials; none are registered, so all but 0 are refused.',
};

import type { RuleId, Severity } from './types';

/** One invariant of a trace. */
export interface Rule {
  readonly id: RuleId;
  readonly title: string;
  readonly severity: Severity;
  /** What holds in a correct trace. */
  readonly says: string;
  /** Events without which it cannot be tested: one of each group has to occur. */
  readonly needs: readonly (readonly string[])[];
  /** Why it was not tested although the events are there. */
  readonly idle: string;
}

const SUBMIT = ['io_uring_submit_sqe', 'io_uring_submit_req'];
const CQE = ['io_uring_complete'];
const START = ['ublk_queue_rq'];
const COMMAND = ['ublk_ch_uring_cmd'];
const SPLICE = ['ublk_splice_read'];
const COMMANDS_IDLE = 'no FETCH, COMMIT or NEED_GET_DATA was submitted';
const MIDDLE = 'the recording starts in the middle: no ring was created in it';
const NO_REQUEST = 'no request was started or ended by the driver in this trace';

function rule(
  number: number,
  severity: Severity,
  title: string,
  says: string,
  needs: Rule['needs'],
  idle: string,
): Rule {
  return { id: `INV-${String(number).padStart(2, '0')}`, title, severity, says, needs, idle };
}

/** Every rule that can be tested, in the order of their numbers. */
export const RULES: readonly Rule[] = [
  rule(
    1,
    'K',
    'SQ accounting',
    'The kernel never takes more SQEs than user space has handed over.',
    [SUBMIT, ['sys_enter_io_uring_enter', 'io_uring_get_sqe']],
    'no io_uring_enter with SQEs was seen from its start',
  ),
  rule(
    2,
    'K',
    'SQEs taken in order',
    'SQEs are taken in the order in which user space filled them, none left out.',
    [['io_uring_get_sqe'], SUBMIT],
    'no SQE was taken',
  ),
  rule(
    3,
    'S',
    'SQE slot reuse',
    'A slot of the SQE array is filled again only after the kernel has taken what it held.',
    [['io_uring_get_sqe'], ['io_uring_create']],
    MIDDLE,
  ),
  rule(
    4,
    'K',
    'CQ never overrun',
    'The ring holds no more unseen CQEs than it has entries; what does not fit waits on the overflow list.',
    [['io_uring_cq_advance'], ['io_uring_create'], CQE],
    MIDDLE,
  ),
  rule(
    5,
    'K',
    'CQE seen after it was filled',
    'User space never moves the CQ head past CQEs that were not filled yet.',
    [['io_uring_cq_advance'], CQE],
    MIDDLE,
  ),
  rule(
    6,
    'K',
    'Overflow first',
    'While CQEs wait on the overflow list, no newer CQE goes into the ring past them.',
    [['io_uring_cqe_overflow']],
    'no CQE overflowed',
  ),
  rule(
    7,
    'K',
    'One final CQE',
    'Each SQE taken gets exactly one final CQE, or none when it asked to skip it; ublk commands: see INV-28.',
    [SUBMIT, CQE],
    'no SQE completed',
  ),
  rule(
    8,
    'K',
    'user_data unchanged',
    'A CQE carries the user_data of its SQE, all 64 bits.',
    [SUBMIT, CQE],
    'no SQE was seen from submission to completion',
  ),
  rule(
    9,
    'K',
    'Issue before completion',
    'An SQE is taken, and started by a worker where it was punted, before it completes.',
    [SUBMIT, CQE],
    MIDDLE,
  ),
  rule(
    10,
    'K',
    'Return value of enter',
    'io_uring_enter returns the number of SQEs it took, or an error.',
    [SUBMIT, ['sys_exit_io_uring_enter']],
    'no io_uring_enter was seen from start to end',
  ),
  rule(
    20,
    'S',
    'Links that bind',
    'An SQE with a link flag has the one that is to wait for it right behind it, in the same submit call.',
    [SUBMIT, ['sys_exit_io_uring_enter']],
    'no SQE had a link flag',
  ),
  rule(
    24,
    'K',
    'A tag is in flight once',
    'A tag of a queue is given to a new request only after the one before has ended.',
    [['blk_mq_get_driver_tag', 'ublk_queue_rq']],
    NO_REQUEST,
  ),
  rule(
    25,
    'K',
    'In flight at most depth',
    'A queue has no more requests in flight than it has tags.',
    [START, ['block_rq_issue'], CQE],
    'the depth is unknown: the FETCH commands are not in the trace',
  ),
  rule(
    26,
    'K',
    'Tags below the depth',
    'Tags of the driver, and tags in commands of the server, are below the queue depth.',
    [CQE],
    'the depth is unknown: the FETCH commands are not in the trace',
  ),
  rule(
    27,
    'S',
    'Slot transitions',
    'NEED_GET_DATA answers a delivery with result 1, and such a delivery is not committed before its data was fetched.',
    [SUBMIT, CQE],
    'no NEED_GET_DATA took place',
  ),
  rule(
    28,
    'K',
    'One answer per command',
    'Each FETCH, COMMIT and NEED_GET_DATA gets exactly one CQE: 0, 1 or an error.',
    [CQE],
    COMMANDS_IDLE,
  ),
  rule(
    29,
    'K',
    'Armed before delivery',
    'A delivery answers the command that armed the slot last, and announces a request that was started.',
    [CQE],
    COMMANDS_IDLE,
  ),
  rule(
    30,
    'S',
    'One COMMIT per delivery',
    'The server commits each delivery exactly once.',
    [SUBMIT, CQE],
    COMMANDS_IDLE,
  ),
  rule(
    31,
    'S',
    'COMMIT only what was delivered',
    'The server commits a slot only while it holds its request.',
    [SUBMIT],
    COMMANDS_IDLE,
  ),
  rule(
    32,
    'S',
    'FETCH once',
    'The server fetches each slot once, before the device is started.',
    [SUBMIT],
    'no FETCH was submitted',
  ),
  rule(
    33,
    'S',
    'One task per slot',
    'All commands of a slot come from the task that fetched it.',
    [SUBMIT],
    COMMANDS_IDLE,
  ),
  rule(
    34,
    'K',
    'Armed before the request ends',
    'A delivered request ends well only after its COMMIT, and its tag is freed after that.',
    [START, ['block_rq_complete']],
    NO_REQUEST,
  ),
  rule(
    35,
    'K',
    'Descriptor stable',
    'The descriptor of a slot is not written while the server holds its request.',
    [START],
    NO_REQUEST,
  ),
  rule(
    36,
    'K',
    'All armed before start',
    'A device starts, and delivers, only after every slot of it was fetched.',
    [SUBMIT, CQE],
    MIDDLE,
  ),
  rule(
    37,
    'S',
    'No command after -ENODEV',
    'After -ENODEV on a slot the server sends no further command for it.',
    [CQE],
    'no command was answered with -ENODEV',
  ),
  rule(
    40,
    'K',
    'No byte lost or twice',
    'What a request completes is what was committed, and the rest of it goes back to the queue.',
    [START, ['block_rq_complete'], COMMAND],
    NO_REQUEST,
  ),
  rule(
    41,
    'S',
    'Result in range',
    'A READ or WRITE is committed with at most its length, or with a negative errno.',
    [START, COMMAND],
    'no result was committed for a request with a known length',
  ),
  rule(
    42,
    'S',
    'COMMIT after the backend',
    'A request is committed after its backend I/O has completed, a READ with no more bytes than were transferred.',
    [SUBMIT, CQE],
    'no request with backend I/O was committed',
  ),
  rule(
    43,
    'K',
    'Copies in their place',
    'WRITE data is copied before the delivery, READ data during COMMIT before the request ends.',
    [['ublk_copy_user_pages', 'ublk_copy_user_pages_isra_0']],
    'no copy was seen with the command around it',
  ),
  rule(
    48,
    'S',
    'No information leak',
    'Every byte that a READ hands to the client was written by the backend first.',
    [['page_expose', 'ublk_splice_read', 'ublk_unmap_io']],
    'no READ ended with its data path visible',
  ),
  rule(
    51,
    'K',
    'Pipe occupancy',
    'The internal pipe holds between 0 and 16 buffers; a buffer too many is released again.',
    [['add_to_pipe', 'do_splice_to']],
    'no splice through an internal pipe',
  ),
  rule(
    52,
    'K',
    'Pipe indices and releases',
    'Head and tail never go back during a splice, start at 0, and each buffer put in is released once.',
    [['add_to_pipe', 'do_splice_to']],
    'no splice through an internal pipe',
  ),
  rule(
    53,
    'K',
    'Bytes in the pipe',
    'The producing half returns the bytes that it put in, and no more is taken out than is in.',
    [['add_to_pipe'], ['do_splice_to_ret']],
    'nothing was put into a pipe',
  ),
  rule(
    54,
    'K',
    'Own pipe per task',
    'An internal pipe is used by one task only.',
    [SPLICE],
    'no splice through an internal pipe',
  ),
  rule(
    55,
    'K',
    'Producer before consumer',
    'A pipe is marked consumed_by_read exactly between the producing and the consuming half.',
    [['ublk_splice_read', 'actor_read_consumer']],
    'no READ was spliced',
  ),
  rule(
    56,
    'S',
    'Each byte spliced once',
    'The SPLICEs of one delivery stay within the request and do not overlap.',
    [SPLICE, START],
    'no SPLICE of a request that is known from its start',
  ),
  rule(
    57,
    'S',
    'Splice flags and position',
    'READ needs DIRECT and READ_TO_READ, WRITE needs DIRECT alone, and the position lies within the request.',
    [SPLICE, START],
    'no SPLICE of a request that is known from its start',
  ),
  rule(
    58,
    'K',
    'Page references',
    'A page leaves the pipe with as many references as it had when it was put in.',
    [['add_to_pipe'], ['ublk_pipe_buf_release']],
    'nothing was put into a pipe',
  ),
  rule(
    59,
    'S',
    'Pages used only while the request lives',
    'Pages of a request are used only between its start and its end.',
    [SPLICE, START],
    'no SPLICE of a request that is known from its start',
  ),
  rule(
    60,
    'K',
    'SPLICE result',
    'A SPLICE moves at most the bytes it was asked for, and its CQE tells what was moved.',
    [['do_splice_direct_ret', 'do_splice_direct_rc_ret', 'do_splice_ret']],
    'no splice ended',
  ),
];

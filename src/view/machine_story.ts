import type { OpenTrace } from '../debug/model';
import { english, type Translate } from './machine_names';
import { EventWords } from './sequence_words';
import { schemaText } from './texts';

type Teller = (w: EventWords, t: Translate, task: string) => string;

/** A number of things in words. */
function counted(n: number | undefined, one: string, many: (n: number | string) => string): string {
  return n === 1 ? one : many(n ?? '?');
}

const COMMAND: Teller = (w, t) => {
  const result = w.num('result');
  const tag = w.sqe().replace(/^.* tag /, '');
  if (result === -19)
    return t(
      'io_uring posts the CQE of {0} with -ENODEV: the device goes away and this slot is never armed again.',
      w.sqe(),
    );
  if (result === 1)
    return t(
      'io_uring posts the CQE of {0} with result 1: the server must name a buffer for this WRITE first.',
      w.sqe(),
    );
  if (result !== undefined && result < 0)
    return t(
      'io_uring posts the CQE of {0}: the driver refused the command with {1}.',
      w.sqe(),
      w.result('result'),
    );
  return t(
    'io_uring posts the CQE of {0}: the server may now read descriptor {1}, and owns this tag until it commits.',
    w.sqe(),
    tag,
  );
};

const TELLERS: Readonly<Record<string, Teller>> = {
  io_uring_get_sqe: (w, t, task) =>
    t(
      '{0} fills an SQE in shared memory: {1}. The kernel does not know of it until io_uring_enter.',
      task,
      w.sqe(),
    ),
  io_uring_submit_sqe: (w, t) =>
    t('The kernel takes {0} from the SQ: the head moves, and it is issued next.', w.sqe()),
  io_uring_submit_req: (w, t) =>
    t('The kernel takes {0} from the SQ: the head moves, and it is issued next.', w.sqe()),
  io_uring_queue_async_work: (w, t) =>
    t('{0} would block, so an io-wq worker shall run it and post its CQE.', w.sqe()),
  io_wq_submit_work: (_, t, task) =>
    t('The worker {0} takes the next piece of work from its queue; it may block.', task),
  io_uring_cqring_wait: (w, t, task) => {
    const waits = counted(w.num('min_events'), t('1 CQE'), (n) => t('{0} CQEs', n));
    return t('{0} has nothing to do and sleeps until the CQ holds {1}.', task, waits);
  },
  io_uring_complete: (w, t, task) => {
    if (w.command() !== '') return COMMAND(w, t, task);
    const error = (w.num('result') ?? 0) < 0;
    return error
      ? t(
          'io_uring posts the CQE of {0} with an error: {1}. The server will commit it to the client.',
          w.sqe(),
          w.result('result'),
        )
      : t(
          'io_uring posts the CQE of {0} with result {1}: the server sees it when it reaps the CQ.',
          w.sqe(),
          w.result('result'),
        );
  },
  io_uring_cqe_overflow: (w, t) =>
    t(
      'The CQ is full: the CQE with result {0} waits on the overflow list of the kernel.',
      w.result('result'),
    ),
  io_uring_cq_advance: (w, t, task) => {
    const seen = counted(w.num('count'), t('1 CQE'), (n) => t('{0} CQEs', n));
    return t('{0} has seen {1} and moves the CQ head past it: the room is free again.', task, seen);
  },
  sys_enter_io_uring_enter: (w, t, task) => {
    const submits = counted(w.num('to_submit'), t('1 SQE'), (n) => t('{0} SQEs', n));
    if (w.num('min_complete') === 0) return t('{0} enters the kernel to submit {1}.', task, submits);
    const waits = counted(w.num('min_complete'), t('1 CQE'), (n) => t('{0} CQEs', n));
    const what =
      w.num('to_submit') === 0
        ? t('to wait for {0}', waits)
        : t('to submit {0} and to wait for {1}', submits, waits);
    return t('{0} enters the kernel {1}: deliveries run inside this call.', task, what);
  },
  sys_exit_io_uring_enter: (w, t, task) => t('io_uring_enter of {0} returns {1}.', task, w.result('ret')),
  io_uring_link: (_, t) => t('The SQE joins a chain: it starts only when the one before it has succeeded.'),
  io_uring_fail_link: (w, t) => t('The chain is broken: {0} is cancelled with what follows it.', w.sqe()),
  blk_mq_get_driver_tag: (w, t) =>
    t('blk-mq gives the request {0}: the slot in which the server will see it.', w.tag()),
  blk_mq_put_driver_tag: (w, t) => t('{0} is free: the next request may get it at once.', w.tag()),
  ublk_queue_rq: (w, t) =>
    t(
      'blk-mq hands the request to ublk_drv, which writes descriptor {0} before it wakes the server.',
      w.tag(),
    ),
  ublk_queue_cmd: (_, t) =>
    t('The request is on the list of the queue; only the first one kicks the daemon, the others ride along.'),
  ublk_rq_task_work: (w, t, task) =>
    t(
      'In {0}: {1} is delivered now, because only this thread may touch its memory and its ring.',
      task,
      w.tag(),
    ),
  ublk_dispatch_req: (w, t, task) =>
    t(
      'In {0}: {1} is delivered now, because only this thread may touch its memory and its ring.',
      task,
      w.tag(),
    ),
  ublk_copy_user_pages: (w, t) =>
    w.num('to_server') === 0
      ? t(
          'The driver copies {0} from the buffer of the server into the pages of the client: the copy that -z saves.',
          w.size('len'),
        )
      : t(
          'The driver copies {0} from the pages of the client into the buffer of the server: the copy that -z saves.',
          w.size('len') || t('the payload'),
        ),
  ublk_ch_uring_cmd: (w, t) => {
    const command = w.driverCommand();
    if (command === 'FETCH')
      return t(
        'FETCH for {0}: the command will be parked in its slot until a request gets this tag.',
        w.tag(),
      );
    if (command === 'COMMIT_AND_FETCH')
      return t(
        'COMMIT_AND_FETCH for {0}: the server answers with {1} and parks the command for the next request.',
        w.tag(),
        w.result('result'),
      );
    if (command === 'NEED_GET_DATA')
      return t(
        'NEED_GET_DATA for {0}: the server names a buffer, the driver copies and delivers again.',
        w.tag(),
      );
    return t('The driver handles {0} for {1}.', command, w.tag());
  },
  ublk_ch_uring_cmd_ret: (w, t) =>
    w.num('ret') === -529
      ? t('The command stays parked in the driver (EIOCBQUEUED): its CQE comes when a request gets this tag.')
      : t('The driver answers the command at once with {0}.', w.result('ret')),
  ublk_commit_completion: (w, t) =>
    t('The slot of {0} is armed again before its old request ends: the next one may come at once.', w.tag()),
  ublk_complete_rq: (w, t) =>
    t('The driver ends the request of {0} with what the server committed. It believes that number.', w.tag()),
  ublk_splice_read: (w, t) =>
    t(
      'The driver is asked for the pages of {0}: they go into the pipe by reference, no byte moves.',
      w.splicePlace(),
    ),
  ublk_handled: (w, t) =>
    t(
      '{0} of {1} were asked for in this delivery; more than the request holds is refused with -EACCES.',
      w.size('handled_after_add'),
      w.size('rq_bytes'),
    ),
  add_to_pipe: (w, t) =>
    t(
      'The {0} of the request becomes a buffer of the pipe; no reference is taken (it has {1}).',
      w.page(),
      w.show('page_refs'),
    ),
  ublk_pipe_buf_release: (w, t) =>
    t(
      'The pipe lets go of {0}; its references stay {1}, because none was taken.',
      w.page(),
      w.show('page_refs'),
    ),
  splice_dismiss_pipe: (w, t) =>
    t('{0} are consumed: the buffers leave the pipe at its tail.', w.size('bytes')),
  page_fill: (w, t) => t('{0} of the request now hold data from {1}.', w.size('length'), w.str('source')),
  page_expose: (w, t) =>
    (w.num('filled') ?? 0) < (w.num('length') ?? 0)
      ? t(
          '{0} become visible to the client, but only {1} of them were ever filled: the rest is old memory.',
          w.size('length'),
          w.size('filled'),
        )
      : t('{0} become visible to the client; all of them were filled.', w.size('length')),
  block_rq_issue: (w, t) => t('{0} to disk {1} is in flight from here on.', w.block(), w.disk()),
  block_rq_complete: (w, t) =>
    w.num('error') === 0
      ? t('Disk {0} is done with {1}; who waits for it is woken.', w.disk(), w.block())
      : t('Disk {0} ends {1} with {2}.', w.disk(), w.block(), w.result('error')),
  app_io_submit: (w, t, task) =>
    t('{0} asks for {1} of {2} at {3} and waits.', task, w.str('op'), w.size('length'), w.size('offset')),
  app_io_done: (w, t) => t('The I/O of the client is done: {0}.', w.result('result')),
  session_command: (w, t) => t('The session runs: {0}', w.str('text')),
  ublk_dev_state: (w, t) => t('Device {0} is now {1}.', w.show('dev_id'), w.str('state')),
};

/** What just happened, in one or two plain sentences; the schema's sentence where there is nothing better to say. */
export function eventStory(open: OpenTrace, e: number, t: Translate = english): string {
  const { trace } = open;
  if (e < 0 || e >= trace.length) return t('Nothing has happened: the trace has no events.');
  const words = new EventWords(trace, open.requests, e, t);
  const { comm, pid } = trace.taskOf(trace.task[e]);
  const { name } = words;
  if (Object.hasOwn(TELLERS, name)) return TELLERS[name](words, t, `${comm}-${pid}`);
  const says = schemaText(trace.shapeOf(e).spec?.says, t);
  if (name.endsWith('_ret') && words.num('ret') !== undefined)
    return t('{0} returns {1}. {2}', name.slice(0, -4), words.result('ret'), says).trim();
  return says === '' ? t('{0}: an event that the schema does not know.', name) : says;
}

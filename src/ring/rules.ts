/** The rules of io_uring that ring programs exercise, and which of them one program does. */
import { IORING_SETUP } from '../uapi/io_uring_abi';
import { opcodeName } from '../uapi/io_uring_ops';
import type { Sqe } from '../uapi/sqe';
import type { UringProfile } from '../kernel/uring/uring_profile';
import type { OutcomeCqe } from './outcome';
import type { RingProgram } from './program';
import { runProgram } from './run';

/** What the rules look at: the program, and what happens in its likeliest run. */
interface Facts {
  readonly program: RingProgram;
  readonly ops: ReadonlySet<string>;
  readonly events: ReadonlySet<string>;
  readonly cqes: readonly OutcomeCqe[];
  readonly hangs: boolean;
  readonly overflow: boolean;
  readonly shortSubmit: boolean;
  /** SQEs whose CQE says what did not fit what they asked for: fewer bytes, but no error. */
  readonly shortTransfer: boolean;
  flag(bit: number): boolean;
  sqes(test: (sqe: Sqe) => boolean): boolean;
  setup(bit: number): boolean;
  open(flag: string): boolean;
}

/** One rule. */
export interface UringRule {
  readonly id: string;
  readonly says: string;
}

interface TestedRule extends UringRule {
  readonly applies: (facts: Facts) => boolean;
}

const FLAG = { DRAIN: 2, LINK: 4, HARDLINK: 8, ASYNC: 16, SKIP: 64 } as const;
const ECANCELED = -125;

const RULES: readonly TestedRule[] = [
  { id: 'submit', says: 'SQEs are taken and first issued in the order of the SQ.', applies: () => true },
  {
    id: 'batch-stops',
    says: 'Without SUBMIT_ALL a malformed SQE outside a chain ends its batch; the rest stays in the SQ.',
    applies: (f) => f.shortSubmit && !f.setup(IORING_SETUP.SUBMIT_ALL),
  },
  {
    id: 'prep-error',
    says: 'A malformed SQE gets its error in a CQE and is never issued.',
    applies: (f) => f.events.has('req_failed'),
  },
  {
    id: 'chain-order',
    says: 'In a chain the next request starts after the CQE of the one before.',
    applies: (f) => f.events.has('link'),
  },
  {
    id: 'chain-breaks',
    says: 'A failed member cancels the rest of its chain: -ECANCELED, in chain order.',
    applies: (f) => f.events.has('fail_link'),
  },
  {
    id: 'short-breaks',
    says: 'A short read, write, splice or tee counts as failed and breaks its chain, though its result is positive.',
    applies: (f) => f.shortTransfer && f.events.has('fail_link'),
  },
  {
    id: 'hardlink',
    says: 'HARDLINK: a failure while running does not cancel the followers.',
    applies: (f) => f.flag(FLAG.HARDLINK),
  },
  {
    id: 'chain-cut',
    says: 'A chain ends with its submit call, also where the last SQE still has a link flag.',
    applies: ({ program }) =>
      program.steps.some(
        (step) =>
          step.kind === 'submit' && ((step.sqes.at(-1)?.flags ?? 0) & (FLAG.LINK | FLAG.HARDLINK)) !== 0,
      ),
  },
  {
    id: 'never-fails',
    says: 'FSYNC, SYNC_FILE_RANGE and FALLOCATE never break a chain, whatever they return.',
    applies: (f) =>
      f.sqes(
        (sqe) =>
          ['FSYNC', 'SYNC_FILE_RANGE', 'FALLOCATE'].includes(nameOf(sqe)) && (sqe.flags & FLAG.LINK) !== 0,
      ),
  },
  {
    id: 'drain',
    says: 'A DRAIN request starts when all earlier ones have completed; what comes later waits for it (before 6.18: is released together with it).',
    applies: (f) => f.flag(FLAG.DRAIN),
  },
  {
    id: 'skip',
    says: 'CQE_SKIP_SUCCESS: no CQE on success; one that fails posts, its cancelled followers do not.',
    applies: (f) => f.flag(FLAG.SKIP),
  },
  {
    id: 'async',
    says: 'ASYNC sends a request to a worker without an inline try.',
    applies: (f) => f.flag(FLAG.ASYNC),
  },
  {
    id: 'worker',
    says: 'What would block goes to io-wq; hashed work on one inode runs one at a time, in order.',
    applies: (f) => f.events.has('queue_async_work'),
  },
  {
    id: 'poll',
    says: 'A request on a file that is not ready arms a poll; waiters of one pipe are woken last first.',
    applies: (f) => f.events.has('poll_arm') || f.ops.has('POLL_ADD'),
  },
  {
    id: 'timeout',
    says: 'TIMEOUT ends with -ETIME, or with 0 when its count of completions came; timers fire in the order of time.',
    applies: (f) => f.ops.has('TIMEOUT'),
  },
  {
    id: 'link-timeout',
    says: 'LINK_TIMEOUT cancels the request before it, or is cancelled when that is done first.',
    applies: (f) => f.ops.has('LINK_TIMEOUT'),
  },
  {
    id: 'cancel',
    says: 'ASYNC_CANCEL and TIMEOUT_REMOVE find what is queued, armed or running, not what a chain or a drain holds back.',
    applies: (f) => f.ops.has('ASYNC_CANCEL') || f.ops.has('TIMEOUT_REMOVE'),
  },
  {
    id: 'splice',
    says: 'SPLICE and TEE always run in a worker; they move what is there, and are short then.',
    applies: (f) => f.ops.has('SPLICE') || f.ops.has('TEE'),
  },
  {
    id: 'fixed',
    says: 'Registered files and buffers are meant by index; an index outside the table is -EBADF or -EFAULT.',
    applies: ({ ops, program }) =>
      ops.has('READ_FIXED') || ops.has('WRITE_FIXED') || program.files.some((file) => file.fixed),
  },
  {
    id: 'direct',
    says: 'O_DIRECT reads and writes must be aligned and come back in the order of the disk.',
    applies: (f) => f.open('DIRECT'),
  },
  {
    id: 'cancelled-result',
    says: 'What is cancelled before it starts has the result -ECANCELED and leaves no trace in files.',
    applies: (f) => f.cqes.some((cqe) => cqe.res === ECANCELED),
  },
  {
    id: 'overflow',
    says: 'CQEs beyond the CQ wait in order on the overflow list; none is lost.',
    applies: (f) => f.overflow || f.events.has('cqe_overflow'),
  },
  {
    id: 'hang',
    says: 'A wait for more completions than can ever come does not return.',
    applies: (f) => f.hangs,
  },
  {
    id: 'defer-taskrun',
    says: 'DEFER_TASKRUN: task work runs only inside io_uring_enter with GETEVENTS.',
    applies: (f) => f.setup(IORING_SETUP.DEFER_TASKRUN),
  },
  {
    id: 'coop-taskrun',
    says: 'COOP_TASKRUN: task work runs when the task enters the kernel by itself.',
    applies: (f) => f.setup(IORING_SETUP.COOP_TASKRUN),
  },
  {
    id: 'sqpoll',
    says: 'SQPOLL: a kernel thread takes the SQEs; a malformed one does not stop it.',
    applies: (f) => f.setup(IORING_SETUP.SQPOLL),
  },
];

/** All rules, in the order of the life of a request. */
export const URING_RULES: readonly UringRule[] = RULES;

/** The rules that a program exercises on a kernel, by its SQEs and by what happens in its likeliest run. */
export function rulesOf(program: RingProgram, profile: UringProfile): UringRule[] {
  const facts = factsOf(program, profile);
  return RULES.filter((rule) => rule.applies(facts));
}

function nameOf(sqe: Sqe): string {
  return opcodeName(sqe.opcode, 256);
}

function factsOf(program: RingProgram, profile: UringProfile): Facts {
  const { steps, events } = runProgram(program, { profile, trace: true });
  const sqes = program.steps.flatMap((step) => (step.kind === 'submit' ? step.sqes : []));
  const cqes = steps.flatMap((step) => step.cqes ?? []);
  const asked = new Map(sqes.map((sqe) => [sqe.userData.toString(), sqe]));
  return {
    program,
    ops: new Set(sqes.map(nameOf)),
    events: new Set(events.map(({ event }) => event)),
    cqes,
    hangs: steps.some((step) => step.hang),
    overflow: steps.some((step) => step.overflow),
    shortSubmit: steps.some((step, i) => {
      const asked = program.steps[i];
      return asked?.kind === 'submit' && step.submitted !== undefined && step.submitted < asked.sqes.length;
    }),
    shortTransfer: cqes.some((cqe) => {
      const sqe = asked.get(cqe.user_data);
      if (sqe === undefined || cqe.res < 0) return false;
      return /^(READ|WRITE|SPLICE|TEE|READ_FIXED|WRITE_FIXED)$/.test(nameOf(sqe)) && cqe.res < sqe.len;
    }),
    flag: (bit) => sqes.some((sqe) => (sqe.flags & bit) !== 0),
    sqes: (test) => sqes.some(test),
    setup: (bit) => (program.setup & bit) !== 0,
    open: (flag) => program.files.some((file) => file.open.has(flag)),
  };
}

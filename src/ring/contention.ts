/** Which requests of a program may meet at a file, a pipe or a piece of memory. */
import { CANCEL } from '../kernel/uring/cancel';
import { IORING_OP } from '../uapi/io_uring_ops';
import type { Sqe } from '../uapi/sqe';
import type { RingProgram } from './program';

const LINKED = 0x0c;
const FIXED_FILE = 1;
const FD_IN_FIXED = 0x80000000;

/** Ops that look at whether another request runs. */
const CANCELLING: ReadonlySet<number> = new Set([
  IORING_OP.ASYNC_CANCEL,
  IORING_OP.LINK_TIMEOUT,
  IORING_OP.TIMEOUT_REMOVE,
  IORING_OP.POLL_REMOVE,
]);

/** Whether no request of a program asks which other ones run, and no file is closed. */
export function undisturbed({ steps }: Pick<RingProgram, 'steps'>): boolean {
  return steps.every((step) => {
    if (step.kind === 'close') return false;
    return step.kind !== 'submit' || !step.sqes.some(({ opcode }) => CANCELLING.has(opcode));
  });
}

/** One thing that a request touches. */
export interface Touch {
  readonly key: string;
  readonly write: boolean;
  /** Range of memory; a file is one thing. */
  readonly from: number;
  readonly to: number;
}

type Parts = Pick<RingProgram, 'files' | 'steps' | 'memory' | 'fds' | 'fixedIndex'>;

/**
 * Requests of other chains that share something with a request, and one of both changes it; those that have some. Found when first asked for:
 * only who looks for other orders does, and it takes the square of the number of requests.
 */
export function contendedSqes(program: Parts): ReadonlyMap<Sqe, readonly Sqe[]> {
  let found: ReadonlyMap<Sqe, readonly Sqe[]> | undefined;
  const map = (): ReadonlyMap<Sqe, readonly Sqe[]> => {
    found ??= findContended(program);
    return found;
  };
  return {
    get size() {
      return map().size;
    },
    has: (sqe) => map().has(sqe),
    get: (sqe) => map().get(sqe),
    keys: () => map().keys(),
    values: () => map().values(),
    entries: () => map().entries(),
    forEach: (action) => map().forEach(action),
    [Symbol.iterator]: () => map()[Symbol.iterator](),
  };
}

function findContended(program: Parts): Map<Sqe, Sqe[]> {
  const names = namesOf(program);
  const all: { sqe: Sqe; chain: number; touches: Touch[] }[] = [];
  let chain = 0;
  for (const step of program.steps) {
    if (step.kind !== 'submit') continue;
    for (const sqe of step.sqes) {
      all.push({ sqe, chain, touches: touchesOf(program, sqe, names) });
      if ((sqe.flags & LINKED) === 0) chain++;
    }
    chain++;
  }
  const closed = new Set(
    program.steps.flatMap((step) => (step.kind === 'close' ? [bareName(step.file)] : [])),
  );
  const found = new Map<Sqe, Sqe[]>();
  for (const a of all) {
    const others = all.filter(
      (b) =>
        a.chain !== b.chain &&
        (meet(a.touches, b.touches) || mayCancel(b.sqe, a.sqe) || mayCancel(a.sqe, b.sqe)),
    );
    // Who has its file is not done yet when that is closed: it is met by itself.
    if (a.touches.some(({ key }) => closed.has(key))) others.push(a);
    if (others.length === 0) continue;
    // A cancel tells what runs from what is done.
    const telling = all.filter((b) => CANCELLING.has(b.sqe.opcode) && b !== a);
    found.set(
      a.sqe,
      [...others, ...telling].map(({ sqe }) => sqe),
    );
  }
  return found;
}

/** Whether a request may look for another one to cancel it. */
export function mayCancel(cancel: Sqe, target: Sqe): boolean {
  if (cancel.opcode !== IORING_OP.ASYNC_CANCEL) return false;
  if ((cancel.opFlags & CANCEL.ANY) !== 0) return true;
  if ((cancel.opFlags & CANCEL.OP) !== 0 && cancel.len !== target.opcode) return false;
  const byUserData =
    (cancel.opFlags & (CANCEL.FD | CANCEL.OP)) === 0 || (cancel.opFlags & CANCEL.USERDATA) !== 0;
  return !byUserData || cancel.addr === target.userData;
}

/**
 * What the chain of each request touches, by its number less one: also what decides only about time (dirty and uncached pages).
 */
export function chainTouches(program: RingProgram): (readonly Touch[])[] {
  const names = namesOf(program);
  const uncached = new Set(program.files.filter(({ cached }) => !cached).map(({ name }) => name));
  const all: Touch[][] = [];
  for (const step of program.steps) {
    if (step.kind !== 'submit') continue;
    let chain: Touch[] = [];
    for (const sqe of step.sqes) {
      chain.push(...touchesOf(program, sqe, names));
      const name = ((sqe.flags & FIXED_FILE) !== 0 ? names.byIndex : names.byFd).get(sqe.fd);
      if (name !== undefined) chain.push({ key: name, write: false, from: 0, to: 1 });
      for (const { key } of [...chain]) {
        if (uncached.has(key)) chain.push({ key, write: true, from: 0, to: 1 });
      }
      all.push(chain);
      if ((sqe.flags & LINKED) === 0) chain = [];
    }
  }
  return all;
}

/** Whether two requests touch the same and one of them changes it. */
export function meet(a: readonly Touch[], b: readonly Touch[]): boolean {
  return a.some((x) =>
    b.some((y) => x.key === y.key && (x.write || y.write) && x.from < y.to && y.from < x.to),
  );
}

interface Names {
  readonly byFd: ReadonlyMap<number, string>;
  readonly byIndex: ReadonlyMap<number, string>;
}

/** Names of files by descriptor and index; both ends of a pipe are one thing. */
function namesOf(program: Pick<RingProgram, 'fds' | 'fixedIndex'>): Names {
  return {
    byFd: new Map([...program.fds].map(([name, fd]) => [fd, bareName(name)])),
    byIndex: new Map([...program.fixedIndex].map(([name, index]) => [index, bareName(name)])),
  };
}

/** The name of a pipe without that of its end. */
function bareName(name: string): string {
  return name.split('.')[0]!;
}

function touchesOf(program: Pick<RingProgram, 'files' | 'memory'>, sqe: Sqe, names: Names): Touch[] {
  const touches: Touch[] = [];
  const file = (fixed: boolean, nr: number, write: boolean): void => {
    const name = (fixed ? names.byIndex : names.byFd).get(nr);
    const kind = program.files.find((candidate) => candidate.name === name)?.kind;
    if (name === undefined || (kind !== 'file' && kind !== 'pipe')) return;
    touches.push({ key: name, write: write || kind === 'pipe', from: 0, to: 1 });
  };
  const memory = (addr: number, len: number, write: boolean): void => {
    touches.push({ key: 'memory', write, from: addr, to: addr + len });
  };
  const fixed = (sqe.flags & FIXED_FILE) !== 0;
  const cursor = BigInt.asIntN(64, sqe.off) === -1n;
  switch (sqe.opcode) {
    case IORING_OP.READ:
    case IORING_OP.READ_FIXED:
      file(fixed, sqe.fd, cursor);
      memory(Number(sqe.addr), sqe.len, true);
      break;
    case IORING_OP.WRITE:
    case IORING_OP.WRITE_FIXED:
      file(fixed, sqe.fd, true);
      memory(Number(sqe.addr), sqe.len, false);
      break;
    case IORING_OP.READV:
    case IORING_OP.WRITEV: {
      const write = sqe.opcode === IORING_OP.WRITEV;
      file(fixed, sqe.fd, write || cursor);
      for (const { addr, len } of vectors(program, sqe)) memory(addr, len, !write);
      break;
    }
    case IORING_OP.FALLOCATE:
      file(fixed, sqe.fd, true);
      break;
    case IORING_OP.POLL_ADD:
      file(fixed, sqe.fd, false);
      break;
    case IORING_OP.SPLICE:
    case IORING_OP.TEE:
      file(fixed, sqe.fd, true);
      file((sqe.opFlags & FD_IN_FIXED) !== 0, sqe.spliceFdIn, BigInt.asIntN(64, sqe.addr) === -1n);
      break;
    default:
      break;
  }
  return touches;
}

function vectors(program: Pick<RingProgram, 'memory'>, sqe: Sqe): { addr: number; len: number }[] {
  const bytes = program.memory.find((piece) => piece.addr === Number(sqe.addr))?.bytes;
  if (bytes === undefined) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = Math.min(sqe.len, bytes.length / 16);
  return Array.from({ length: count }, (_, i) => ({
    addr: Number(view.getBigUint64(i * 16, true)),
    len: Number(view.getBigUint64(i * 16 + 8, true)),
  }));
}

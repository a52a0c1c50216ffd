/** An order of CQEs that is looked for. */
import type { Sqe } from '../uapi/sqe';
import { IORING_OP } from '../uapi/io_uring_ops';
import type { Cqe, Req } from '../kernel/uring/types';
import type { Outcome } from './outcome';
import type { RingProgram } from './program';
import type { RunResult } from './run';

/** user_data of all CQEs of an outcome, in order. */
export function cqeOrder(outcome: Pick<Outcome, 'steps'>): string[] {
  return outcome.steps.flatMap((step) => step.cqes ?? []).map((cqe) => cqe.user_data);
}

/** One CQE of an order: a user_data, or one of the SQEs that have it. */
export interface WantedCqe {
  /** Decimal. */
  readonly value: string;
  /** Which of the SQEs with this user_data, from 1; undefined: any. */
  readonly nr: number | undefined;
}

const NAME = /^(\d{1,20}|0x[0-9a-f]{1,16})(?:#(\d{1,5}))?$/i;

/** Reads a name such as `3`, `0x2` or `3#2`, the second SQE with user_data 3; undefined when it is none. */
export function readName(text: string): WantedCqe | undefined {
  const [, value, nr] = NAME.exec(text) ?? [];
  if (value === undefined) return undefined;
  return { value: BigInt(value).toString(), nr: nr === undefined ? undefined : Number(nr) };
}

/** The name of a CQE of an order: `3` or `3#2`. */
export function nameOf({ value, nr }: WantedCqe): string {
  return nr === undefined ? value : `${value}#${nr}`;
}

/** The order that a text such as `3,1,0x2` or `3 1#2 | 2` asks for, user_data in decimal; undefined when it is no such text. */
export function readOrder(text: string): string[] | undefined {
  const names = text
    .trim()
    .split(/[\s,|]+/)
    .map(readName);
  return names.every((name) => name !== undefined) ? names.map(nameOf) : undefined;
}

/** The SQEs of a program with a user_data, in the order in which they are submitted. */
export function sqesOf(program: Pick<RingProgram, 'steps'>, value: string): Sqe[] {
  const sqes = program.steps.flatMap((step) => (step.kind === 'submit' ? step.sqes : []));
  return sqes.filter((sqe) => String(sqe.userData) === value);
}

/** What is wrong with a name of an order: the program has no such SQE. */
export function unknownName(program: Pick<RingProgram, 'steps'>, name: string): string | undefined {
  const { value, nr } = readName(name)!;
  const { length } = sqesOf(program, value);
  if (length === 0) return `no SQE has the user_data ${value}`;
  if (nr === undefined || (nr >= 1 && nr <= length)) return undefined;
  return `${name} is none: ${length === 1 ? 'one SQE has' : `${length} SQEs have`} the user_data ${value}, counted from 1`;
}

/** Requests by their names in an order: `3`, or `3#2` where several have the user_data. */
export function requestNames(requests: readonly Req[]): Map<number, string> {
  const all = new Map<bigint, number>();
  for (const { userData } of requests) all.set(userData, (all.get(userData) ?? 0) + 1);
  const met = new Map<bigint, number>();
  return new Map(
    requests.map(({ id, userData }) => {
      const nr = (met.get(userData) ?? 0) + 1;
      met.set(userData, nr);
      return [id, all.get(userData) === 1 ? String(userData) : `${userData}#${nr}`];
    }),
  );
}

/** A CQE that was posted, or surely comes. */
export type PostedCqe = Pick<Cqe, 'userData' | 'req'>;

interface Wanted {
  readonly userData: bigint;
  readonly nr: number | undefined;
}

/** CQEs by user_data, in the order in which they are wanted; others may come between. */
export class WantedOrder {
  private readonly wanted: readonly Wanted[];
  /** Places of what comes once, by user_data; and by user_data and number where that is named. */
  private readonly place = new Map<bigint, number>();
  private readonly placeOfNr = new Map<string, number>();

  constructor(program: RingProgram, names: readonly string[]) {
    this.wanted = names.map((name) => {
      const { value, nr } = readName(name)!;
      return { userData: BigInt(value), nr };
    });
    names.forEach((name, i) => {
      const { value, nr } = readName(name)!;
      const same = sqesOf(program, value);
      // what may post more than one CQE says nothing by coming early
      const many = same.some(({ opcode }) => opcode === IORING_OP.POLL_ADD || opcode === IORING_OP.TIMEOUT);
      if (many || names.indexOf(name) !== names.lastIndexOf(name)) return;
      if (nr !== undefined) this.placeOfNr.set(name, i);
      else if (same.length === 1) this.place.set(BigInt(value), i);
    });
  }

  /** How many of them were posted in order; -1 when they can no longer come so. */
  met(posted: readonly PostedCqe[], requests: readonly Req[]): number {
    let at = 0;
    for (const cqe of posted) {
      if (this.is(cqe, at, requests)) at++;
      else if (this.placeOf(cqe, requests) >= at) return -1;
    }
    return at;
  }

  /** Whether the application saw them in this order. */
  isIn({ ring, steps }: Pick<RunResult, 'ring' | 'steps'>): boolean {
    const seen = steps.reduce((sum, { cqes }) => sum + (cqes?.length ?? 0), 0);
    let at = 0;
    for (const cqe of [...ring.cq, ...ring.overflow].slice(0, seen))
      if (this.is(cqe, at, ring.requests)) at++;
    return at === this.wanted.length;
  }

  private is(cqe: PostedCqe, at: number, requests: readonly Req[]): boolean {
    const one = this.wanted[at];
    if (one === undefined || one.userData !== cqe.userData) return false;
    return one.nr === undefined || one.nr === numberOf(cqe, requests);
  }

  private placeOf(cqe: PostedCqe, requests: readonly Req[]): number {
    const place = this.place.get(cqe.userData);
    if (place !== undefined || this.placeOfNr.size === 0) return place ?? -1;
    return this.placeOfNr.get(`${cqe.userData}#${numberOf(cqe, requests)}`) ?? -1;
  }
}

/** Which of the requests with its user_data a CQE is of, from 1. */
function numberOf({ userData, req }: PostedCqe, requests: readonly Req[]): number {
  let nr = 0;
  for (const other of requests) if (other.userData === userData && other.id <= req) nr++;
  return nr;
}

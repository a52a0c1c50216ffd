import type { Block, DriverCommand, Ring, Slot, Sqe } from './entities';

/** What the rules hear. Each is told before the model takes the event in. */
export interface Observer {
  created?(ring: Ring, e: number): void;
  submitted?(sqe: Sqe, before: Sqe | undefined, e: number): void;
  /** `sqe` is undefined where the SQE is older than the trace or was never seen. */
  completed?(sqe: Sqe | undefined, ring: Ring, data: number, result: number, more: boolean, e: number): void;
  command?(slot: Slot, sqe: Sqe, e: number): void;
  answered?(slot: Slot, sqe: Sqe | undefined, op: number, result: number, e: number): void;
  driverCommand?(command: DriverCommand, slot: Slot | undefined, e: number): void;
  started?(block: Block, before: Block | undefined, e: number): void;
  /** The driver delivers in the server's task; queue id -1 where the probe does not tell. */
  dispatched?(qid: number, tag: number, e: number): void;
  ended?(block: Block, bytes: number, error: number, command: DriverCommand | undefined, e: number): void;
  requeued?(device: number, sector: number, sectors: number, block: Block | undefined, e: number): void;
  /** Everything known so far may be wrong: events are missing. */
  forget?(): void;
  finish?(): void;
}

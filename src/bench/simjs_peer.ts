import { createRequire } from 'node:module';
import type { Sliced } from '../trace/slices';

/** Events of one slice. */
const SLICE = 1 << 14;

/** The part of simjs that the model uses. */
interface SimJs {
  readonly Sim: new () => {
    addEntity(entity: unknown): void;
    simulate(end: number, events: number): boolean;
  };
  readonly Facility: new (name: string) => object;
  readonly Entity: new (...args: unknown[]) => SimEntity;
}
interface SimEntity {
  setTimer(duration: number): Pending;
  useFacility(facility: object, duration: number): Pending;
}
interface Pending {
  done(callback: () => void): Pending;
}

/** A run of the queueing model. */
export interface QueueModel {
  /** I/Os in flight. */
  readonly depth: number;
  readonly ios: number;
  /** Events that one I/O schedules. */
  readonly steps: number;
}

/** simjs is a bundle for pages: it leaves its classes on `window`. */
export function loadSimJs(): SimJs {
  const page = globalThis as unknown as { window?: unknown; Sim?: SimJs };
  page.window ??= globalThis;
  createRequire(__filename)('simjs');
  if (page.Sim === undefined) throw new Error('simjs did not load');
  return page.Sim;
}

/**
 * The shape of a simulated null device in simjs: a closed network in which `depth` clients each send an I/O through a server
 * that serves one at a time, and through delays; every stage schedules one event. Nothing is recorded. Returns the I/Os done.
 */
export function* simJsRun(
  { Sim, Facility, Entity }: SimJs,
  { depth, ios, steps }: QueueModel,
): Sliced<number> {
  const sim = new Sim();
  const server = new Facility('server');
  let sent = 0;
  let done = 0;
  class Client extends Entity {
    private left = 0;

    start(): void {
      if (sent === ios) return;
      sent++;
      this.left = steps;
      this.stage();
    }

    private readonly stage = (): void => {
      if (this.left === 0) {
        done++;
        this.start();
      } else if (--this.left === 0) {
        this.useFacility(server, 900).done(this.stage);
      } else {
        this.setTimer(100 + ((sent * 7919) % 500)).done(this.stage);
      }
    };
  }
  for (let k = 0; k < depth; k++) sim.addEntity(Client);
  while (!sim.simulate(Number.MAX_SAFE_INTEGER, SLICE)) yield done / ios;
  return done;
}

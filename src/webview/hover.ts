import { signal } from '@preact/signals-core';
import { latest } from './latest';
import type { Explanation } from './protocol_data';
import type { Store } from './store';

/** How long the pointer rests before what lies there is explained, ms. */
export const REST = 250;
/** Most explanations that are remembered. */
const MOST = 200;

/** Explains the event that the pointer rests on; what was asked once is remembered as long as the trace stays the same. */
export class HoverExplainer {
  /** Of the event that is wanted; undefined while it is on its way. */
  readonly shown = signal<Explanation | undefined>(undefined);
  private readonly known = new Map<number, Explanation>();
  private readonly ask: (wish: { trace: number; event: number }) => void;
  private readonly store: Store;
  private readonly trace: number;
  private epoch = -1;
  private wanted = -1;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(store: Store, trace: number) {
    this.store = store;
    this.trace = trace;
    this.ask = latest(
      async (wish: { trace: number; event: number }) => ({
        epoch: store.epoch.peek(),
        explanation: await store.client.ask('explain', wish),
      }),
      ({ epoch, explanation }, { event }) => {
        if (epoch !== this.epoch) return;
        if (this.known.size >= MOST) this.known.clear();
        this.known.set(event, explanation);
        if (this.wanted === event) this.shown.value = explanation;
      },
      (error) => store.fail(error),
    );
  }

  /** The event under the pointer; -1: none. */
  want(event: number): void {
    clearTimeout(this.timer);
    const epoch = this.store.epoch.peek();
    if (epoch !== this.epoch) this.known.clear();
    this.epoch = epoch;
    this.wanted = event;
    this.shown.value = this.known.get(event);
    if (event < 0 || this.shown.peek() !== undefined) return;
    this.timer = setTimeout(() => this.ask({ trace: this.trace, event }), REST);
  }
}

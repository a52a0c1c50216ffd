import type { Signal } from '@preact/signals-core';
import type { Exporter } from './picture';

/** What a face hands out, in a signal that faces share: a face that leaves does not take back what the next one put there. */
export class Offer {
  private mine: Exporter | undefined;

  constructor(private readonly place: Signal<Exporter | undefined>) {}

  put(exporter: Exporter): void {
    this.mine = exporter;
    this.place.value = exporter;
  }

  /** Takes one's own away, or puts something in its place. */
  withdraw(instead?: Exporter): void {
    if (this.place.peek() !== this.mine) return;
    this.mine = instead;
    this.place.value = instead;
  }
}

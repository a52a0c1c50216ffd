import type { Channel } from './dap_channel';

/** Work that takes longer tells how far it is, ms; and how often at most. */
const QUIET_MS = 500;
const EVERY_MS = 100;

/** Tells a client that shows progress how far one piece of long work is; nothing of what is soon done. */
export class Progress {
  private readonly begun = Date.now();
  private told = 0;

  constructor(
    private readonly channel: Channel,
    private readonly progressId: string,
    private readonly title: string,
    /** The client shows progress. */
    private readonly wanted: boolean,
  ) {}

  /** How far the work is, from 0 to 1. */
  readonly update = (share: number): void => {
    const now = Date.now();
    if (!this.wanted || now - this.begun < QUIET_MS || now - this.told < EVERY_MS) return;
    const { progressId, title } = this;
    const percentage = Math.max(0, Math.min(100, Math.round(share * 100)));
    if (this.told === 0)
      this.channel.event('progressStart', { progressId, title, cancellable: true, percentage });
    else this.channel.event('progressUpdate', { progressId, percentage });
    this.told = now;
  };

  /** The work is over, done or not. */
  end(): void {
    if (this.told > 0) this.channel.event('progressEnd', { progressId: this.progressId });
  }
}

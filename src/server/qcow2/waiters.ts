/** Waits on any entry. */
const ANY = -1;

/** Coroutines, by tag, that wait until something changes (IOWaiters). Woken newest first, as the hash set of ublksrv gives them. */
export class Waiters {
  private list: { readonly tag: number; readonly entry: number }[] = [];

  /** `entry`: only an update of that entry matters. */
  add(tag: number, entry = ANY): void {
    if (!this.list.some((waiter) => waiter.tag === tag && waiter.entry === entry))
      this.list.push({ tag, entry });
  }

  /** Resumes all, or those that wait for `entry`; never `mine`, whose own completion resumes it. */
  wake(resume: (tag: number) => void, mine: number, entry?: number): void {
    const taken = this.list;
    this.list = [];
    const left: typeof taken = [];
    for (let i = taken.length - 1; i >= 0; i--) {
      const waiter = taken[i];
      if (waiter.tag === mine) continue;
      if (entry === undefined || waiter.entry === entry) resume(waiter.tag);
      else left.unshift(waiter);
    }
    for (const { tag, entry: other } of left) this.add(tag, other);
  }
}

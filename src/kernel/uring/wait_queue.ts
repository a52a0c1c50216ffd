/** Wait queues of pipes: polls of io_uring and workers asleep, woken in list order. */
import type { Digest } from './digest';

/** An entry that io_uring armed (io_poll_wake). Returns true when it consumed the wake-up. */
export interface PollWait {
  readonly queue: WaitQueue;
  /** Id of the request. */
  readonly owner: number;
  wake(mask: number): boolean;
}

/** A sleeping worker. */
export interface SleepWait {
  /** Id of the request that it runs. */
  readonly owner: number;
  readonly exclusive: boolean;
  wake(): void;
}

type Entry = { readonly poll: PollWait } | { readonly sleep: SleepWait };

/** wait_queue_head: polls go to its head, exclusive sleepers to its tail. */
export class WaitQueue {
  private entries: Entry[] = [];

  addPoll(poll: PollWait): void {
    this.entries.unshift({ poll });
  }

  removePoll(poll: PollWait): void {
    this.entries = this.entries.filter((entry) => !('poll' in entry && entry.poll === poll));
  }

  addSleeper(sleep: SleepWait): void {
    if (sleep.exclusive) this.entries.push({ sleep });
    else this.entries.unshift({ sleep });
  }

  removeSleeper(sleep: SleepWait): void {
    this.entries = this.entries.filter((entry) => !('sleep' in entry && entry.sleep === sleep));
  }

  /** wake_up_interruptible_poll: all that are not exclusive, and one that is. */
  wakeUp(mask: number): void {
    for (const entry of [...this.entries]) {
      if ('poll' in entry) {
        entry.poll.wake(mask);
        continue;
      }
      this.removeSleeper(entry.sleep);
      entry.sleep.wake();
      if (entry.sleep.exclusive) return;
    }
  }

  /** Adds who waits to the digest of a state. */
  stateKey(digest: Digest): void {
    digest.add(this.entries.length);
    for (const entry of this.entries) {
      digest.add('poll' in entry);
      digest.add('poll' in entry ? entry.poll.owner : entry.sleep.owner);
    }
  }

  get empty(): boolean {
    return this.entries.length === 0;
  }
}

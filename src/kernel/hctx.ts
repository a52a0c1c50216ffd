import type { Kernel } from './kernel';
import type { Hctx } from './request';
import { Sbitmap } from './sbitmap';
import { WaitQueue } from './sched';

/** A hardware queue with all its tags free; each CPU starts at a chosen hint. */
export function makeHctx(kernel: Kernel, index: number, depth: number): Hctx {
  return {
    index,
    tags: new Sbitmap(depth, kernel.cpus, (n) => kernel.choices.choose('tag-hint', n)),
    schedUsed: 0,
    dispatchList: [],
    rqs: [],
    running: false,
    runQueued: false,
    tagWait: new WaitQueue(kernel.sched),
  };
}

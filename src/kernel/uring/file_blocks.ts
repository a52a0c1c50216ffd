/** Which blocks of a file the disk has: what direct reads and writes are cut by. */

import type { Digest } from './digest';

/** Size of a block, bytes. */
export const BLOCK = 4096;

/** A block holds data, is reserved and reads as zeros (fallocate), or is not there. */
export type BlockState = 'written' | 'unwritten' | 'hole';

/** Blocks of one file by index; those of one kind that follow each other are one extent. */
export class FileBlocks {
  private readonly states = new Map<number, BlockState>();
  private readonly changed = new Set<number>();

  constructor(size: number) {
    this.set(0, Math.ceil(size / BLOCK), 'written');
  }

  /** Kind of one block. */
  state(index: number): BlockState {
    return this.states.get(index) ?? 'hole';
  }

  /** Makes the blocks [from, to) of one kind. */
  set(from: number, to: number, state: BlockState): void {
    for (let i = from; i < to; i++) {
      if (this.state(i) !== state) this.changed.add(i);
      if (state === 'hole') this.states.delete(i);
      else this.states.set(i, state);
    }
  }

  /** Reserves what is missing in the bytes [offset, end). */
  reserve(offset: number, end: number): void {
    for (let i = Math.floor(offset / BLOCK); i * BLOCK < end; i++) {
      if (this.state(i) === 'hole') this.set(i, i + 1, 'unwritten');
    }
  }

  /** Blocks from `from` on go to `to`; what lies between goes away or is a hole. */
  shift(from: number, to: number): void {
    const moved = [...this.states].filter(([i]) => i >= from);
    for (const i of [...this.states.keys()]) if (i >= Math.min(from, to)) this.states.delete(i);
    for (const [i, state] of moved) this.states.set(i + to - from, state);
    for (let i = Math.min(from, to); i < Math.max(0, ...this.states.keys(), ...this.changed) + 1; i++)
      this.changed.add(i);
  }

  /** Adds what changed to the digest of a state. */
  stateKey(digest: Digest): void {
    let sum = 0;
    for (const i of this.changed)
      sum += (i + 1) * (['hole', 'written', 'unwritten'].indexOf(this.state(i)) + 1);
    digest.add(this.changed.size);
    digest.add(sum);
  }

  /** Bytes from `pos` to the end of its extent, at most `most`. */
  extent(pos: number, most: number): { readonly state: BlockState; readonly length: number } {
    const first = Math.floor(pos / BLOCK);
    const state = this.state(first);
    let last = first + 1;
    while (last * BLOCK < pos + most && this.state(last) === state) last++;
    return { state, length: Math.min(most, last * BLOCK - pos) };
  }
}

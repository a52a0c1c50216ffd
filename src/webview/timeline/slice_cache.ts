import type { Slice } from '../protocol_data';
import type { TimeRange } from '../time_range';
import { indexSlice, type SliceIndex } from './slice_index';

/** What is on the screen: times, resolution, and the tracks from top to bottom. */
export interface Wanted extends TimeRange {
  readonly nsPerPixel: number;
  readonly tracks: readonly number[];
}

/** What is asked of the host: wider than the screen, so that panning finds it there already. */
export interface SliceAsk extends TimeRange {
  readonly nsPerPixel: number;
  readonly tracks: readonly number[];
}

interface Entry {
  readonly ask: SliceAsk;
  readonly tracks: ReadonlySet<number>;
  readonly index: SliceIndex;
}

/** Slices kept: the one on the screen, and what it came from. */
const KEPT = 6;

/** Most tracks in one request. */
const MOST_TRACKS = 400;

/** The coarsest power of two that is still as fine as the screen: neighbouring zooms share a slice. */
export function quantise(nsPerPixel: number): number {
  return 2 ** Math.floor(Math.log2(Math.max(nsPerPixel, 2 ** -10)));
}

/**
 * What to ask for, to cover the screen and one screen before and after it: bounds in whole quarters of a screen, so that a
 * slow pan asks for the same bounds again and again, not for others at every pixel.
 */
export function askFor(wanted: Wanted, length: number, near: readonly number[]): SliceAsk {
  const nsPerPixel = quantise(wanted.nsPerPixel);
  const span = wanted.to - wanted.from;
  const grid = 2 ** Math.ceil(Math.log2(Math.max(span, 1))) / 4;
  const from = Math.max(0, Math.floor((wanted.from - span) / grid) * grid);
  const to = Math.min(Math.max(length, 1), Math.ceil((wanted.to + span) / grid) * grid);
  const tracks = [...new Set([...wanted.tracks, ...near])].slice(0, MOST_TRACKS).sort((a, b) => a - b);
  return { from: Math.min(from, to), to, nsPerPixel, tracks };
}

/** Slices fetched from the host, the newest first. Old ones are drawn until better ones are there. */
export class SliceCache {
  private entries: Entry[] = [];
  private pending: SliceAsk | undefined;
  private stopped = false;
  private readonly fetch: (ask: SliceAsk) => Promise<Slice>;
  private readonly arrived: () => void;
  private readonly failed: (error: unknown) => void;
  private readonly trackCount: number;
  private readonly length: number;
  private wish: { wanted: Wanted; near: readonly number[] } | undefined;

  constructor(
    trackCount: number,
    length: number,
    fetch: (ask: SliceAsk) => Promise<Slice>,
    arrived: () => void,
    failed: (error: unknown) => void,
  ) {
    this.trackCount = trackCount;
    this.length = length;
    this.fetch = fetch;
    this.arrived = arrived;
    this.failed = failed;
  }

  /** True while a request is under way. */
  get busy(): boolean {
    return this.pending !== undefined;
  }

  /** Forgets everything and takes no more answers. */
  stop(): void {
    this.stopped = true;
    this.entries = [];
  }

  /** Sees to it that the screen's slice is there or on its way. One request at a time, the newest wish next. */
  want(wanted: Wanted, near: readonly number[]): void {
    if (this.stopped || wanted.tracks.length === 0) return;
    this.wish = { wanted, near };
    if (this.pending === undefined) this.pump();
  }

  /** For each given track the best slice at hand, as tracks grouped by slice. */
  best(wanted: Wanted): Map<SliceIndex, number[]> {
    const found = new Map<SliceIndex, number[]>();
    const level = quantise(wanted.nsPerPixel);
    for (const track of wanted.tracks) {
      let best: Entry | undefined;
      let most = -1;
      for (const entry of this.entries) {
        const score = entry.tracks.has(track) ? value(entry.ask, wanted, level) : -1;
        if (score > most) {
          most = score;
          best = entry;
        }
      }
      if (best === undefined) continue;
      const list = found.get(best.index);
      if (list === undefined) found.set(best.index, [track]);
      else list.push(track);
    }
    return found;
  }

  private pump(): void {
    const { wish } = this;
    this.wish = undefined;
    if (wish === undefined || this.stopped || this.covered(wish.wanted)) return;
    const ask = askFor(wish.wanted, this.length, wish.near);
    this.pending = ask;
    this.fetch(ask)
      .then(
        (slice) => this.take(ask, slice),
        (error: unknown) => {
          if (!this.stopped) this.failed(error);
        },
      )
      .finally(() => {
        this.pending = undefined;
        this.pump();
      });
  }

  private take(ask: SliceAsk, slice: Slice): void {
    if (this.stopped) return;
    const entry = { ask, tracks: new Set(ask.tracks), index: indexSlice(slice, this.trackCount) };
    this.entries = [entry, ...this.entries].slice(0, KEPT);
    this.arrived();
  }

  private covered(wanted: Wanted): boolean {
    const level = quantise(wanted.nsPerPixel);
    const from = Math.max(0, wanted.from);
    const to = Math.min(wanted.to, this.length);
    const inTime = this.entries.filter(
      ({ ask }) => ask.nsPerPixel === level && ask.from <= from && ask.to >= to,
    );
    return wanted.tracks.every((track) => inTime.some((entry) => entry.tracks.has(track)));
  }
}

/** How well a slice serves the screen: first how much of its time it covers, then how near its resolution is. */
function value(ask: SliceAsk, wanted: Wanted, level: number): number {
  const overlap = Math.min(ask.to, wanted.to) - Math.max(ask.from, wanted.from);
  const share = Math.max(0, Math.min(1, overlap / Math.max(1, wanted.to - wanted.from)));
  const distance = Math.abs(Math.log2(ask.nsPerPixel / level));
  return share * 100 - Math.min(90, distance * 4);
}

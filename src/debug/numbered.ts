/** Stops after which what was given out at one of them is forgotten. */
const KEPT_STOPS = 8;

/** The next number of each kind that a debug session gives out. They go on over a restart, so that none means two things. */
export class Numbers {
  private last = 0;

  /** The number that was given out last; 0 for none yet. */
  get given(): number {
    return this.last;
  }

  /** A number that was never given out. */
  next(): number {
    return ++this.last;
  }
}

/** Things that a client knows by number. They hold for some stops more than the one at which they were given out. */
export class Numbered<T> {
  private readonly things = new Map<number, T>();
  /** First number of each stop that is kept. */
  private readonly stops: number[] = [];
  private fresh: number | undefined;
  private readonly before: number;

  constructor(private readonly numbers: Numbers) {
    this.before = numbers.given;
  }

  /** Whether a number was given out before there was this: by the run before a restart. */
  isBefore(number: number): boolean {
    return number > 0 && number <= this.before;
  }

  /** Gives a thing a number. */
  add(thing: T): number {
    const number = this.numbers.next();
    this.fresh ??= number;
    this.things.set(number, thing);
    return number;
  }

  /** The thing of a number; undefined for one of long ago, or of nothing. */
  get(number: number): T | undefined {
    return this.things.get(number);
  }

  /** A stop has come: forgets what was given out long before it. */
  turn(): void {
    if (this.fresh === undefined) return;
    this.stops.push(this.fresh);
    this.fresh = undefined;
    if (this.stops.length <= KEPT_STOPS) return;
    this.stops.shift();
    const [oldest] = this.stops;
    for (const number of this.things.keys()) {
      if (number >= oldest) return;
      this.things.delete(number);
    }
  }
}

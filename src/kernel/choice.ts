/** Points where the real world decides; the name says what is chosen. */
export type ChoiceKind =
  | 'tag-hint'
  | 'service-time'
  | 'wake-latency'
  | 'early-irq'
  | 'nowait-writes'
  | 'cpu'
  | 'client-offset'
  | 'client-mix'
  | 'data';

/** Answers a choice instead of the generator: returns a value below n, or undefined to leave it to the seed. */
export type ChoiceOverride = (kind: ChoiceKind, n: number, index: number) => number | undefined;

/**
 * The one source of nondeterminism: a seeded generator (sfc32, seeded by splitmix32) whose every answer can be
 * recorded and overridden. The same seed gives the same answers to the same sequence of questions.
 */
export class Choices {
  private a: number;
  private b: number;
  private c: number;
  private d = 1;
  private readonly counts = new Map<ChoiceKind, number>();

  constructor(
    seed: bigint,
    private readonly override: ChoiceOverride | undefined = undefined,
  ) {
    const bits = BigInt.asUintN(64, seed);
    let state = (Number(bits & 0xffffffffn) ^ Math.imul(Number(bits >> 32n), 0x9e3779b1)) >>> 0;
    const mix = (): number => {
      state = (state + 0x9e3779b9) >>> 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      return (z ^ (z >>> 16)) >>> 0;
    };
    this.a = mix();
    this.b = mix();
    this.c = mix();
    for (let i = 0; i < 12; i++) this.next();
  }

  /** An integer in [0, n). */
  choose(kind: ChoiceKind, n: number): number {
    if (this.override) {
      const index = this.counts.get(kind) ?? 0;
      this.counts.set(kind, index + 1);
      const given = this.override(kind, n, index);
      if (given !== undefined) return given;
    }
    return n <= 0x100000000 ? Math.floor((this.next() / 0x100000000) * n) : this.wide(n);
  }

  /** 32 random bits for made-up data. */
  bits(): number {
    return this.next();
  }

  private wide(n: number): number {
    return (this.next() * 0x200000 + (this.next() >>> 11)) % n;
  }

  private next(): number {
    const t = (((this.a + this.b) | 0) + this.d) | 0;
    this.d = (this.d + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (this.c << 21) | (this.c >>> 11);
    this.c = (this.c + t) | 0;
    return t >>> 0;
  }
}

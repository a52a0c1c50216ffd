/** Hash map from unsigned 32-bit keys to 32-bit values, without objects per entry. Absent keys give -1. */
export class IntMap {
  private keys: Uint32Array;
  private values: Int32Array;
  private used: Uint8Array;
  private count = 0;

  constructor(size = 256) {
    this.keys = new Uint32Array(size);
    this.values = new Int32Array(size);
    this.used = new Uint8Array(size);
  }

  /** Value of a key, -1 when there is none. */
  get(key: number): number {
    const slot = this.find(key >>> 0);
    return this.used[slot] === 1 ? this.values[slot] : -1;
  }

  set(key: number, value: number): void {
    let slot = this.find(key >>> 0);
    if (this.used[slot] === 0) {
      if (++this.count * 2 > this.keys.length) {
        this.grow();
        slot = this.find(key >>> 0);
      }
      this.used[slot] = 1;
      this.keys[slot] = key;
    }
    this.values[slot] = value;
  }

  private find(key: number): number {
    const mask = this.keys.length - 1;
    let slot = (Math.imul(key, 0x9e3779b1) >>> 12) & mask;
    while (this.used[slot] === 1 && this.keys[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  }

  private grow(): void {
    const { keys, values, used } = this;
    this.keys = new Uint32Array(keys.length * 2);
    this.values = new Int32Array(keys.length * 2);
    this.used = new Uint8Array(keys.length * 2);
    for (let i = 0; i < keys.length; i++) {
      if (used[i] === 0) continue;
      const slot = this.find(keys[i]);
      this.used[slot] = 1;
      this.keys[slot] = keys[i];
      this.values[slot] = values[i];
    }
  }
}

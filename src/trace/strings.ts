const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/** Interned strings: comms, opcode names, RWBS letters, unknown bodies. Id 0 is the empty string. */
export class StringTable {
  private readonly texts: string[] = [''];
  private readonly ids = new Map<string, number>([['', 0]]);
  private readonly bytes: Uint8Array[] = [new Uint8Array(0)];
  private slots = new Int32Array(512).fill(-1);

  constructor() {
    this.slots[hashBytes(this.bytes[0], 0, 0) & (this.slots.length - 1)] = 0;
  }

  /** Number of distinct strings. */
  get size(): number {
    return this.texts.length;
  }

  /** Id of a string, adding it when new. */
  id(text: string): number {
    const known = this.ids.get(text);
    if (known !== undefined) return known;
    const bytes = encoder.encode(text);
    return this.add(bytes, text);
  }

  /** Id of a string without adding it; undefined when it never occurred. */
  find(text: string): number | undefined {
    return this.ids.get(text);
  }

  /** Id of the UTF-8 bytes src[from..to), without making a JavaScript string unless they are new. */
  idOfBytes(src: Uint8Array, from: number, to: number): number {
    const mask = this.slots.length - 1;
    let slot = hashBytes(src, from, to) & mask;
    for (;;) {
      const id = this.slots[slot];
      if (id < 0) break;
      if (sameBytes(this.bytes[id], src, from, to)) return id;
      slot = (slot + 1) & mask;
    }
    const bytes = src.slice(from, to);
    return this.add(bytes, decoder.decode(bytes));
  }

  /** The string with this id. */
  text(id: number): string {
    return this.texts[id];
  }

  /** The string's bytes as they were read (kept even where they are not valid UTF-8). */
  rawBytes(id: number): Uint8Array {
    return this.bytes[id];
  }

  private add(bytes: Uint8Array, text: string): number {
    const id = this.texts.length;
    this.texts.push(text);
    this.bytes.push(bytes);
    if (!this.ids.has(text)) this.ids.set(text, id);
    if (id * 2 >= this.slots.length) this.rehash();
    else this.place(this.slots, id);
    return id;
  }

  private place(slots: Int32Array, id: number): void {
    const mask = slots.length - 1;
    const bytes = this.bytes[id];
    let slot = hashBytes(bytes, 0, bytes.length) & mask;
    while (slots[slot] >= 0) slot = (slot + 1) & mask;
    slots[slot] = id;
  }

  private rehash(): void {
    const slots = new Int32Array(this.slots.length * 4).fill(-1);
    for (let id = 0; id < this.texts.length; id++) this.place(slots, id);
    this.slots = slots;
  }
}

function hashBytes(src: Uint8Array, from: number, to: number): number {
  let h = 0x811c9dc5;
  for (let i = from; i < to; i++) h = Math.imul(h ^ src[i], 0x01000193);
  return (h ^ (h >>> 15)) >>> 0;
}

function sameBytes(known: Uint8Array, src: Uint8Array, from: number, to: number): boolean {
  if (known.length !== to - from) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== src[from + i]) return false;
  return true;
}

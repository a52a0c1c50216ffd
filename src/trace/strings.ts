import { grow32 } from './wide';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();
const HEX_DIGITS = '0123456789abcdef';

/**
 * Interned strings: comms, opcode names, RWBS letters, unknown bodies. Id 0 is the empty string. The bytes of all stand one behind the
 * other; most of them (bytes of SQEs) nobody ever asks for, so a JavaScript string is made when one does.
 */
export class StringTable {
  private bytes: Uint8Array<ArrayBuffer> = new Uint8Array(4096);
  /** String i is bytes[starts[i] .. starts[i + 1]). */
  private starts: Uint32Array<ArrayBuffer> = new Uint32Array(64);
  private count = 1;
  private readonly texts: (string | undefined)[] = [''];
  /** Those that were added or asked for as text, and all that are not ASCII: several bytes may stand for one text. */
  private readonly ids = new Map<string, number>([['', 0]]);
  private slots = new Int32Array(512).fill(-1);
  private hex = new Uint8Array(128);

  constructor() {
    this.place(this.slots, 0);
  }

  /** Number of distinct strings. */
  get size(): number {
    return this.count;
  }

  /** Id of a string, adding it when new. */
  id(text: string): number {
    const known = this.ids.get(text);
    if (known !== undefined) return known;
    const bytes = encoder.encode(text);
    const { length } = bytes;
    const slot = this.slot(bytes, 0, length);
    let id = this.slots[slot];
    if (id < 0 || !isAscii(bytes, 0, length)) {
      id = this.add(bytes, 0, length, slot);
      this.texts[id] = text;
    }
    this.ids.set(text, id);
    return id;
  }

  /** Id of a string without adding it; undefined when it never occurred. */
  find(text: string): number | undefined {
    const known = this.ids.get(text);
    if (known !== undefined) return known;
    const bytes = encoder.encode(text);
    const id = this.slots[this.slot(bytes, 0, bytes.length)];
    return id >= 0 && isAscii(bytes, 0, bytes.length) ? id : undefined;
  }

  /** Id of the UTF-8 bytes src[from..to), without making a JavaScript string. */
  idOfBytes(src: Uint8Array, from: number, to: number): number {
    const slot = this.slot(src, from, to);
    const known = this.slots[slot];
    if (known >= 0) return known;
    const id = this.add(src, from, to, slot);
    if (!isAscii(src, from, to)) {
      const text = this.text(id);
      if (!this.ids.has(text)) this.ids.set(text, id);
    }
    return id;
  }

  /** Id of the text of bytes in hexadecimal: two digits for each, lower case. */
  idOfHex(bytes: Uint8Array): number {
    const size = bytes.length * 2;
    if (this.hex.length < size) this.hex = new Uint8Array(size);
    const { hex } = this;
    for (let k = 0; k < bytes.length; k++) {
      hex[k * 2] = HEX_DIGITS.charCodeAt(bytes[k] >> 4);
      hex[k * 2 + 1] = HEX_DIGITS.charCodeAt(bytes[k] & 15);
    }
    return this.idOfBytes(hex, 0, size);
  }

  /** The string with this id. */
  text(id: number): string {
    let text = this.texts[id];
    if (text === undefined) {
      text = decoder.decode(this.rawBytes(id));
      this.texts[id] = text;
    }
    return text;
  }

  /** The string's bytes as they were read (kept even where they are not valid UTF-8); a view, not a copy. */
  rawBytes(id: number): Uint8Array {
    return this.bytes.subarray(this.starts[id], this.starts[id + 1]);
  }

  /** Adds a string whose search ended at a slot, which is free or taken by one with the same bytes. */
  private add(src: Uint8Array, from: number, to: number, slot: number): number {
    const id = this.count++;
    const start = this.starts[id];
    const end = start + to - from;
    if (end > this.bytes.length) this.grow(end);
    if (id + 1 === this.starts.length) this.starts = grow32(this.starts);
    const { bytes } = this;
    for (let i = from, at = start; i < to; i++, at++) bytes[at] = src[i];
    this.starts[id + 1] = end;
    this.texts.push(undefined);
    if (id * 2 >= this.slots.length) this.rehash();
    else if (this.slots[slot] < 0) this.slots[slot] = id;
    else this.place(this.slots, id);
    return id;
  }

  private grow(room: number): void {
    const next = new Uint8Array(Math.max(room, this.bytes.length + (this.bytes.length >>> 1)));
    next.set(this.bytes);
    this.bytes = next;
  }

  /** The slot of the bytes src[from..to), or the free one where they would go. */
  private slot(src: Uint8Array, from: number, to: number): number {
    const { slots } = this;
    const mask = slots.length - 1;
    let slot = hashBytes(src, from, to) & mask;
    while (slots[slot] >= 0 && !this.equals(slots[slot], src, from, to)) slot = (slot + 1) & mask;
    return slot;
  }

  private equals(id: number, src: Uint8Array, from: number, to: number): boolean {
    const { bytes } = this;
    const start = this.starts[id];
    const length = to - from;
    if (this.starts[id + 1] - start !== length) return false;
    for (let i = 0; i < length; i++) if (bytes[start + i] !== src[from + i]) return false;
    return true;
  }

  private place(slots: Int32Array, id: number): void {
    const mask = slots.length - 1;
    let slot = hashBytes(this.bytes, this.starts[id], this.starts[id + 1]) & mask;
    while (slots[slot] >= 0) slot = (slot + 1) & mask;
    slots[slot] = id;
  }

  private rehash(): void {
    const slots = new Int32Array(this.slots.length * 4).fill(-1);
    for (let id = 0; id < this.count; id++) this.place(slots, id);
    this.slots = slots;
  }
}

function isAscii(src: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (src[i] >= 0x80) return false;
  return true;
}

function hashBytes(src: Uint8Array, from: number, to: number): number {
  let h = 0x811c9dc5;
  for (let i = from; i < to; i++) h = Math.imul(h ^ src[i], 0x01000193);
  return (h ^ (h >>> 15)) >>> 0;
}

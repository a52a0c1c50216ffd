import { type ReadyForm, readyForm } from './parse_fields';
import type { ShapeTable } from './shapes';

/** The name of an event as the text has it, and the forms that its body may follow, likeliest first. */
export interface EventName {
  readonly name: string;
  /** The schema knows it. */
  readonly known: boolean;
  readonly forms: ReadyForm[];
}

/** What a line's `sys_NAME` stands for. */
export type Prefix = '' | 'sys_enter_' | 'sys_exit_';

interface Entry extends EventName {
  readonly bytes: Uint8Array;
  readonly prefix: Prefix;
  readonly hash: number;
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
/** 1 for the bytes that a name is made of. */
const NAME = new Uint8Array(256);
for (const c of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.') NAME[c.charCodeAt(0)] = 1;

/** Names met in a text, found by their bytes. */
export class NameTable {
  private readonly entries: Entry[] = [];
  private slots = new Int32Array(1024).fill(-1);
  private hash = 0;

  constructor(private readonly shapes: ShapeTable) {}

  /** Place behind the name at `start`; remembers its hash for {@link get}. */
  scan(buf: Uint8Array, start: number, end: number): number {
    let pos = start;
    let h = 0x811c9dc5;
    while (pos < end && NAME[buf[pos]] === 1) h = Math.imul(h ^ buf[pos++], 0x01000193);
    this.hash = (h ^ (h >>> 15)) >>> 0;
    return pos;
  }

  /** The name buf[start..end) that was scanned last. */
  get(buf: Uint8Array, start: number, end: number, prefix: Prefix): EventName {
    const { slots, entries, hash } = this;
    const mask = slots.length - 1;
    for (let slot = (hash + prefix.length) & mask; slots[slot] >= 0; slot = (slot + 1) & mask) {
      const entry = entries[slots[slot]];
      if (entry.prefix === prefix && sameBytes(entry.bytes, buf, start, end)) return entry;
    }
    return this.add(buf.slice(start, end), prefix);
  }

  private add(bytes: Uint8Array, prefix: Prefix): EventName {
    const text = decoder.decode(bytes);
    const name = prefix === '' ? text : prefix + text.slice(4);
    const forms = this.shapes.readers(name);
    const known = forms.some((form) => form.shape.spec !== undefined);
    const entry = { name, known, forms: forms.map(readyForm), bytes, prefix, hash: this.hash };
    this.entries.push(entry);
    if (this.entries.length * 2 >= this.slots.length) this.grow();
    else this.place(this.entries.length - 1);
    return entry;
  }

  private place(index: number): void {
    const { slots, entries } = this;
    const mask = slots.length - 1;
    let slot = (entries[index].hash + entries[index].prefix.length) & mask;
    while (slots[slot] >= 0) slot = (slot + 1) & mask;
    slots[slot] = index;
  }

  private grow(): void {
    this.slots = new Int32Array(this.slots.length * 4).fill(-1);
    for (let index = 0; index < this.entries.length; index++) this.place(index);
  }
}

function sameBytes(known: Uint8Array, buf: Uint8Array, from: number, to: number): boolean {
  if (known.length !== to - from) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== buf[from + i]) return false;
  return true;
}

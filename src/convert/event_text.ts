import type { Format } from '../trace/template';
import type { Trace } from '../trace/trace';
import { type ByteText, chunkOf } from './byte_text';
import { fieldsJson } from './event_json';

/** High words from this one on make numbers that are no safe integers. */
const UNSAFE_HIGH = 2 ** 21;

/** Ways to write a field: an interned text, a signed or an unsigned number, a hexadecimal text. */
const AS = { text: 0, signed: 1, unsigned: 2, hex: 3 } as const;
const WAYS: Readonly<Record<Format, number>> = {
  s: AS.text,
  d: AS.signed,
  u: AS.unsigned,
  h: AS.unsigned,
  H: AS.unsigned,
  x: AS.hex,
  p: AS.hex,
  z: AS.hex,
};

/** What is known of a shape's fields before any event is written. */
interface ShapeText {
  /** `,"name":` of each field. */
  readonly keys: readonly Uint8Array[];
  /** How each is written, see {@link AS}. */
  readonly ways: Uint8Array;
  /** Names that an object would not keep in this order, or not at all, take the way by the object. */
  readonly plain: boolean;
}

const BEGIN = chunkOf('{"event":');
const CPU = chunkOf(',"cpu":');
const END = chunkOf('}');
const QUOTE = chunkOf('"');
const HEX = chunkOf('"0x');

/**
 * Writes `args` of events as JSON text: number, CPU and fields, the same text as of {@link fieldsJson} as an object, without making
 * one for each event.
 */
export class EventTexts {
  /** By the shape's id. */
  private readonly shapes: ShapeText[] = [];
  private readonly strings: Uint8Array[] = [];

  constructor(private readonly trace: Trace) {}

  /** Adds those of event i to a text. */
  args(out: ByteText, i: number): void {
    const { trace } = this;
    const cpu = trace.cpu[i]!;
    const { keys, ways, plain } = this.shapeText(trace.shape[i]!);
    if (!plain) {
      out.text(JSON.stringify({ event: i, cpu, ...fieldsJson(trace, i) }));
      return;
    }
    const at = trace.at[i]!;
    out.chunk(BEGIN);
    out.decimal(i);
    out.chunk(CPU);
    out.decimal(cpu);
    for (let k = 0; k < keys.length; k++) {
      out.chunk(keys[k]!);
      this.value(out, ways[k]!, trace.words[at + k]!);
    }
    out.chunk(END);
  }

  private value(out: ByteText, way: number, word: number): void {
    const { wide } = this.trace;
    switch (way) {
      case AS.text:
        out.chunk(this.string(word));
        return;
      case AS.signed: {
        const value = wide.number(word);
        if (Number.isSafeInteger(value)) out.decimal(value);
        else out.text(`"${wide.signed(word)}"`);
        return;
      }
      case AS.unsigned:
        if (wide.highOf(word) < UNSAFE_HIGH) {
          out.decimal(wide.highOf(word) * 0x100000000 + wide.lowOf(word));
          return;
        }
    }
    const high = wide.highOf(word);
    out.chunk(HEX);
    if (high > 0) out.hex(high);
    out.hex(wide.lowOf(word), high > 0 ? 8 : 1);
    out.chunk(QUOTE);
  }

  private string(word: number): Uint8Array {
    this.strings[word] ??= chunkOf(JSON.stringify(this.trace.strings.text(word)));
    return this.strings[word];
  }

  private shapeText(shape: number): ShapeText {
    let known = this.shapes[shape];
    if (known === undefined) {
      const { names, formats } = this.trace.shapes.get(shape).template;
      const all = new Set([...names, 'event', 'cpu']);
      known = {
        keys: names.map((name) => chunkOf(`,${JSON.stringify(name)}:`)),
        ways: Uint8Array.from(formats, (format) => WAYS[format]),
        plain: all.size === names.length + 2 && !names.some((name) => /^\d+$/.test(name)),
      };
      this.shapes[shape] = known;
    }
    return known;
  }
}

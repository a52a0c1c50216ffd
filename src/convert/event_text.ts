import type { Shape } from '../trace/shapes';
import type { Trace } from '../trace/trace';
import { type ByteText, chunkOf } from './byte_text';
import { fieldsJson } from './event_json';

/** High words from this one on make numbers that are no safe integers. */
const UNSAFE_HIGH = 2 ** 21;

/** What is known of a shape's fields before any event is written. */
interface ShapeText {
  /** `,"name":` of each field. */
  readonly keys: readonly Uint8Array[];
  /** How each is written: a number, an interned text, or a hexadecimal text. */
  readonly formats: readonly string[];
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
  private readonly shapes = new Map<Shape, ShapeText>();
  private readonly strings: Uint8Array[] = [];

  constructor(private readonly trace: Trace) {}

  /** Adds those of event i to a text. */
  args(out: ByteText, i: number): void {
    const { trace } = this;
    const shape = trace.shapeOf(i);
    const cpu = trace.cpu[i]!;
    const { keys, formats, plain } = this.shapeText(shape);
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
      this.value(out, formats[k]!, trace.words[at + k]!);
    }
    out.chunk(END);
  }

  private value(out: ByteText, format: string, word: number): void {
    const { wide } = this.trace;
    switch (format) {
      case 's':
        out.chunk(this.string(word));
        return;
      case 'd': {
        const value = wide.number(word);
        if (Number.isSafeInteger(value)) out.decimal(value);
        else out.text(`"${wide.signed(word)}"`);
        return;
      }
      case 'u':
      case 'h':
      case 'H':
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

  private shapeText(shape: Shape): ShapeText {
    let known = this.shapes.get(shape);
    if (known === undefined) {
      const { names, formats } = shape.template;
      const all = new Set([...names, 'event', 'cpu']);
      known = {
        keys: names.map((name) => chunkOf(`,${JSON.stringify(name)}:`)),
        formats: names.map((_, k) => formats[k] ?? ''),
        plain: all.size === names.length + 2 && !names.some((name) => /^\d+$/.test(name)),
      };
      this.shapes.set(shape, known);
    }
    return known;
  }
}

import type { Shape } from '../trace/shapes';
import type { Trace } from '../trace/trace';
import { fieldsJson } from './event_json';

/** Words below are the value itself: see `WideTable`. */
const INLINE = 0x80000000;

/** What is known of a shape's fields before any event is written. */
interface ShapeText {
  /** `,"name":` of each field. */
  readonly keys: readonly string[];
  /** How each is written: a number, an interned text, or a hexadecimal text. */
  readonly formats: readonly string[];
  /** Names that an object would not keep in this order, or not at all, take the way by the object. */
  readonly plain: boolean;
}

/**
 * Writes `args` of events as JSON text: number, CPU and fields, the same text as of {@link fieldsJson} as an object, without making
 * one for each event.
 */
export class EventTexts {
  private readonly shapes = new Map<Shape, ShapeText>();
  private readonly strings: string[] = [];

  constructor(private readonly trace: Trace) {}

  /** Event i. */
  args(i: number): string {
    const { trace } = this;
    const shape = trace.shapeOf(i);
    const cpu = trace.cpu[i]!;
    const { keys, formats, plain } = this.shapeText(shape);
    if (!plain) return JSON.stringify({ event: i, cpu, ...fieldsJson(trace, i) });
    const at = trace.at[i]!;
    let text = `{"event":${i},"cpu":${cpu}`;
    for (let k = 0; k < keys.length; k++) text += keys[k]! + this.value(formats[k]!, trace.words[at + k]!);
    return `${text}}`;
  }

  private value(format: string, word: number): string {
    const { wide } = this.trace;
    switch (format) {
      case 's':
        this.strings[word] ??= JSON.stringify(this.trace.strings.text(word));
        return this.strings[word];
      case 'd': {
        const value = wide.number(word);
        return Number.isSafeInteger(value) ? `${value}` : `"${wide.signed(word)}"`;
      }
      case 'u':
      case 'h':
      case 'H': {
        if (word < INLINE) return `${word}`;
        const bits = wide.big(word);
        return bits > BigInt(Number.MAX_SAFE_INTEGER) ? `"0x${bits.toString(16)}"` : `${bits}`;
      }
      default:
        return `"0x${word < INLINE ? word.toString(16) : wide.big(word).toString(16)}"`;
    }
  }

  private shapeText(shape: Shape): ShapeText {
    let known = this.shapes.get(shape);
    if (known === undefined) {
      const { names, formats } = shape.template;
      const all = new Set([...names, 'event', 'cpu']);
      known = {
        keys: names.map((name) => `,${JSON.stringify(name)}:`),
        formats: names.map((_, k) => formats[k] ?? ''),
        plain: all.size === names.length + 2 && !names.some((name) => /^\d+$/.test(name)),
      };
      this.shapes.set(shape, known);
    }
    return known;
  }
}

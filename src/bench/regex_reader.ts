import { ShapeTable } from '../trace/shapes';
import type { Format, Template } from '../trace/template';

type Value = string | number | bigint;

/** What the plain reader keeps of an event. */
export interface PlainEvent {
  readonly comm: string;
  readonly pid: number;
  readonly tgid: number;
  readonly cpu: number;
  readonly flags: string;
  /** ns */
  readonly time: number;
  readonly name: string;
  /** Fields in the order of the event's template; of unknown events, the body. */
  readonly values: readonly Value[];
}

interface Form {
  readonly pattern: RegExp;
  readonly formats: readonly Format[];
}

const LINE =
  /^ *(.+?)-(\d+) +(?:\( *(-+|\d+)\) +)?\[(\d{3,4})\] (?:([^ 0-9]\S{3,7}) )? *(\d+)\.(\d{6,9}): (?:([\w.]+): ?(.*)|sys_(\w+)(\(.*\))|sys_(\w+) -> (.*)|(.*))$/;
const TEXT_OF: Readonly<Record<Format, string>> = {
  d: '(-?\\d+)',
  u: '(\\d+)',
  x: '([0-9a-f]+)',
  p: '([0-9a-f]{16})',
  h: '([0-9a-f]+)',
  H: '(\\d|0x[0-9a-f]+)',
  z: '([0-9a-f]+)',
  s: '(.*?)',
};

/**
 * The reader that one would write in an afternoon, to compare with: a regular expression for the line, one per form of an
 * event's body, an object per event. It yields what the trace's columns hold: the same fields, 64-bit numbers whole.
 */
export class RegexReader {
  private readonly shapes = new ShapeTable();
  private readonly forms = new Map<string, readonly Form[]>();

  /** The events of a text; lines that are none are left out. */
  read(text: string): PlainEvent[] {
    const events: PlainEvent[] = [];
    for (const line of text.split('\n')) {
      const m = LINE.exec(line);
      if (m === null) continue;
      const name =
        m[8] ?? (m[10] !== undefined ? `sys_enter_${m[10]}` : m[12] !== undefined ? `sys_exit_${m[12]}` : '');
      events.push({
        comm: m[1]!,
        pid: Number(m[2]),
        tgid: m[3] === undefined || m[3].startsWith('-') ? -1 : Number(m[3]),
        cpu: Number(m[4]),
        flags: m[5] ?? '',
        time: Number(m[6]) * 1e9 + Number(m[7]!.padEnd(9, '0')),
        name,
        values: this.values(name, m[9] ?? m[11] ?? m[13] ?? m[14] ?? ''),
      });
    }
    return events;
  }

  private values(name: string, body: string): Value[] {
    for (const { pattern, formats } of this.formsOf(name)) {
      const m = pattern.exec(body);
      if (m === null) continue;
      return formats.map((format, k) => fieldValue(format, m[k + 1]!));
    }
    return [body];
  }

  private formsOf(name: string): readonly Form[] {
    let forms = this.forms.get(name);
    if (forms === undefined) {
      forms = this.shapes.readers(name).map(({ template }) => ({
        pattern: patternOf(template),
        formats: template.formats,
      }));
      this.forms.set(name, forms);
    }
    return forms;
  }
}

function patternOf(template: Template): RegExp {
  const { literals, formats } = template;
  const escaped = literals.map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(
    `^${escaped[0]}${formats.map((format, k) => TEXT_OF[format] + escaped[k + 1]!).join('')}$`,
  );
}

function fieldValue(format: Format, text: string): Value {
  if (format === 's') return text;
  const digits =
    format === 'd' || format === 'u' || format === 'H' || text.startsWith('0x') ? text : `0x${text}`;
  const value = Number(digits);
  return Number.isSafeInteger(value) ? value : BigInt(digits);
}

import { EVENTS, type EventName, eventNames, eventSpec } from './schema';
import type { EventSpec } from './schema_types';
import { compileTemplate, type Template } from './template';

/** How a line joins the name and the body of an event. */
export type LineKind = 'named' | 'syscall-enter' | 'syscall-exit' | 'plain';

/** One text form of one event: its layout in columns and in text. */
export interface Shape {
  readonly id: number;
  readonly name: string;
  readonly line: LineKind;
  readonly template: Template;
  /** Index of each field by name. */
  readonly fields: ReadonlyMap<string, number>;
  /** The schema's entry; undefined for events the schema does not know. */
  readonly spec: EventSpec | undefined;
  /** True where the body could not be split into fields and is kept as one string. */
  readonly raw: boolean;
}

/** A way to read an event: the template that the text follows and the shape that its fields are stored in. */
export interface ReadForm {
  readonly template: Template;
  readonly shape: Shape;
}

/** Most shapes a trace may have; beyond it unknown events are kept as raw text. */
const MAX_SHAPES = 0xfff0;

/** The shapes of one trace: those of the schema, and those met in its text. */
export class ShapeTable {
  private readonly shapes: Shape[] = [];
  private readonly byKey = new Map<string, Shape>();
  private readonly byName = new Map<string, ReadForm[]>();

  constructor() {
    for (const name of eventNames()) {
      const spec: EventSpec = EVENTS[name];
      for (const text of spec.text) {
        const shape = this.define(name, lineKind(name), text, false);
        this.addReader(name, shape.template, shape);
      }
      for (const text of spec.text) this.addReportForm(name, spec, text);
    }
  }

  /** Number of shapes. */
  get size(): number {
    return this.shapes.length;
  }

  /** Shape by id, as stored in the shape column. */
  get(id: number): Shape {
    return this.shapes[id];
  }

  /** The first (simulator's) shape of an event of the schema, or its n-th form. */
  of(name: EventName, form = 0): Shape {
    const shape = this.byKey.get(key(name, EVENTS[name].text[form] ?? EVENTS[name].text[0]));
    if (!shape) throw new Error(`no shape for ${name}`);
    return shape;
  }

  /** Ways to read an event with this name, likeliest first; empty for unknown names. */
  readers(name: string): readonly ReadForm[] {
    return this.byName.get(name) ?? [];
  }

  /** The shape of a template met in text; undefined when the table is full. */
  learn(name: string, line: LineKind, text: string, raw: boolean): Shape | undefined {
    const known = this.byKey.get(key(name, text));
    if (known) return known;
    if (this.shapes.length >= MAX_SHAPES) return undefined;
    const shape = this.define(name, line, text, raw);
    if (!raw) this.addReader(name, shape.template, shape);
    return shape;
  }

  private define(name: string, line: LineKind, text: string, raw: boolean): Shape {
    const template = compileTemplate(text);
    const shape: Shape = {
      id: this.shapes.length,
      name,
      line,
      template,
      fields: new Map(template.names.map((field, index) => [field, index])),
      spec: eventSpec(name),
      raw,
    };
    this.shapes.push(shape);
    this.byKey.set(key(name, text), shape);
    return shape;
  }

  private addReader(name: string, template: Template, shape: Shape): void {
    const forms = this.byName.get(name);
    if (forms) forms.push({ template, shape });
    else this.byName.set(name, [{ template, shape }]);
  }

  /** `trace-cmd report` prints pointers with 0x and system calls as zero-padded hexadecimal; both map to the usual columns. */
  private addReportForm(name: EventName, spec: EventSpec, text: string): void {
    let report = text.replaceAll(/\{(\w+):p\}/g, '0x{$1:x}');
    if (spec.kind === 'syscall-enter') {
      report = report
        .replace(/^\(/, '')
        .replace(/\)$/, '')
        .replaceAll(/\{(\w+):[hH]\}/g, '0x{$1:z}');
    }
    const shape = this.byKey.get(key(name, text));
    if (report !== text && shape) this.addReader(name, compileTemplate(report), shape);
  }
}

/** The name that ftrace prints before the body of this event. */
export function lineKind(name: string): LineKind {
  if (name.startsWith('sys_enter_')) return 'syscall-enter';
  if (name.startsWith('sys_exit_')) return 'syscall-exit';
  return 'named';
}

function key(name: string, text: string): string {
  return `${name}\n${text}`;
}

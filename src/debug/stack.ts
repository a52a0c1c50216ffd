/**
 * The annotated pseudo-code of media/stack: which line of which file stands for an event. Each file is C-like text with
 * labels `//@ event_name` at line ends; a function starts and ends in column 1.
 */
import { type EventName, eventSpec } from '../trace/schema';

/** A function of a file: first line (its header) and last line (its closing brace), from 1. */
export interface StackFunction {
  readonly name: string;
  readonly line: number;
  readonly endLine: number;
}

/** A label: the event, its line (from 1) and the function around it. */
export interface StackLabel {
  readonly event: EventName;
  readonly line: number;
  readonly function: string;
}

/** Something wrong in a file; line and column from 1. */
export interface StackProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** One file of the pseudo-code, parsed. */
export interface StackFile {
  readonly name: string;
  readonly lines: readonly string[];
  readonly functions: readonly StackFunction[];
  readonly labels: readonly StackLabel[];
  readonly problems: readonly StackProblem[];
}

/** Where an event is in the pseudo-code; line from 1. */
export interface StackLocation {
  readonly file: string;
  readonly line: number;
  readonly function: string;
}

const LABEL_MARK = '//@';
const LABEL = /\/\/@ (\w+)$/;
const HEADER = /^(?!static const|struct \w+ \{|#|\/|\*)[A-Za-z_][\w\s*]*?\b([A-Za-z_]\w*)\(/;

/** Finds functions and labels of one file. `name` is what locations and problems carry. Never throws. */
export function parseStackFile(name: string, text: string): StackFile {
  const lines = text.split(/\r?\n/);
  const problems: StackProblem[] = [];
  const functions = functionsOf(name, lines, problems);
  const labels: StackLabel[] = [];
  const report = (line: number, column: number, message: string): void => {
    problems.push({ file: name, line, column, message });
  };
  for (const [index, text] of lines.entries()) {
    const at = text.indexOf(LABEL_MARK);
    if (at < 0) continue;
    const line = index + 1;
    const event = LABEL.exec(text)?.[1];
    const around = functions.find((f) => f.line <= line && line <= f.endLine);
    if (!event || text.indexOf(LABEL_MARK, at + 1) >= 0) {
      report(line, at + 1, `a label is one "${LABEL_MARK} event_name" at the end of the line`);
    } else if (!eventSpec(event)) {
      report(line, at + 1, `unknown event "${event}"`);
    } else if (!around) {
      report(line, at + 1, `label of "${event}" lies in no function`);
    } else {
      labels.push({ event: event as EventName, line, function: around.name });
    }
  }
  return { name, lines, functions, labels, problems };
}

function functionsOf(file: string, lines: readonly string[], problems: StackProblem[]): StackFunction[] {
  const functions: StackFunction[] = [];
  let header: { name: string; line: number } | undefined;
  let inside = false;
  for (const [index, text] of lines.entries()) {
    const line = index + 1;
    if (inside) {
      if (text !== '}') continue;
      if (header) functions.push({ ...header, endLine: line });
      header = undefined;
      inside = false;
    } else if (text === '{') {
      inside = header !== undefined;
      if (!header)
        problems.push({ file, line, column: 1, message: 'a body without the header of a function' });
    } else {
      const name = HEADER.exec(text)?.[1];
      if (name) header = { name, line };
      if (header && text.endsWith(';')) header = undefined;
    }
  }
  if (inside && header) {
    problems.push({
      file,
      line: header.line,
      column: 1,
      message: `function "${header.name}" has no closing brace`,
    });
  }
  return functions;
}

/** All files of the pseudo-code. The host reads them (the extension by workspace.fs); nothing here touches a disk. */
export class StackIndex {
  readonly files: readonly StackFile[];
  /** What is wrong in the files, and labels that stand in two places. */
  readonly problems: readonly StackProblem[];
  private readonly byEvent = new Map<string, StackLocation>();
  private readonly byName = new Map<string, StackFile>();

  constructor(files: Iterable<{ readonly name: string; readonly text: string }>) {
    this.files = Array.from(files, ({ name, text }) => parseStackFile(name, text));
    const problems = this.files.flatMap((file) => file.problems);
    for (const file of this.files) {
      this.byName.set(file.name, file);
      for (const { event, line, function: fn } of file.labels) {
        const first = this.byEvent.get(event);
        if (first) {
          const message = `event "${event}" has a label already in ${first.file}:${first.line}`;
          problems.push({ file: file.name, line, column: 1, message });
        } else {
          this.byEvent.set(event, { file: file.name, line, function: fn });
        }
      }
    }
    this.problems = problems;
  }

  /** The labelled line of an event; undefined for events that the pseudo-code does not have. */
  locate(event: string): StackLocation | undefined {
    return this.byEvent.get(event);
  }

  /** Events bound to exactly this line. */
  eventsAt(file: string, line: number): EventName[] {
    return this.labelsOf(file).flatMap((label) => (label.line === line ? [label.event] : []));
  }

  /** The function around a line. */
  functionAt(file: string, line: number): StackFunction | undefined {
    return this.byName.get(file)?.functions.find((f) => f.line <= line && line <= f.endLine);
  }

  /** The line where a breakpoint asked for at `line` holds: the next labelled one from there; undefined behind the last. */
  breakableLine(file: string, line: number): number | undefined {
    return this.labelsOf(file).find((label) => label.line >= line)?.line;
  }

  private labelsOf(file: string): readonly StackLabel[] {
    return this.byName.get(file)?.labels ?? [];
  }
}

import { checkTrace } from '../../src/check/check';
import type { CheckReport } from '../../src/check/types';
import { loadRecording, parseTrace } from '../support/oracle';

/** What a check of a trace text finds. */
export function checkText(text: string): CheckReport {
  return checkTrace(parseTrace(text).trace);
}

/** Broken rules, each once, sorted. */
export function brokenRules(text: string): string[] {
  return [...new Set(checkText(text).violations.map((v) => v.rule))].sort();
}

/** Lines of a recording. */
export function recorded(name: string): Lines {
  return new Lines(loadRecording(name).text.split('\n'));
}

/** A trace text to be edited line by line. Every edit fails when there is nothing to edit. */
export class Lines {
  constructor(readonly lines: string[]) {}

  /** Index of the n-th line that matches. */
  find(pattern: RegExp, from = 0): number {
    for (let i = from; i < this.lines.length; i++) if (pattern.test(this.lines[i])) return i;
    throw new Error(`no line matches ${pattern} from ${from} on`);
  }

  /** Replaces in one line. */
  edit(at: number, what: string | RegExp, by: string): this {
    const line = this.lines[at].replace(what, by);
    if (line === this.lines[at]) throw new Error(`nothing to replace in: ${line}`);
    this.lines[at] = line;
    return this;
  }

  drop(at: number): this {
    this.lines.splice(at, 1);
    return this;
  }

  insert(at: number, ...lines: string[]): this {
    this.lines.splice(at, 0, ...lines);
    return this;
  }

  repeat(at: number): this {
    return this.insert(at + 1, this.lines[at]);
  }

  /** Takes a line out and puts it before the line that is at `to` now; its time goes with it. */
  move(from: number, to: number): this {
    const [line] = this.lines.splice(from, 1);
    this.lines.splice(to > from ? to - 1 : to, 0, line);
    return this;
  }

  broken(): string[] {
    return brokenRules(this.lines.join('\n'));
  }
}

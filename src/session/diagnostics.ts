import type { Diagnostic, Span } from './ast';

/** Diagnostics kept of one session; what comes after is counted in one last line. */
export const MAX_DIAGNOSTICS = 1000;

const RANK = { info: 0, warning: 1, error: 2 } as const;
const LONGEST_QUOTE = 40;

/** Collects diagnostics in the order found and keeps their number bounded. */
export class DiagnosticSink {
  errors = 0;
  readonly #kept: Diagnostic[] = [];
  readonly #seen = new Set<string>();
  #more = 0;
  #worst: Diagnostic | undefined;

  /** True when so many errors are known that reading on has no use. */
  get full(): boolean {
    return this.errors >= MAX_DIAGNOSTICS;
  }

  error(at: Span, message: string): void {
    this.errors++;
    this.#add('error', at, message);
  }

  warning(at: Span, message: string): void {
    this.#add('warning', at, message);
  }

  info(at: Span, message: string): void {
    this.#add('info', at, message);
  }

  /** Sorted by place; the summary of those dropped, if any, comes last and is as severe as the worst of them. */
  finish(): Diagnostic[] {
    const sorted = this.#kept.sort((a, b) => a.line - b.line || a.column - b.column);
    if (this.#worst === undefined) return sorted;
    if (this.#more === 1) return [...sorted, this.#worst];
    const message = `${this.#worst.message} (the first of ${this.#more} more that are not listed)`;
    return [...sorted, { ...this.#worst, message }];
  }

  #add(severity: Diagnostic['severity'], at: Span, message: string): void {
    const endColumn = Math.max(at.endColumn, at.column);
    const diagnostic = { severity, line: at.line, column: at.column, endColumn, message };
    // A default of several fio jobs is read once for each of them.
    const key = `${at.line}:${at.column}:${message}`;
    if (this.#seen.has(key)) return;
    if (this.#kept.length < MAX_DIAGNOSTICS) this.#seen.add(key);
    if (this.#kept.length < MAX_DIAGNOSTICS) {
      this.#kept.push(diagnostic);
      return;
    }
    this.#more++;
    if (this.#worst === undefined || RANK[severity] > RANK[this.#worst.severity]) this.#worst = diagnostic;
  }
}

/** The one-line form of an error or warning: `file:line:column: message`. */
export function formatDiagnostic(file: string, diagnostic: Diagnostic): string {
  const { line, column, severity, message } = diagnostic;
  return `${file}:${line}:${column}: ${severity === 'error' ? '' : `${severity}: `}${message}`;
}

/** Text from a session, fit to stand in a message: one line, bounded, control characters replaced. */
export function quote(text: string): string {
  const cut = text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}...` : text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must go
  return `'${cut.replace(/[\u0000-\u001f\u007f\u2028\u2029]/g, '?')}'`;
}

/** `; did you mean 'x'?` for the nearest of `known`, or an empty string when none is near. */
export function didYouMean(word: string, known: Iterable<string>): string {
  if (word.length > 32) return '';
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best === undefined ? '' : `; did you mean ${quote(best)}?`;
}

/** Edits (insert, delete, replace, swap neighbours) between two short words. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(replace, previous[j]! + 1, row[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, before[j - 2]! + 1);
      }
      row.push(cost);
    }
    [before, previous] = [previous, row];
  }
  return previous[b.length]!;
}

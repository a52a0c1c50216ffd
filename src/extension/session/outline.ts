import { parseSession } from '../../session/parse';
import type { Translate } from '../translate';

/** One entry of a session's outline. Lines count from 0. */
export interface OutlineItem {
  readonly name: string;
  readonly detail: string;
  readonly kind: 'command' | 'setting' | 'fault' | 'job';
  readonly line: number;
  readonly endLine: number;
  readonly children: readonly OutlineItem[];
}

/** Lines that fold together, from 0, both inclusive. */
export interface Fold {
  readonly start: number;
  readonly end: number;
  readonly comment: boolean;
}

/** Settings, faults and commands of a session in the order of their lines; broken commands are left out. */
export function outline(text: string, t: Translate): OutlineItem[] {
  const lines = text.split(/\r?\n/);
  const items: OutlineItem[] = [];
  for (const [line, content] of lines.entries()) {
    const match = /^\s*#:\s*(\S+)\s*(.*)$/.exec(content);
    if (match === null) continue;
    const kind = match[1] === 'fault' ? 'fault' : 'setting';
    items.push({ name: match[1]!, detail: match[2]!.trim(), kind, line, endLine: line, children: [] });
  }
  for (const command of parseSession(text, '').commands) {
    const line = command.line - 1;
    const endLine = lastLine(lines, line);
    const words = command.text.split(/\s+/);
    const length = words[0] === 'ublk' ? 2 : 1;
    const name = `${words.slice(0, length).join(' ')}${command.background ? ' &' : ''}`;
    const jobs = command.kind === 'fio' ? command.jobs : [];
    const children = jobs.map(
      (job): OutlineItem => ({
        name: job.name,
        detail: t('{0} {1} bytes, {2} in flight', job.rw, String(job.bs), job.iodepth),
        kind: 'job',
        line,
        endLine,
        children: [],
      }),
    );
    items.push({ name, detail: words.slice(length).join(' '), kind: 'command', line, endLine, children });
  }
  return items.sort((a, b) => a.line - b.line);
}

/** Blocks of comments or settings, continued lines, and a block of commands under its comment. */
export function folds(text: string): Fold[] {
  const lines = text.split(/\r?\n/);
  const found: Fold[] = [];
  for (let line = 0; line < lines.length; ) {
    const comment = /^\s*#/.test(lines[line]!);
    let end = line;
    if (comment) while (end + 1 < lines.length && /^\s*#/.test(lines[end + 1]!)) end++;
    else end = lastLine(lines, line);
    if (end > line) found.push({ start: line, end, comment });
    if (comment) {
      let block = end;
      while (block + 1 < lines.length && /^\s*[^\s#]/.test(lines[block + 1]!)) block++;
      if (block > end && end === line) found.push({ start: line, end: block, comment: false });
    }
    line = end + 1;
  }
  return found;
}

function lastLine(lines: readonly string[], line: number): number {
  let end = line;
  while (end + 1 < lines.length && lines[end]!.endsWith('\\')) end++;
  return end;
}

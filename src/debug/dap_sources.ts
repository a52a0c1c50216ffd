import type { DebugProtocol } from '@vscode/debugprotocol';
import type { DebugHost, Opened } from './dap_host';
import { LineMap } from './line_map';

/** Texts beyond this are shown by excerpts, bytes: VS Code neither colours nor hands over larger documents. */
const LARGE_TEXT = 20 << 20;
/** Events of one excerpt. */
const EXCERPT = 4096;
/** Reference of the session as it ran: no excerpt has it. */
export const RUN_SESSION = 0x7ffffffe;
/**
 * Name of every file of the pseudo-code as a source. VS Code keeps trees of variables open by thread, frame and source name, so
 * the top frame has to have the same name wherever a step leads.
 */
const STACK_NAME = 'kernel path';

/** A place in a document. */
export interface Place {
  readonly source: DebugProtocol.Source;
  readonly line: number;
}

/** What a line of a document stands for. `line` is where a breakpoint asked for there holds. */
export interface LineTarget {
  readonly kind: 'trace' | 'session' | 'stack';
  readonly line: number;
  /** Events of the trace, in order. */
  readonly events?: readonly number[];
  /** Names of events, for pseudo-code. */
  readonly names?: readonly string[];
  /** Why no breakpoint can hold in this document. */
  readonly problem?: string;
}

/** Documents of a debug session: trace text (whole or by excerpts), session file, pseudo-code. */
export class Sources {
  private readonly sessionPath: string | undefined;
  private mapped: { readonly now: string; readonly lines: LineMap } | undefined;

  constructor(
    private readonly opened: Opened,
    private readonly host: DebugHost,
  ) {
    const { open, sessionDocument } = opened;
    this.sessionPath = sessionDocument ?? (open.source.kind === 'text' ? undefined : open.source.path);
  }

  /** The trace text is shown by excerpts. */
  get byExcerpts(): boolean {
    const { traceDocument, traceBytes = 0 } = this.opened;
    return traceDocument === undefined || traceBytes > LARGE_TEXT;
  }

  /** The session file is no longer what ran. */
  private get edited(): boolean {
    return this.opened.sessionText?.edited() === true;
  }

  /** The line of an event in the trace text. */
  ofEvent(event: number): Place {
    const { open, traceDocument } = this.opened;
    if (!this.byExcerpts && traceDocument !== undefined) {
      return { source: documentSource(traceDocument), line: open.lineOf(event) };
    }
    const part = Math.floor(event / EXCERPT);
    return { source: this.excerpt(part), line: open.lineOf(event) - this.firstLine(part) + 1 };
  }

  /** First line of the session, else of the trace text. */
  beginning(): Place {
    const { traceDocument } = this.opened;
    const session = this.ofSession(1);
    if (session !== undefined) return session;
    if (this.byExcerpts || traceDocument === undefined) return { source: this.excerpt(0), line: 1 };
    return { source: documentSource(traceDocument), line: 1 };
  }

  /** A line of the session file; undefined where the trace came from none that is known. */
  ofSession(line: number): Place | undefined {
    const path = this.sessionPath;
    if (path === undefined) return undefined;
    const name = path.split(/[\\/]/).pop() ?? path;
    return this.edited
      ? { source: { name: `${name} (as it ran)`, path, sourceReference: RUN_SESSION }, line }
      : { source: { name, path }, line };
  }

  /** The line of the pseudo-code that stands for an event of this name. */
  ofName(name: string): Place | undefined {
    const { stack, stackPath } = this.host;
    const found = stack?.locate(name);
    if (found === undefined || stackPath === undefined) return undefined;
    return { source: { name: STACK_NAME, path: stackPath(found.file) }, line: found.line };
  }

  /** Text of an excerpt or of the session as it ran; undefined for a reference that never was given out. */
  text(reference: number): string | undefined {
    const { open, sessionText } = this.opened;
    if (reference === RUN_SESSION) return sessionText?.text;
    const from = (reference - 1) * EXCERPT;
    if (!Number.isInteger(reference) || from < 0 || from > open.length) return undefined;
    const to = Math.min(open.length, from + EXCERPT);
    const text = open.printer.text(from, to);
    // notes in front of the first event of the next excerpt belong to that one
    const lines =
      (to === open.length ? open.lineCount : this.firstLine(reference) - 1) -
      this.firstLine(reference - 1) +
      1;
    return text.split('\n').slice(0, lines).join('\n');
  }

  /** What stands on a line, or on the nearest one below it that means something; undefined for other documents. */
  target(source: DebugProtocol.Source, line: number): LineTarget | undefined {
    const { open, traceDocument } = this.opened;
    const reference = source.sourceReference ?? 0;
    if (reference === RUN_SESSION) return this.sessionTarget(line);
    const part = reference > 0 ? reference - 1 : source.path && this.opened.excerpts?.partOf(source.path);
    if (typeof part === 'number') {
      const base = this.firstLine(part);
      const event = open.eventAtLine(line + base - 1);
      return event < 0
        ? { kind: 'trace', line }
        : { kind: 'trace', line: open.lineOf(event) - base + 1, events: [event] };
    }
    const { path } = source;
    if (path === undefined) return undefined;
    if (traceDocument !== undefined && same(path, traceDocument)) {
      const event = open.eventAtLine(line);
      return event < 0
        ? { kind: 'trace', line }
        : { kind: 'trace', line: open.lineOf(event), events: [event] };
    }
    if (this.sessionPath !== undefined && same(path, this.sessionPath)) {
      return this.edited ? this.editedTarget(line) : this.sessionTarget(line);
    }
    const file = this.stackFile(path);
    const { stack } = this.host;
    if (file === undefined || stack?.breakableLine(file, 1) === undefined) return undefined;
    const at = stack.breakableLine(file, line);
    return at === undefined
      ? { kind: 'stack', line }
      : { kind: 'stack', line: at, names: stack.eventsAt(file, at) };
  }

  /** Line of the session as it ran that a line of its file is, whatever was edited; undefined for other documents and changed lines. */
  ranLine(source: DebugProtocol.Source, line: number): number | undefined {
    if ((source.sourceReference ?? 0) > 0 || source.path === undefined) return undefined;
    if (this.sessionPath === undefined || !same(source.path, this.sessionPath)) return undefined;
    return this.edited ? this.lineMap()?.earlier(line) : line;
  }

  /** Where a line of the session as it ran stands in its file now; undefined for one that was changed or taken out. */
  lineNow(ran: number): number | undefined {
    return this.edited ? this.lineMap()?.later(ran) : ran;
  }

  /** What a line of the session stands for that is none of those that ran. */
  changedLine(line: number): LineTarget {
    // a host that cannot tell the text of the file cannot tell which lines were edited
    const what = this.lineMap() === undefined ? 'edited' : 'this line was edited';
    return { kind: 'session', line, problem: `${what} since the run; restart to use it` };
  }

  /** Lines of a document between two lines on which a breakpoint can hold; at most `limit`. */
  breakable(source: DebugProtocol.Source, from: number, to: number, limit = 1000): number[] {
    const lines: number[] = [];
    for (let line = from; line <= to && lines.length < limit; ) {
      const target = this.target(source, line);
      if (target?.problem !== undefined) {
        line++;
        continue;
      }
      if (target === undefined || (target.events === undefined && target.names === undefined)) break;
      if (target.line > to) break;
      // in the middle of what began above
      if (target.line < line) {
        line++;
        continue;
      }
      lines.push(target.line);
      line = target.line + 1;
    }
    return lines;
  }

  /** Sources that were given out so far or may be: for `loadedSources`. */
  all(): DebugProtocol.Source[] {
    const { open } = this.opened;
    const session = this.ofSession(1);
    return [...(open.length > 0 ? [this.ofEvent(0).source] : []), ...(session ? [session.source] : [])];
  }

  private sessionTarget(line: number): LineTarget {
    const { sessionLines } = this.opened.open;
    const first = sessionLines.first(line);
    return first === undefined
      ? { kind: 'session', line }
      : { kind: 'session', line: first.line, events: sessionLines.starts(first.line) };
  }

  /** A line of the edited file: lines that nobody changed mean what they meant when it ran. */
  private editedTarget(line: number): LineTarget {
    const lines = this.lineMap();
    const ran = lines?.earlier(line);
    if (lines === undefined || ran === undefined) return this.changedLine(line);
    const target = this.sessionTarget(ran);
    const now = lines.later(target.line);
    return now === undefined ? this.changedLine(line) : { ...target, line: now };
  }

  private lineMap(): LineMap | undefined {
    const { sessionText } = this.opened;
    const now = sessionText?.now?.();
    if (sessionText === undefined || now === undefined) return undefined;
    if (this.mapped?.now !== now) this.mapped = { now, lines: new LineMap(sessionText.text, now) };
    return this.mapped.lines;
  }

  private excerpt(part: number): DebugProtocol.Source {
    const { open } = this.opened;
    const base = open.name.replace(/\.(gz|ublk|ublktrace|txt)$/g, '');
    const name = open.length <= EXCERPT ? `${base}.ublktrace` : `${base} events ${part * EXCERPT}.ublktrace`;
    const path = this.opened.excerpts?.path(part);
    return path === undefined
      ? { name, path: `${open.path}/${name}`, sourceReference: part + 1 }
      : { name, path };
  }

  /** Line of the whole text on which an excerpt begins: the notes above its first event are in it. */
  private firstLine(part: number): number {
    const { open } = this.opened;
    if (part <= 0) return 1;
    const before = part * EXCERPT - 1;
    return before >= open.length ? open.lineCount + 1 : open.lineOf(before) + 1;
  }

  private stackFile(path: string): string | undefined {
    const { stackPath } = this.host;
    const name = path.split(/[\\/]/).pop() ?? '';
    return stackPath !== undefined && same(stackPath(name), path) ? name : undefined;
  }
}

function documentSource(path: string): DebugProtocol.Source {
  return { name: path.split('?')[0].split(/[\\/]/).pop() ?? path, path };
}

/** Two ways to name one document: VS Code hands back URIs of plain files as paths. */
function same(a: string, b: string): boolean {
  return a === b || plain(a) === plain(b);
}

function plain(path: string): string {
  if (!/^[a-z][\w+.-]+:/i.test(path)) return path;
  const rest = path.startsWith('file://') ? path.slice(7) : path;
  try {
    return decodeURIComponent(rest);
  } catch (error) {
    if (error instanceof URIError) return rest;
    throw error;
  }
}

/** A session that has nothing but a ring, written as the JSON of a ring program. */
import type { Session, Span } from '../session/ast';
import type { BufferRange, OpenCommand, RingFile, SqeCommand } from '../session/ast_ring';
import { RING_BUFFER } from '../session/ring_scope';

/** What a program has to know of the files that the session has made before. */
export interface SessionFiles {
  /** Size of a file, bytes; undefined where there is none. */
  size(path: string): number | undefined;
  /** Whether all of it is in the page cache. */
  cached(path: string): boolean;
  /** Its bytes. */
  bytes(path: string): Uint8Array;
}

/** A step of the program: the command that makes it, behind the SQEs that are filled before. */
export interface SessionStep {
  readonly sqes: readonly SqeCommand[];
  readonly command: Session['commands'][number];
}

/** A file of the program. */
export interface NamedFile {
  readonly path: string;
  readonly name: string;
  readonly kind: 'file' | 'pipe' | 'null' | 'zero' | 'full';
  /** It begins with the pattern of ring programs, not with what the session made. */
  readonly pattern: boolean;
}

/** The text of a program and what stands in it. */
export interface SessionText {
  readonly text: string;
  /** What of the session each line of the text is. */
  readonly spans: readonly Span[];
  readonly files: readonly NamedFile[];
  /** Names of the buffers that begin as zeros. */
  readonly zeros: ReadonlySet<string>;
  readonly steps: readonly SessionStep[];
  /** SQEs that no step submits. */
  readonly left: readonly SqeCommand[];
  /** The first file that is not there, and where it is named. */
  readonly missing: { readonly path: string; readonly at: Span } | undefined;
}

const ORIGIN: Span = { line: 1, column: 1, endColumn: 1 };
const KINDS = { '/dev/null': 'null', '/dev/zero': 'zero', '/dev/full': 'full' } as const;

/** Writes the program of a session; `name` must be one that ring programs can have. */
export function sessionText(session: Session, files: SessionFiles): SessionText {
  return new Writer(session, files).write();
}

class Writer {
  private readonly lines: string[] = [];
  private readonly spans: Span[] = [];
  private readonly files = new Map<string, NamedFile>();
  private readonly opens = new Map<string, OpenCommand>();
  private readonly firstUse = new Map<string, Span>();
  /** Names of buffers by how the session calls them. */
  private readonly buffers = new Map<string, string>();
  private missing: SessionText['missing'];
  private readonly taken = new Set<string>();
  private readonly direct = new Set<string>();
  /** Everything that the session calls a file. */
  private readonly paths = new Set<string>();
  private nextName = 1;

  constructor(
    private readonly session: Session,
    private readonly host: SessionFiles,
  ) {}

  write(): SessionText {
    const { session, lines } = this;
    this.collect();
    const zeros = new Set<string>();
    this.line(ORIGIN, '{"name": "session",');
    this.ring();
    this.line(ORIGIN, '"files": {');
    this.rows([...this.files.values()].map((file) => [this.firstUse.get(file.path)!, this.file(file)]));
    this.line(ORIGIN, '}, "buffers": {');
    const made = new Map(
      session.commands.flatMap((c) => (c.kind === 'buffer' ? [[c.name, c] as const] : [])),
    );
    this.rows(
      [...this.buffers].map(([called, name]) => {
        const command = made.get(called);
        if (command === undefined) zeros.add(name);
        const size = command?.size ?? RING_BUFFER;
        return [
          command ?? ORIGIN,
          `${JSON.stringify(name)}: {"size": ${size}${command?.fixed ? ', "fixed": true' : ''}}`,
        ];
      }),
    );
    this.line(ORIGIN, '}, "steps": [');
    const { steps, left } = this.steps();
    this.line(ORIGIN, ']}');
    return {
      text: `${lines.join('\n')}\n`,
      spans: this.spans,
      files: [...this.files.values()],
      zeros,
      steps,
      left,
      missing: this.missing,
    };
  }

  private line(at: Span, text: string): void {
    this.lines.push(text);
    this.spans.push(at);
  }

  /** Lines with commas between. */
  private rows(rows: readonly (readonly [Span, string])[]): void {
    for (const [i, [at, text]] of rows.entries()) this.line(at, i + 1 < rows.length ? `${text},` : text);
  }

  /** Files and buffers in the order in which the session names them. */
  private collect(): void {
    const { commands } = this.session;
    for (const command of commands) {
      if (command.kind === 'buffer') {
        this.taken.add(command.name);
        this.buffers.set(command.name, command.name);
      }
      if (command.kind === 'open') this.opens.set(command.path, command);
      if ('path' in command) this.paths.add(command.path);
      if (command.kind !== 'sqe') continue;
      for (const file of [command.fileIn, command.file])
        if (file && 'path' in file) this.paths.add(file.path);
    }
    const pipes = new Set(commands.flatMap((c) => (c.kind === 'mkfifo' ? [c.path] : [])));
    for (const command of commands) {
      if (command.kind === 'mkfifo' || command.kind === 'open') this.use(command.path, command, pipes);
      if (command.kind === 'close') this.use(pipeOf(command.path, pipes), command.at.path!, pipes);
      if (command.kind !== 'sqe') continue;
      for (const [file, at] of [
        [command.fileIn, command.at.fileIn],
        [command.file, command.at.file],
      ] as const) {
        if (file === undefined || 'fd' in file) continue;
        if (command.direct) this.direct.add(file.path);
        this.use(file.path, at!, pipes);
      }
      for (const { buffer } of [...(command.range ? [command.range] : []), ...(command.iov ?? [])]) {
        if (!this.buffers.has(buffer)) this.buffers.set(buffer, this.unused(`buffer${buffer}`));
      }
    }
  }

  /** Adds a file, where there is one of this path. */
  private use(path: string, at: Span, pipes: ReadonlySet<string>): void {
    if (this.files.has(path)) return;
    const device = Object.hasOwn(KINDS, path) ? KINDS[path as keyof typeof KINDS] : undefined;
    const kind = device ?? (pipes.has(path) ? 'pipe' : 'file');
    const pattern = kind === 'pipe' || this.opens.get(path)?.size !== undefined;
    if (kind === 'file' && !pattern && this.host.size(path) === undefined) {
      this.missing ??= { path, at };
      return;
    }
    // what is no pattern must not share its name with a buffer that is
    const own = /^[A-Za-z]\w*$/.test(path) && !(this.taken.has(path) && !pattern);
    const name = own ? path : this.unused(device ?? 'f');
    this.taken.add(name);
    this.files.set(path, { path, name, kind, pattern });
    this.firstUse.set(path, at);
  }

  private unused(wanted: string): string {
    let name = wanted;
    while (this.taken.has(name) || this.paths.has(name)) name = `${wanted}_${this.nextName++}`;
    this.taken.add(name);
    return name;
  }

  private ring(): void {
    const { commands } = this.session;
    const command = commands.find((each) => each.kind === 'ring');
    const parts = [`"entries": ${command?.entries ?? 64}`];
    if (command?.cqEntries !== undefined) parts.push(`"cq_entries": ${command.cqEntries}`);
    if (command !== undefined && command.setup.length > 0)
      parts.push(`"setup": ${JSON.stringify(command.setup)}`);
    this.line(
      command?.at.setup ?? command?.at['cq-entries'] ?? command ?? ORIGIN,
      `"ring": {${parts.join(', ')}},`,
    );
    if (command?.fsize !== undefined) this.line(command.at.fsize!, `"limits": {"fsize": ${command.fsize}},`);
  }

  private file({ path, name, kind, pattern }: NamedFile): string {
    const open = this.opens.get(path);
    const parts: string[] = [`"kind": "${kind}"`];
    const flags = [...(open?.flags ?? [])];
    if (kind === 'file') {
      const size = open?.size ?? this.host.size(path)!;
      parts.push(`"size": ${size}`);
      const cached = open?.uncached !== true && (pattern || size === 0 || this.host.cached(path));
      if (!cached) parts.push('"cached": false');
      if (this.direct.has(path) && !flags.includes('DIRECT')) flags.push('DIRECT');
    } else if (kind === 'pipe') {
      if (open?.size !== undefined) parts.push(`"size": ${open.size}`);
      if (open?.fill !== undefined) parts.push(`"fill": ${open.fill}`);
    }
    if (open?.fixed) parts.push('"fixed": true');
    if (flags.length > 0) parts.push(`"open": ${JSON.stringify(flags)}`);
    return `${JSON.stringify(name)}: {${parts.join(', ')}}`;
  }

  private steps(): { steps: SessionStep[]; left: SqeCommand[] } {
    const steps: SessionStep[] = [];
    const rows: [Span, string][][] = [];
    let sqes: SqeCommand[] = [];
    for (const command of this.session.commands) {
      if (command.kind === 'sqe') {
        sqes.push(command);
        continue;
      }
      const row = this.step(command, sqes);
      if (row === undefined) continue;
      steps.push({ sqes, command });
      sqes = [];
      rows.push(row);
    }
    for (const [i, row] of rows.entries())
      for (const [k, [at, text]] of row.entries())
        this.line(at, k + 1 === row.length && i + 1 < rows.length ? `${text},` : text);
    return { steps, left: sqes };
  }

  /** Lines of one step; undefined for a command that makes none. */
  private step(
    command: Session['commands'][number],
    sqes: readonly SqeCommand[],
  ): [Span, string][] | undefined {
    switch (command.kind) {
      case 'submit': {
        const { wait, toSubmit, at } = command;
        const rows = sqes.map((sqe, i): [Span, string] => [
          sqe,
          i + 1 < sqes.length ? `${this.sqe(sqe)},` : this.sqe(sqe),
        ]);
        const more = `${toSubmit === undefined ? '' : `, "to_submit": ${toSubmit}`}${wait === undefined ? '' : `, "wait": ${wait}`}`;
        return [[command, '{"submit": ['], ...rows, [at.wait ?? command, `]${more}}`]];
      }
      case 'reap':
        return [[command, `{"reap": ${JSON.stringify(command.count)}}`]];
      case 'sleep':
        return [[command, `{"sleep_us": ${Math.ceil(command.ns / 1000)}}`]];
      case 'close':
        return [[command.at.path!, `{"close": ${JSON.stringify(this.closed(command.path))}}`]];
      default:
        return undefined;
    }
  }

  private closed(path: string): string {
    const own = this.files.get(path);
    if (own !== undefined) return own.name;
    const pipe = this.files.get(path.slice(0, -2));
    return pipe === undefined ? path : `${pipe.name}${path.slice(-2)}`;
  }

  private sqe(command: SqeCommand): string {
    const { op, opcode, file, fileIn, off, offIn, len, range, iov, ns, count, target } = command;
    const fields: [string, string][] = [['op', op === undefined ? `${opcode}` : JSON.stringify(op)]];
    const put = (name: string, value: string | undefined): void => {
      if (value !== undefined) fields.push([name, value]);
    };
    const raw = new Map<string, bigint>(Object.entries(command.raw));
    const named = (field: string, each: RingFile | undefined, number: string): void => {
      if (each === undefined) return;
      if ('path' in each) put(field, JSON.stringify(this.nameOf(each)));
      else if (!raw.has(number)) raw.set(number, BigInt(each.fd));
    };
    put('user_data', `"${command.userData}"`);
    if (command.flags !== 0) put('flags', hexList(command.flags));
    named('file_in', fileIn, 'splice_fd_in');
    named('file', file, 'fd');
    put('off_in', offIn === undefined ? undefined : word(offIn));
    put('off', off === undefined ? undefined : word(off));
    if (range !== undefined) {
      put('buf', JSON.stringify(this.buffers.get(range.buffer)));
      if (range.offset > 0) put('buf_off', `${range.offset}`);
    }
    if (iov !== undefined) put('iov', `[${iov.map((piece) => this.piece(piece)).join(', ')}]`);
    put('len', len === undefined ? undefined : word(len));
    for (const [field, bits] of Object.entries(command.bits)) put(field, bits === 0 ? '[]' : hexList(bits));
    if (op === 'POLL_ADD' && command.bits.poll_events === undefined) put('poll_events', '[]');
    put('ns', ns === undefined ? undefined : `${ns}`);
    if (count !== undefined && count > 0) put('count', `${count}`);
    put('target', target === undefined ? undefined : `"${target}"`);
    for (const [field, value] of raw) put(field, field === 'addr' ? `"${value}"` : `${value}`);
    return `{${fields.map(([name, value]) => `"${name}": ${value}`).join(', ')}}`;
  }

  private nameOf(file: { path: string; end?: 'r' | 'w' }): string {
    const name = this.files.get(file.path)?.name ?? file.path;
    return file.end === undefined ? name : `${name}.${file.end}`;
  }

  private piece({ buffer, offset, length }: BufferRange): string {
    return `{"buf": ${JSON.stringify(this.buffers.get(buffer))}, "buf_off": ${offset}, "len": ${length}}`;
  }
}

/** The path of a pipe whose end is named. */
function pipeOf(path: string, pipes: ReadonlySet<string>): string {
  const base = path.slice(0, -2);
  return /\.[rw]$/.test(path) && pipes.has(base) ? base : path;
}

function hexList(bits: number): string {
  return `["0x${bits.toString(16)}"]`;
}

function word(value: bigint): string {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? `${value}` : `"0x${value.toString(16)}"`;
}

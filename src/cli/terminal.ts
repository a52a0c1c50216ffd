type Environment = Readonly<Record<string, string | undefined>>;

const INTERVAL_MS = 100;

/** Says on stderr how far a long command is; says nothing where stderr is no terminal. */
export class Progress {
  private last = 0;
  private shown = false;

  constructor(private readonly stream: { isTTY?: boolean; write(text: string): unknown }) {}

  /** `done` and `total` in the same unit; total 0: not known. */
  update(what: string, done: number, total: number, detail = ''): void {
    if (!this.stream.isTTY) return;
    const now = Date.now();
    if (now - this.last < INTERVAL_MS) return;
    this.last = now;
    this.shown = true;
    const part = total > 0 ? ` ${Math.min(100, Math.floor((done / total) * 100))}%` : '';
    this.stream.write(`\r\u001b[K${what}${part}${detail === '' ? '' : `, ${detail}`}`);
  }

  /** Takes the line away. */
  done(): void {
    if (this.shown) this.stream.write('\r\u001b[K');
    this.shown = false;
  }
}

/** Text attributes; each returns its argument unchanged where colours are off. */
export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

/** Attributes for a stream: only on a terminal, unless NO_COLOR or FORCE_COLOR decides. */
export function paintFor(stream: { isTTY?: boolean }, env: Environment): Paint {
  const on = wantsColour(stream.isTTY === true, env);
  const wrap = (start: number, end: number) => (text: string) =>
    on && text !== '' ? `\u001b[${start}m${text}\u001b[${end}m` : text;
  return {
    bold: wrap(1, 22),
    dim: wrap(2, 22),
    red: wrap(31, 39),
    green: wrap(32, 39),
    yellow: wrap(33, 39),
  };
}

function wantsColour(terminal: boolean, env: Environment): boolean {
  const force = env.FORCE_COLOR;
  if (force !== undefined && force !== '') return force !== '0' && force !== 'false';
  if (env.NO_COLOR) return false;
  return terminal && env.TERM !== 'dumb';
}

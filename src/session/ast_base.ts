/** What every command of a session has. */

/** A stretch of one line; `endColumn` is exclusive. */
export interface Span {
  line: number;
  column: number;
  endColumn: number;
}

/** Where a command stands, its text as the shell would see it (continuations joined), and whether `&` ends it. */
export interface CommandBase {
  line: number;
  column: number;
  endColumn: number;
  text: string;
  background: boolean;
  /** CPUs it may run on (`taskset MASK` or `taskset -c LIST` before it); undefined: any. */
  cpus?: number[];
}

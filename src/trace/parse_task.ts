import { StringTable } from './strings';
import type { Trace } from './trace';

const SPACE = 32;
const ZERO = 48;
const BRACKET = 91;
const CLOSE_BRACKET = 93;
/** Columns that are compared before the line is searched for one. */
const RECENT = 8;

/** Reads the TASK-PID column (with TGID, where it is there) in front of the CPU column. */
export class TaskColumn {
  /** Id of the task that was read last. */
  task = 0;
  private readonly heads = new StringTable();
  private readonly tasks: number[] = [];
  private readonly recentBytes: Uint8Array[] = [];
  private readonly recentTask: number[] = [];
  private next = 0;
  private last = 0;

  constructor(private readonly trace: Trace) {}

  /** Reads the column at the start of a line into `task`; returns the place of the CPU column's bracket, -1 when there is none. */
  read(buf: Uint8Array, start: number, end: number): number {
    const { recentBytes } = this;
    const { length } = recentBytes;
    for (let n = 0, k = this.last; n < length; n++, k = k + 1 < length ? k + 1 : 0) {
      const known = recentBytes[k];
      const bracket = start + known.length;
      if (bracket >= end || buf[bracket] !== BRACKET) continue;
      // Tasks differ in their last digits rather than in the blanks that pad their names.
      let i = known.length - 1;
      while (i >= 0 && buf[start + i] === known[i]) i--;
      if (i >= 0 || !isCpu(buf, bracket, end)) continue;
      this.last = k;
      this.task = this.recentTask[k];
      return bracket;
    }
    return this.search(buf, start, end);
  }

  /** The CPU column is the first `[digits] ` behind a blank. */
  private search(buf: Uint8Array, start: number, end: number): number {
    for (let pos = start + 4; pos < end; pos++) {
      if (buf[pos] !== BRACKET || buf[pos - 1] !== SPACE || !isCpu(buf, pos, end)) continue;
      const task = this.taskOf(buf, start, pos);
      if (task < 0) return -1;
      this.task = task;
      return pos;
    }
    return -1;
  }

  /** comm may hold dashes and blanks: the last `-number` ends it. -1 where this is no task. */
  private taskOf(buf: Uint8Array, start: number, bracket: number): number {
    const { trace } = this;
    const head = this.heads.idOfBytes(buf, start, bracket);
    let task = this.tasks[head];
    if (task === undefined) {
      const match = /^ *(.*?)-(\d+) *(?:\( *(-+|\d+)\) *)?$/s.exec(this.heads.text(head));
      task = match ? trace.taskId(match[1], Number(match[2]), tgidOf(match[3])) : -1;
      this.tasks[head] = task;
      if (match?.[3] !== undefined) trace.format.tgid = true;
    }
    if (task >= 0) {
      this.last = this.next;
      this.next = (this.next + 1) % RECENT;
      this.recentBytes[this.last] = this.heads.rawBytes(head);
      this.recentTask[this.last] = task;
    }
    return task;
  }
}

/** Whether `[`, two to five digits, `]` and a blank stand at `pos`. */
function isCpu(buf: Uint8Array, pos: number, end: number): boolean {
  let p = pos + 1;
  while (p < end && buf[p] >= ZERO && buf[p] <= 57) p++;
  return p - pos >= 3 && p - pos <= 6 && buf[p] === CLOSE_BRACKET && buf[p + 1] === SPACE;
}

function tgidOf(text: string | undefined): number {
  return text === undefined || text.startsWith('-') ? -1 : Number(text);
}

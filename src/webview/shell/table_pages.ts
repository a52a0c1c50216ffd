import type { Column, TableRow } from '../protocol_data';

interface Answer {
  readonly columns: readonly Column[];
  readonly total: number;
  readonly rows: readonly TableRow[];
}

/** Rows of one request to the host. */
const PAGE = 100;

/** Pages kept; beyond that the oldest goes. */
const KEPT = 40;

/** The rows of a long table, fetched by pages when they are first looked at, one request at a time. */
export class TablePages {
  columns: readonly Column[] = [];
  total = 0;
  private readonly pages = new Map<number, readonly TableRow[]>();
  private readonly offsets = new Map<number, number>();
  private readonly wanted: number[] = [];
  private busy = false;
  private stopped = false;
  private readonly fetch: (offset: number, count: number) => Promise<Answer>;
  private readonly changed: () => void;
  private readonly failed: (error: unknown) => void;

  constructor(
    fetch: (offset: number, count: number) => Promise<Answer>,
    changed: () => void,
    failed: (error: unknown) => void,
  ) {
    this.fetch = fetch;
    this.changed = changed;
    this.failed = failed;
    this.want(0);
  }

  stop(): void {
    this.stopped = true;
  }

  /** A row, or undefined while it is fetched. */
  row(offset: number): TableRow | undefined {
    if (offset < 0 || (this.columns.length > 0 && offset >= this.total)) return undefined;
    const page = Math.floor(offset / PAGE);
    const rows = this.pages.get(page);
    if (rows === undefined) this.want(page);
    return rows?.[offset % PAGE];
  }

  /** A row, waited for if need be; undefined: there is none. */
  async find(offset: number): Promise<TableRow | undefined> {
    if (offset < 0 || offset >= this.total) return undefined;
    return this.row(offset) ?? (await this.fetch(offset, 1)).rows[0];
  }

  /** Where an event's row is: known for fetched rows, else guessed by its number, as it is in the table of all events. */
  offsetOf(event: number): number {
    const known = this.offsets.get(event);
    if (known !== undefined) return known;
    const first = this.pages.get(0)?.[0];
    const all = first === undefined || this.rowIsEvent();
    return all && event < this.total ? event : -1;
  }

  /** Whether the table holds every event, so that offsets are event numbers. */
  private rowIsEvent(): boolean {
    for (const [page, rows] of this.pages) {
      const last = rows.at(-1);
      if (last !== undefined && last.event !== page * PAGE + rows.length - 1) return false;
    }
    return true;
  }

  private want(page: number): void {
    if (this.wanted.includes(page)) return;
    // What was scrolled past matters less than what is looked at now.
    this.wanted.unshift(page);
    this.wanted.length = Math.min(this.wanted.length, 4);
    if (!this.busy) this.pump();
  }

  private pump(): void {
    const page = this.wanted[0];
    if (page === undefined || this.stopped) return;
    this.busy = true;
    this.fetch(page * PAGE, PAGE)
      .then(
        (answer) => this.take(page, answer),
        (error: unknown) => {
          if (!this.stopped) this.failed(error);
        },
      )
      .finally(() => {
        const at = this.wanted.indexOf(page);
        if (at >= 0) this.wanted.splice(at, 1);
        this.busy = false;
        this.pump();
      });
  }

  private take(page: number, answer: Answer): void {
    if (this.stopped) return;
    this.columns = answer.columns;
    this.total = answer.total;
    this.pages.delete(page);
    this.pages.set(page, answer.rows);
    for (const [k, row] of answer.rows.entries()) this.offsets.set(row.event, page * PAGE + k);
    const oldest = this.pages.keys().next().value;
    if (this.pages.size > KEPT && oldest !== undefined) {
      for (const row of this.pages.get(oldest) ?? []) this.offsets.delete(row.event);
      this.pages.delete(oldest);
    }
    this.changed();
  }
}

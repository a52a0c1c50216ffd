import type { Breakpoints, Spec } from './dap_breakpoints';
import type { Channel } from './dap_channel';
import { logText } from './dap_evaluate';
import {
  CQ_OVERFLOW,
  CQE_EVENTS,
  describeException,
  type Exceptional,
  FAILED_CQE,
  groupOf,
} from './dap_exceptions';
import { Frames } from './dap_frames';
import type { DebugHost, Opened } from './dap_host';
import { NodeTable } from './dap_nodes';
import type { Numbers } from './numbered';
import { Progress } from './dap_progress';
import { type Hit, Known, Search } from './dap_search';
import { Sources } from './dap_sources';
import { threadOf } from './dap_threads';
import { STRETCH } from '../trace/state';
import type { Disposable } from './listeners';
import type { OpenTrace } from './model';
import { requestLabel } from './request_label';
import { Steps, type StepKind } from './steps';
import type { Work } from './work';

/** Most log messages of one run; beyond it they are only counted. */
const MOST_LOGS = 1000;

/** What debug sessions call themselves when they move the cursor. */
const MOVER = 'debugger';

/** Why the debuggee stands where it stands, in the words of the protocol and in ours. */
export interface StopReason {
  readonly reason:
    | 'entry'
    | 'step'
    | 'breakpoint'
    | 'function breakpoint'
    | 'data breakpoint'
    | 'exception'
    | 'goto'
    | 'pause';
  readonly description?: string;
  readonly text?: string;
  readonly ids?: readonly number[];
  readonly quiet?: boolean;
}

/** A trace under the debugger: moves its cursor and tells the client where it stopped. Everything in it holds for one opened program. */
export class Run {
  readonly open: OpenTrace;
  readonly sources: Sources;
  readonly frames: Frames;
  readonly nodes: NodeTable;
  readonly steps: Steps;
  private readonly following: Disposable;
  private readonly editing: Disposable | undefined;
  private readonly known: Known;
  private moving = false;
  private warming = 0;
  /** Breakpoints of which was told that nothing reaches them. */
  private readonly constant = new Set<number>();
  private searches = 0;
  private running: 1 | -1 | undefined;
  /** Numbers searches: a move ends the one under way, which then neither moves nor speaks. */
  private turn = 0;
  private wantsPause = false;
  private over = false;

  constructor(
    readonly opened: Opened,
    private readonly host: DebugHost,
    private readonly channel: Channel,
    private readonly breakpoints: Breakpoints,
    shown: Uint32Array | undefined,
    /** The client shows progress. */
    private readonly reports: boolean,
    /** Of the debug session, so that no frame and no node of another run is taken for one of this. */
    numbers: { readonly frames: Numbers; readonly nodes: Numbers },
  ) {
    const { open } = opened;
    this.open = open;
    this.sources = new Sources(opened, host);
    this.frames = new Frames(open, this.sources, numbers.frames);
    this.nodes = new NodeTable(numbers.nodes);
    this.steps = new Steps(open, shown);
    this.known = new Known(open);
    this.following = open.cursor.onDidChange(({ by }) => {
      if (this.moving || this.over) return;
      this.supersede();
      // another debug session of this trace keeps the focus; a person who moved elsewhere wants to step on from there
      const other = by === MOVER;
      const description = other ? 'moved by another debug session of this trace' : 'moved in another view';
      this.tell({ reason: 'goto', description, text: description, quiet: other });
    });
    this.editing = opened.sessionText?.onDidEdit?.(() => {
      this.frames.refresh();
      for (const breakpoint of breakpoints.rebind(open, this.sources))
        channel.event('breakpoint', { reason: 'changed', breakpoint });
    });
    open.sessions.add(this);
  }

  /** Turns of sliced work that lasts no longer than this run. */
  get work(): Work {
    return { pause: this.host.pause, cancelled: () => this.over };
  }

  /** Whether another debug session shows this trace and follows the same cursor. */
  get shared(): boolean {
    return this.open.sessions.size > 1;
  }

  /** Whether a search is under way. */
  get busy(): boolean {
    return this.running !== undefined;
  }

  /** Moves the cursor and tells the client; a search under way is over. */
  stop(event: number, request: number | undefined, why: StopReason): void {
    this.supersede();
    this.place(event, request);
    this.tell(why);
  }

  private supersede(): void {
    this.turn++;
    this.running = undefined;
  }

  /** Moves the cursor; the client learns nothing of it. */
  place(event: number, request: number | undefined): void {
    this.moving = true;
    try {
      this.open.cursor.move(event, request, MOVER);
    } finally {
      this.moving = false;
    }
  }

  /** One step of a request, or of the whole trace. */
  step(kind: StepKind, request: number | undefined): void {
    const from = this.open.cursor.event;
    const { event, request: focus, edge } = this.steps.step(kind, from, request);
    const jumped = kind === 'first' || kind === 'last' || kind === 'nextLife' || kind === 'previousLife';
    this.stop(event, focus, {
      reason: jumped ? 'goto' : 'step',
      ...(edge === undefined ? {} : { description: edge, text: edge }),
    });
  }

  /**
   * Runs to the next breakpoint, forwards or backwards, or to the end. `from` itself is not looked at. A search the other way is over; one
   * the same way goes on.
   */
  async go(step: 1 | -1, from = this.open.cursor.event): Promise<void> {
    if (this.running === step) return;
    this.supersede();
    const { turn } = this;
    this.running = step;
    this.wantsPause = false;
    const title = `Searching ${this.open.name}`;
    const progress = new Progress(this.channel, `search-${++this.searches}`, title, this.reports);
    try {
      const superseded = (): boolean => this.over || turn !== this.turn;
      const given = (): boolean => this.wantsPause || superseded();
      if (this.breakpoints.wantsViolations) {
        await this.open.ensureChecked({
          pause: this.host.pause,
          cancelled: given,
          progress: progress.update,
        });
        if (superseded()) return;
        if (this.wantsPause) {
          this.stop(from, this.rowAt(from), { reason: 'pause' });
          return;
        }
      }
      const search = new Search(
        this.open,
        this.breakpoints.specs(),
        {
          pause: this.host.pause,
          cancelled: given,
          progress: progress.update,
        },
        this.known,
      );
      let logs = 0;
      const { hit, at } = await search.run(from, step, (event, spec) => {
        if (logs++ < MOST_LOGS) this.log(event, spec);
      });
      if (superseded()) return;
      this.tellConstant();
      if (logs > MOST_LOGS) this.output('console', `${logs - MOST_LOGS} more log messages\n`);
      if (hit !== undefined) this.hit(hit);
      else if (this.wantsPause) this.stop(at, this.rowAt(at), { reason: 'pause' });
      else this.end(step, at);
    } finally {
      progress.end();
      if (turn === this.turn) this.running = undefined;
    }
  }

  /** Replays the trace for state variables that are watched, while nothing else is to do: the first run is quick then. */
  async warm(): Promise<void> {
    const paths = this.breakpoints.paths;
    const turn = ++this.warming;
    const stretches = Math.ceil(this.open.length / STRETCH);
    for (let n = 0; n < stretches && paths.length > 0; n++) {
      await this.host.pause();
      if (this.over || this.busy || turn !== this.warming) return;
      this.known.changes.stretch(paths, n);
    }
    this.tellConstant();
  }

  /** Says of data breakpoints that no event of the trace reaches that this is so, once it is known. */
  private tellConstant(): void {
    const { changes } = this.known;
    for (const { id, path } of this.breakpoints.specs()) {
      if (path === undefined || this.constant.has(id) || !changes.complete(path)) continue;
      const stretches = Math.ceil(this.open.length / STRETCH);
      let changed = false;
      for (let n = 0; n < stretches && !changed; n++) changed = changes.stretch([path], n)[0].length > 0;
      if (changed) continue;
      this.constant.add(id);
      const message = 'never changes in this trace';
      const breakpoint = { id, verified: false, message, reason: 'failed' };
      this.channel.event('breakpoint', { reason: 'changed', breakpoint });
    }
  }

  /** Ends a search where it is. */
  pause(): void {
    if (this.busy) this.wantsPause = true;
    else this.tell({ reason: 'pause' });
  }

  /** A line of the debug console, linked to the line of an event in the trace text. */
  output(category: 'console' | 'stdout' | 'stderr' | 'important', text: string, event?: number): void {
    const place = event === undefined ? undefined : this.sources.ofEvent(event);
    this.channel.event('output', {
      category,
      output: text,
      ...(place === undefined ? {} : { source: place.source, line: place.line, column: 1 }),
    });
  }

  /** What is exceptional about an event, once the invariants are tested where a filter asks for them. */
  async whatIsExceptional(event: number): Promise<Exceptional | undefined> {
    if (this.breakpoints.wantsViolations) await this.open.ensureChecked(this.work);
    return this.exceptional(event);
  }

  /** As far as filters ask for it and invariants are tested; undefined when nothing is. */
  private exceptional(event: number): Exceptional | undefined {
    const { filters } = this.breakpoints;
    const { trace } = this.open;
    const name = event < 0 ? '' : trace.nameOf(event);
    const violations = this.breakpoints.wantsViolations
      ? this.open.violations.filter((v) => v.event === event && filters.has(groupOf(v.rule)))
      : [];
    const failed = filters.has(FAILED_CQE) && CQE_EVENTS.has(name) && (trace.num(event, 'result') ?? 0) < 0;
    const overflow = filters.has(CQ_OVERFLOW) && name === 'io_uring_cqe_overflow';
    return violations.length > 0 || failed || overflow ? { violations, failed, overflow } : undefined;
  }

  /** Forgets everything; a search under way ends without a word. */
  dispose(): void {
    if (this.over) return;
    this.over = true;
    this.open.sessions.delete(this);
    this.following.dispose();
    this.editing?.dispose();
    this.host.closed?.(this.opened);
  }

  private hit({ event, specs }: Hit): void {
    const request = this.rowAt(event);
    const ids = specs.map((spec) => spec.id).filter((id) => id > 0);
    const first = (kind: Spec['kind']): Spec | undefined => specs.find((spec) => spec.kind === kind);
    const what = first('exception') && this.exceptional(event);
    if (what !== undefined) {
      const { description, text } = describeException(this.open, event, what);
      this.output('stderr', `${description}: ${text}\n`, event);
      this.stop(event, request, { reason: 'exception', description, text, ids });
      return;
    }
    const spec = first('data breakpoint') ?? first('function breakpoint') ?? specs[0];
    const text =
      spec.kind === 'breakpoint' ? {} : { description: `${spec.kind} ${spec.label}`, text: spec.label };
    this.stop(event, request, { reason: spec.kind, ...text, ids });
  }

  private end(step: 1 | -1, at: number): void {
    const where = step === 1 ? 'end of trace' : 'start of trace';
    if (this.open.length === 0)
      this.tell({ reason: 'pause', description: 'the trace has no events', text: where });
    else
      this.stop(at, this.rowAt(at), {
        reason: step === 1 ? 'pause' : 'entry',
        description: where,
        text: where,
      });
  }

  private log(event: number, spec: Spec): void {
    this.output('console', `${logText(this.open, spec.condition.log ?? '', event)}\n`, event);
  }

  private rowAt(event: number): number | undefined {
    const row = event < 0 ? -1 : this.open.requests.requestOf(event);
    return row < 0 ? undefined : row;
  }

  private tell({ reason, description, text, ids, quiet }: StopReason): void {
    this.frames.turn();
    this.nodes.turn();
    const { request } = this.open.cursor;
    this.channel.event('stopped', {
      reason,
      ...(description === undefined ? {} : { description }),
      ...(text === undefined ? {} : { text }),
      threadId: threadOf(request),
      ...(quiet ? { preserveFocusHint: true } : {}),
      allThreadsStopped: true,
      ...(ids === undefined || ids.length === 0 ? {} : { hitBreakpointIds: ids }),
    });
  }

  /** What the console says when a program was opened. */
  introduce(): void {
    const { open } = this;
    const { source, requests, length } = open;
    this.output('console', `${open.name}: ${length} events, ${requests.length} requests\n`);
    if (this.shared)
      this.output(
        'important',
        'another debug session shows this trace: both follow one cursor, and each step moves both\n',
      );
    if (source.kind === 'text') {
      if (source.damaged > 0)
        this.output('stderr', `${source.damaged} damaged lines, the first is line ${source.firstDamaged}\n`);
      if (source.lost > 0) this.output('stderr', `${source.lost} events were lost by the recorder\n`);
      if (source.unknown > 0) this.output('console', `${source.unknown} events of unknown names\n`);
    }
    const printed: string[] = [];
    const wanted = open.trace.shapes.of('command_output').id;
    for (let i = 0; i < length; i++) {
      if (open.trace.shape[i] !== wanted) continue;
      const text = open.trace.str(i, 'text') ?? '';
      if (printed.push(text) <= MOST_LOGS) this.output('stdout', `${text}\n`, i);
    }
    if (source.kind !== 'session') return;
    for (const line of saidOfRun(source.output, printed).slice(0, MOST_LOGS))
      this.output('stderr', `${line}\n`);
    if (source.exitCode !== 0) this.output('stderr', `the session ended with exit code ${source.exitCode}\n`);
  }

  /** The request that a launch names by `queue:tag` or `queue:tag#life`; undefined where it names none. @throws Error */
  static find(open: OpenTrace, name: string): number | undefined {
    const match = /^(?:([\w,]+)[:/])?(\d+):(\d+)(?:#(\d+))?$/.exec(name.trim());
    if (match === null) throw new Error(`'${name}' names no request; write queue:tag or queue:tag#life`);
    const { requests } = open;
    for (let r = 0; r < requests.length; r++) {
      if (requests.queue[r] !== Number(match[2]) || requests.tag[r] !== Number(match[3])) continue;
      if (requests.life[r] !== Number(match[4] ?? 1)) continue;
      if (match[1] === undefined || requests.deviceNames(r).includes(match[1])) return r;
    }
    const last = requests.length > 0 ? `; the first is ${requestLabel(requests, 0)}` : '';
    const { devices, devicesInUse } = requests;
    const disks =
      devicesInUse.length > 1 ? `; its devices are ${devicesInUse.map((d) => devices[d]).join(', ')}` : '';
    throw new Error(`no request ${name} in this trace${last}${disks}`);
  }
}

/**
 * Lines of the output of a run that no command printed: what became of the run itself, such as that it hangs. `printed` are the texts
 * of the commands in order, in one line each.
 */
function saidOfRun(output: string, printed: readonly string[]): string[] {
  const flat = output.replaceAll('\n', ' ');
  let rest = '';
  let at = 0;
  for (const text of printed) {
    const from = flat.indexOf(text, at);
    if (from < 0) continue;
    rest += output.slice(at, from);
    at = from + text.length;
  }
  return (rest + output.slice(at)).split('\n').filter((line) => line !== '');
}

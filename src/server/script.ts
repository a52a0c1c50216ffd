import type { BlkdiscardCommand, Command, Session, SyncCommand } from '../session/ast';
import { splices } from '../session/ublk';
import { type Machine, MAX_FILE } from '../kernel/machine';
import type { IoTask } from '../kernel/request';
import { type Gen, PARK, TaskKilled } from '../kernel/sched';
import type { ClientDevice } from './client_io';
import type { ClientContext } from './client_jobs';
import { fioJob } from './client_fio';
import { dd, iogen } from './client_jobs';
import type { ServerFaults } from './server_faults';
import { RingClient } from './ring_client';
import { createImage } from './qemu_img';
import { addFlags, UblkTool } from './ublk_tool';

/** Exit status of a process that a signal killed (128 + SIGKILL), as a shell tells it. */
const KILLED = 137;

interface Job {
  readonly command: number;
  /** Its process and the processes that this one started. */
  readonly tasks: IoTask[];
  done: boolean;
  status: number;
}

/** Runs the commands of a session one after the other, as a shell would; `&` starts a job. */
export class Script {
  private readonly jobs: Job[] = [];
  private readonly tool: UblkTool;
  private waiting: IoTask | undefined;
  private ring: RingClient | undefined;
  /** Status of the last command that failed, 0 when none did. */
  status = 0;
  finished = false;
  /** Line of the command that the shell started last. */
  line = 1;

  constructor(
    private readonly machine: Machine,
    private readonly session: Session,
    private readonly ctx: ClientContext,
    private readonly faults: ServerFaults,
    private readonly facts: boolean,
    /** Called before each command with its index: faults arm here. */
    private readonly reached: (index: number) => void,
  ) {
    this.tool = new UblkTool(machine);
  }

  /** The shell's own body. Ends when the last command and all jobs have ended. */
  *run(shell: IoTask): Gen<void> {
    this.waiting = shell;
    for (const [index, command] of this.session.commands.entries()) {
      this.reached(index);
      this.line = command.line;
      if (command.kind === 'wait') {
        const last = command.command;
        const awaited = this.jobs.filter((job) => last === undefined || job.command === last);
        yield* this.waitFor(() => awaited.every((job) => job.done));
        if (last !== undefined && awaited[0]?.status) this.status = awaited[0].status;
        continue;
      }
      const job: Job = { command: index, tasks: [], done: false, status: 0 };
      this.jobs.push(job);
      this.start(command, job);
      if (!command.background) {
        yield* this.waitFor(() => job.done);
        if (job.status) this.status = job.status;
      }
    }
    yield* this.waitFor(() => this.jobs.every((job) => job.done));
    this.ring?.end();
    this.finished = true;
  }

  private *waitFor(ready: () => boolean): Gen<void> {
    while (!ready()) yield PARK;
  }

  private start(command: Command, job: Job): void {
    const { kernel } = this.machine;
    if (ofRing(command)) {
      if (!this.ring || this.ring.task.killed) this.ring = new RingClient(this.machine, this.ctx, this.facts);
      job.tasks.push(this.ring.task);
      this.ring.order((task) => this.process(task, command, job));
      return;
    }
    const task = this.newProcess(commOf(command), command);
    job.tasks.push(task);
    kernel.sched.start(task, this.process(task, command, job), kernel.costs.exec);
  }

  /** A process on one of the CPUs that the command may use. */
  private newProcess(comm: string, command: Command): IoTask {
    const { kernel } = this.machine;
    const { cpus } = command;
    return kernel.newTask(comm, 0, cpus?.[kernel.choices.choose('cpu', cpus.length)]);
  }

  /** One process of the session. */
  private *process(task: IoTask, command: Command, job: Job): Gen<void> {
    const { rec, sched } = this.machine.kernel;
    rec.emit.session_command(command.line, rec.trace.strings.id(oneLine(command.text)));
    try {
      job.status = yield* this.execute(task, command, job);
    } catch (error) {
      if (!(error instanceof TaskKilled)) throw error;
      job.status = KILLED;
    }
    rec.emit.session_command_done(command.line, job.status);
    job.done = true;
    if (!ofRing(command)) this.machine.uring.exitTask(task, () => undefined);
    if (this.waiting) sched.wake(this.waiting);
  }

  private *execute(task: IoTask, command: Command, job: Job): Gen<number> {
    const { machine, ctx, tool, facts } = this;
    const version = this.session.settings.server === 'ublksrv-1.2' ? 'ublksrv-1.2' : 'ublksrv-2022-11';
    const print = ctx.print;
    switch (command.kind) {
      case 'truncate': {
        if (command.size > MAX_FILE) {
          print(`truncate: failed to truncate '${command.path}' at ${command.size} bytes: File too large`);
          return 1;
        }
        const file = machine.file(command.path, true);
        if (file) machine.truncate(file, command.size);
        return 0;
      }
      case 'ring':
      case 'open':
      case 'buffer':
      case 'reap':
      case 'close':
        // the parser lets them into sessions only that run as ring programs
        return 1;
      case 'mkfifo':
        return this.ring?.mkfifo(command.path) ?? 1;
      case 'sqe':
        return this.ring ? yield* this.ring.sqe(command) : 1;
      case 'submit':
        return this.ring ? yield* this.ring.submit(command) : 1;
      case 'qemu-img':
        return createImage(ctx, command);
      case 'ublk-add': {
        const file = command.file === undefined ? undefined : machine.file(command.file, false);
        if (command.type !== 'null' && !file) {
          print(`backing file ${command.file ?? ''} can't be opened`);
          return 1;
        }
        const splice = splices(command, this.session.settings);
        return yield* tool.add(
          task,
          {
            version,
            target: command.type,
            id: command.id,
            queues: command.queues,
            depth: command.depth,
            maxIoBufBytes: command.maxIoBufBytes,
            flags: addFlags({
              splice,
              zeroCopy: command.zeroCopy,
              compInTask: command.compInTask === true,
              needGetData: command.needGetData,
              userRecovery: command.userRecovery,
              recoveryReissue: command.recoveryReissue,
            }),
            splice,
            backing: file && machine.open(file, !command.bufferedIo),
            direct: !command.bufferedIo,
            blockSize: this.session.settings.blockSize,
            faults: this.faults,
            facts,
            linkAsShipped: this.session.settings.qcow2Link === 'shipped',
            log: print,
          },
          print,
        );
      }
      case 'ublk-del':
        return yield* tool.del(
          task,
          command.id === 'all' ? machine.ublk.ids() : [command.id],
          version,
          facts,
          print,
        );
      case 'ublk-list': {
        const ids = command.id === undefined ? machine.ublk.ids() : [command.id];
        return yield* tool.list(task, ids, version, facts, print);
      }
      case 'ublk-recover':
        return yield* tool.recover(task, command.id, facts, print);
      case 'fio':
        return yield* this.fio(task, command, job);
      case 'dd':
        return yield* dd(ctx, task, command);
      case 'iogen':
        return yield* iogen(ctx, task, command);
      case 'blkdiscard':
        return yield* this.blkdiscard(task, command);
      case 'sync':
        return yield* this.sync(task, command);
      case 'kill':
        return this.kill(command);
      case 'sleep':
        yield* ctx.sys.sleep(task, command.ns);
        return 0;
      case 'wait':
        return 0;
    }
  }

  private *fio(task: IoTask, command: Extract<Command, { kind: 'fio' }>, process: Job): Gen<number> {
    const { machine } = this;
    let status = 0;
    let index = 0;
    const running: { done: boolean }[] = [];
    for (const job of command.jobs) {
      if (job.stonewall) yield* this.waitFor(() => running.every((other) => other.done));
      for (let n = 0; n < job.numjobs; n++) {
        const state = { done: false };
        running.push(state);
        const worker = this.newProcess('fio', command);
        process.tasks.push(worker);
        const body = fioJob(this.ctx, worker, job, command.line, index++);
        const run = function* (): Gen<void> {
          try {
            status = (yield* body) || status;
          } catch (error) {
            if (!(error instanceof TaskKilled)) throw error;
            status = KILLED;
          }
          state.done = true;
          machine.kernel.sched.wake(task);
        };
        machine.kernel.sched.start(worker, run());
      }
    }
    yield* this.waitFor(() => running.every((other) => other.done));
    return status;
  }

  private *blkdiscard(task: IoTask, command: BlkdiscardCommand): Gen<number> {
    const device = this.ctx.device(command.device);
    if (!device) {
      this.ctx.print(`blkdiscard: cannot open ${command.device}: No such file or directory`);
      return 1;
    }
    try {
      return yield* this.discardRange(task, command, device);
    } finally {
      yield* this.ctx.close(task, device);
    }
  }

  private *discardRange(task: IoTask, command: BlkdiscardCommand, device: ClientDevice): Gen<number> {
    const size = device.disk.sectors * 512;
    if (command.mode === 'secure') {
      this.ctx.print(`blkdiscard: ${command.device}: BLKSECDISCARD ioctl failed: Operation not supported`);
      return 1;
    }
    if (command.offset > size) {
      this.ctx.print(`blkdiscard: ${command.device}: offset is greater than device size`);
      return 1;
    }
    const end = Math.min(size, command.offset + (command.length ?? size - command.offset));
    const step = command.step ?? end - command.offset;
    for (let at = command.offset; at < end; at += step) {
      const n = Math.min(step, end - at);
      const result =
        command.mode === 'zeroout'
          ? yield* this.ctx.sys.zeroout(task, device, command.line, at, n)
          : yield* this.ctx.sys.discard(task, device, command.line, at, n);
      if (result < 0) {
        this.ctx.print(
          `blkdiscard: ${command.device}: BLK${command.mode.toUpperCase()} ioctl failed: error ${-result}`,
        );
        return 1;
      }
    }
    return 0;
  }

  private *sync(task: IoTask, command: SyncCommand): Gen<number> {
    const { machine, ctx } = this;
    let status = 0;
    if (command.mode === 'sync') {
      for (const { cache, disk } of machine.allDisks().values()) {
        if (!disk.dead && (yield* cache.writeBack(task)) < 0) status = 1;
      }
      for (const file of machine.allFiles().values())
        if ((yield* machine.syncFile(task, file)) < 0) status = 1;
      return status;
    }
    for (const path of command.paths) {
      const device = ctx.device(path);
      if (device) {
        if ((yield* ctx.sys.fsync(task, device, command.line)) < 0) status = 1;
        yield* ctx.close(task, device);
        continue;
      }
      const file = machine.file(path, false);
      if (!file) {
        ctx.print(`sync: error opening '${path}': No such file or directory`);
        status = 1;
      } else if ((yield* machine.syncFile(task, file)) < 0) status = 1;
    }
    return status;
  }

  private kill(command: Extract<Command, { kind: 'kill' }>): number {
    const { target, signal } = command;
    const { daemons } = this.tool;
    const daemon =
      target.kind === 'background-job'
        ? undefined
        : target.kind === 'pid'
          ? daemons.findLast((candidate) => candidate.alive && candidate.main.pid === target.pid)
          : target.id === undefined
            ? daemons.findLast((candidate) => candidate.alive)
            : this.tool.daemonOf(target.id);
    if (daemon) {
      this.tool.signal(daemon, signal);
      return 0;
    }
    const job = this.jobs.find(
      (candidate) =>
        !candidate.done &&
        (target.kind === 'background-job'
          ? candidate.command === target.command
          : target.kind === 'pid' && candidate.tasks[0]?.pid === target.pid),
    );
    if (job) {
      const { sched } = this.machine.kernel;
      for (const task of job.tasks) {
        if (signal === 'STOP' || signal === 'CONT') sched.setStopped(task, signal === 'STOP');
        else sched.kill(task);
      }
      return 0;
    }
    this.ctx.print('kill: no such process');
    return 1;
  }
}

/** Commands that all run in one process, whose ring outlives them. */
function ofRing({ kind }: Command): boolean {
  return kind === 'sqe' || kind === 'submit' || kind === 'mkfifo';
}

function commOf(command: Command): string {
  if (command.kind.startsWith('ublk-')) return 'ublk';
  return command.kind;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').slice(0, 200);
}

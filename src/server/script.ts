import type { BlkdiscardCommand, Command, Session, SyncCommand } from '../session/ast';
import { splices } from '../session/ublk';
import type { Machine } from '../kernel/machine';
import type { IoTask } from '../kernel/request';
import { type Gen, PARK } from '../kernel/sched';
import type { ClientContext } from './client_jobs';
import { dd, fioJob, iogen } from './client_jobs';
import type { ServerFaults } from './server_faults';
import { addFlags, UblkTool } from './ublk_tool';

interface Job {
  readonly command: number;
  done: boolean;
  status: number;
}

/** Runs the commands of a session one after the other, as a shell would; `&` starts a job. */
export class Script {
  private readonly jobs: Job[] = [];
  private readonly tool: UblkTool;
  private waiting: IoTask | undefined;
  /** Status of the last command that failed, 0 when none did. */
  status = 0;
  finished = false;

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
      if (command.kind === 'wait') {
        const last = command.command;
        yield* this.waitFor(() =>
          this.jobs.every((job) => job.done || (last !== undefined && job.command !== last)),
        );
        continue;
      }
      const job: Job = { command: index, done: false, status: 0 };
      this.jobs.push(job);
      this.start(command, job);
      if (!command.background) {
        yield* this.waitFor(() => job.done);
        if (job.status) this.status = job.status;
      }
    }
    yield* this.waitFor(() => this.jobs.every((job) => job.done));
    this.finished = true;
  }

  private *waitFor(ready: () => boolean): Gen<void> {
    while (!ready()) yield PARK;
  }

  private start(command: Command, job: Job): void {
    const { kernel } = this.machine;
    const task = kernel.newTask(commOf(command), 0, command.cpus?.[0]);
    kernel.sched.start(task, this.process(task, command, job), kernel.costs.exec);
  }

  /** One process of the session. */
  private *process(task: IoTask, command: Command, job: Job): Gen<void> {
    const { rec, sched } = this.machine.kernel;
    rec.emit.session_command(command.line, rec.trace.strings.id(oneLine(command.text)));
    job.status = yield* this.execute(task, command);
    rec.emit.session_command_done(command.line, job.status);
    job.done = true;
    this.machine.uring.exitTask(task, () => undefined);
    if (this.waiting) sched.wake(this.waiting);
  }

  private *execute(task: IoTask, command: Command): Gen<number> {
    const { machine, ctx, tool, facts } = this;
    const version = this.session.settings.server === 'ublksrv-1.2' ? 'ublksrv-1.2' : 'ublksrv-2022-11';
    const print = ctx.print;
    switch (command.kind) {
      case 'truncate': {
        machine.file(command.path, true)?.truncate(command.size);
        return 0;
      }
      case 'ublk-add': {
        const file = command.file === undefined ? undefined : machine.file(command.file, false);
        if (command.type === 'loop' && !file) {
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
          },
          print,
        );
      }
      case 'ublk-del':
        return yield* tool.del(task, command.id === 'all' ? machine.ublk.ids() : [command.id], version, facts, print);
      case 'ublk-list': {
        const ids = command.id === undefined ? machine.ublk.ids() : [command.id];
        return yield* tool.list(task, ids, version, facts, print);
      }
      case 'ublk-recover':
        return yield* tool.recover(task, command.id, facts, print);
      case 'fio':
        return yield* this.fio(task, command);
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
        yield command.ns;
        return 0;
      case 'wait':
        return 0;
    }
  }

  private *fio(task: IoTask, command: Extract<Command, { kind: 'fio' }>): Gen<number> {
    const { machine } = this;
    let status = 0;
    let index = 0;
    const running: { done: boolean }[] = [];
    for (const job of command.jobs) {
      if (job.stonewall) yield* this.waitFor(() => running.every((other) => other.done));
      for (let n = 0; n < job.numjobs; n++) {
        const state = { done: false };
        running.push(state);
        const worker = machine.kernel.newTask('fio');
        const body = fioJob(this.ctx, worker, job, command.line, index++);
        const run = function* (): Gen<void> {
          status = (yield* body) || status;
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
    const size = device.disk.sectors * 512;
    const end = Math.min(size, command.offset + (command.length ?? size - command.offset));
    const step = command.step ?? end - command.offset;
    for (let at = command.offset; at < end; at += step) {
      const n = Math.min(step, end - at);
      const result =
        command.mode === 'zeroout'
          ? yield* this.ctx.sys.zeroout(task, device, command.line, at, n)
          : yield* this.ctx.sys.discard(task, device, command.line, at, n);
      if (result < 0) {
        this.ctx.print(`blkdiscard: ${command.device}: BLK${command.mode.toUpperCase()} ioctl failed: error ${-result}`);
        return 1;
      }
    }
    return 0;
  }

  private *sync(task: IoTask, command: SyncCommand): Gen<number> {
    for (const path of command.paths) {
      const device = this.ctx.device(path);
      if (device) {
        const result = yield* this.ctx.sys.fsync(task, device, command.line);
        if (result < 0) return 1;
        continue;
      }
      const file = this.machine.file(path, false);
      if (!file) {
        this.ctx.print(`sync: error opening '${path}': No such file or directory`);
        return 1;
      }
      yield* this.machine.cacheOf(file).writeBack(task);
      yield* file.flush(task);
    }
    return 0;
  }

  private kill(command: Extract<Command, { kind: 'kill' }>): number {
    const { target, signal } = command;
    if (target.kind === 'daemon') {
      const daemon =
        target.id === undefined
          ? this.tool.daemons.findLast((candidate) => candidate.alive)
          : this.tool.daemonOf(target.id);
      if (daemon) {
        this.tool.signal(daemon, signal);
        return 0;
      }
    } else if (target.kind === 'pid') {
      const daemon = this.tool.daemons.findLast((candidate) => candidate.alive && candidate.main.pid === target.pid);
      if (daemon) {
        this.tool.signal(daemon, signal);
        return 0;
      }
    }
    this.ctx.print('kill: no such process');
    return 1;
  }
}

function commOf(command: Command): string {
  if (command.kind.startsWith('ublk-')) return 'ublk';
  return command.kind;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').slice(0, 200);
}

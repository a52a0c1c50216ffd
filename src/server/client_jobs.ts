import type { DdCommand, IogenCommand } from '../session/ast';
import type { BackingFile } from '../kernel/file';
import type { Machine } from '../kernel/machine';
import type { Buffer } from '../kernel/memory';
import type { IoTask } from '../kernel/request';
import { type Gen, TaskKilled } from '../kernel/sched';
import { type AioRequest, aio } from './client_aio';
import type { ClientDevice, ClientSyscalls } from './client_io';
import { Pattern, Shuffle } from './client_random';

/** What the clients of a session share. */
export interface ClientContext {
  readonly machine: Machine;
  readonly sys: ClientSyscalls;
  /** Opens /dev/NAME; undefined when there is no such device. */
  device(path: string): ClientDevice | undefined;
  /** Closes it; the last close writes the page cache back and forgets it (blkdev_put). */
  close(task: IoTask, device: ClientDevice): Gen<void>;
  print(text: string): void;
}

/** Most that one dd copies where no disk takes part. */
const MOST_BLOCKS = 1_000_000;
const MOST_BYTES = 2 ** 36;

/** `dd` between /dev/zero, /dev/urandom, /dev/null, block devices and files of the session. */
export function* dd(ctx: ClientContext, task: IoTask, command: DdCommand): Gen<number> {
  const source = openEnd(ctx, command.input);
  if (!source) return cannotOpen(ctx, command.input);
  const sink = openEnd(ctx, command.output, command.conv.notrunc ? undefined : command.seek);
  if (!sink) return cannotOpen(ctx, command.output);
  try {
    return yield* copy(ctx, task, command, source, sink);
  } finally {
    if (source.device) yield* ctx.close(task, source.device);
    if (sink.device) yield* ctx.close(task, sink.device);
  }
}

function cannotOpen(ctx: ClientContext, path: string): number {
  ctx.print(`dd: failed to open '${path}': No such file or directory`);
  return 1;
}

/** Reads blocks of `bs` bytes and writes them; where obs differs, as blocks of `obs` bytes. */
function* copy(ctx: ClientContext, task: IoTask, command: DdCommand, source: End, sink: End): Gen<number> {
  const { kernel } = ctx.machine;
  const { bs, obs, line } = command;
  const [buffer] = makeBuffers(ctx.machine, 1, bs === obs ? bs : bs + obs);
  if (bs !== obs) kernel.memory.touch(buffer, 0, bs + obs);
  const pattern = new Pattern(0x5eed);
  let copied = 0;
  let written = 0;
  /** Bytes read and not yet written; they begin at `start` of the buffer. */
  let held = 0;
  let status = 0;
  const put = function* (length: number): Gen<boolean> {
    const to = command.seek + written;
    const n = yield* putBlock(ctx, task, command, sink, to, buffer, length);
    written += Math.max(0, n);
    copied += Math.max(0, n);
    if (n < length) {
      ctx.print(`dd: error writing '${command.output}': ${errorText(n < 0 ? n : -28)}`);
      status = 1;
      return false;
    }
    const bytes = kernel.memory.touch(buffer, 0, held);
    bytes.copyWithin(0, length);
    held -= length;
    return true;
  };
  const limit = command.count ?? Number.POSITIVE_INFINITY;
  if (!source.device && !sink.device) {
    // no event would ever stop it, so what takes too long is refused
    const there = source.file ? source.file.size - command.skip : Number.POSITIVE_INFINITY;
    const blocks = Math.min(limit, command.input === '/dev/null' ? 0 : Math.ceil(there / bs));
    if (blocks > MOST_BLOCKS || blocks * bs > MOST_BYTES) {
      ctx.print(
        `dd: ${blocks} blocks of ${bs} bytes without a disk: at most ${MOST_BLOCKS} and 64 GiB are simulated`,
      );
      return 1;
    }
  }
  for (let block = 0; block < limit && !status; block++) {
    const n = yield* getBlock(
      ctx,
      task,
      command,
      source,
      command.skip + block * bs,
      buffer,
      held,
      block,
      pattern,
    );
    if (n < 0) {
      ctx.print(`dd: error reading '${command.input}': ${errorText(n)}`);
      status = 1;
    }
    if (n <= 0) break;
    held += n;
    if (bs === obs) yield* put(held);
    else while (held >= obs && (yield* put(obs)));
    if (task.killed) throw new TaskKilled();
    if (!source.device && !sink.device) kernel.rec.now += kernel.costs.syscall * 2 + kernel.copyTime(bs);
  }
  if (held > 0 && !status) yield* put(held);
  if (sink.device && !status && (command.conv.fsync || command.conv.fdatasync)) {
    const result = yield* ctx.sys.fsync(task, sink.device, line);
    if (result < 0) {
      ctx.print(`dd: fsync failed for '${command.output}': ${errorText(result)}`);
      status = 1;
    }
  }
  ctx.print(`${copied} bytes copied`);
  return status;
}

/** One read of dd into the buffer at `at`: bytes or -errno. */
function* getBlock(
  ctx: ClientContext,
  task: IoTask,
  command: DdCommand,
  source: End,
  from: number,
  buffer: Buffer,
  at: number,
  block: number,
  pattern: Pattern,
): Gen<number> {
  const { memory } = ctx.machine.kernel;
  const { bs, line } = command;
  if (source.device) {
    const { sys } = ctx;
    const part = at === 0 ? buffer : memory.slice(buffer, at, bs);
    return command.iflag.direct
      ? yield* sys.direct(task, source.device, line, false, from, part, bs)
      : yield* sys.buffered(task, source.device, line, false, from, part, bs);
  }
  if (command.input === '/dev/null') return 0;
  const bytes = memory.touch(buffer, at, bs);
  if (source.file) {
    const content = ctx.machine.contentOf(source.file, from, bs);
    bytes.set(content);
    return content.length;
  }
  if (command.input === '/dev/zero') bytes.fill(0);
  else pattern.fill(bytes, from, block);
  return bs;
}

/** One write of dd from the start of the buffer: bytes or -errno. */
function* putBlock(
  ctx: ClientContext,
  task: IoTask,
  command: DdCommand,
  sink: End,
  to: number,
  buffer: Buffer,
  length: number,
): Gen<number> {
  const { line, oflag } = command;
  if (sink.file) {
    ctx.machine.fillFile(sink.file, to, ctx.machine.kernel.memory.touch(buffer, 0, length));
    return length;
  }
  if (!sink.device) return length;
  if (oflag.direct && length === command.obs) {
    return yield* ctx.sys.direct(task, sink.device, line, true, to, buffer, length);
  }
  // dd drops O_DIRECT for a last block that is short
  return yield* ctx.sys.buffered(
    task,
    sink.device,
    line,
    true,
    to,
    buffer,
    length,
    oflag.dsync || oflag.sync,
  );
}

/** The client of the recordings. */
export function* iogen(ctx: ClientContext, task: IoTask, command: IogenCommand): Gen<number> {
  const device = ctx.device(command.device);
  if (!device) {
    ctx.print(`iogen: ${command.device}: No such file or directory`);
    return 1;
  }
  try {
    return yield* iogenSteps(ctx, task, command, device);
  } finally {
    yield* ctx.close(task, device);
  }
}

function* iogenSteps(
  ctx: ClientContext,
  task: IoTask,
  command: IogenCommand,
  device: ClientDevice,
): Gen<number> {
  const { line } = command;
  const pattern = new Pattern(0x10);
  for (const [index, step] of command.steps.entries()) {
    if (step.kind === 'flush') yield* ctx.sys.fsync(task, device, line);
    else if (step.kind === 'discard') yield* ctx.sys.discard(task, device, line, step.offset, step.length);
    else if (step.kind === 'zero') yield* ctx.sys.zeroout(task, device, line, step.offset, step.length);
    else if (step.kind === 'sleep') yield* ctx.sys.sleep(task, step.ns);
    else {
      const list = step.kind === 'list' ? step.ios : undefined;
      const size = device.disk.sectors * 512;
      const blockSize = step.kind === 'list' ? Math.max(...step.ios.map((io) => io.length)) : step.blockSize;
      const count = step.kind === 'list' ? step.ios.length : step.count;
      const blocks = step.kind === 'list' ? 1 : Math.max(1, Math.floor((size - step.start) / step.blockSize));
      const shuffle =
        step.kind === 'io' && step.pattern === 'rand' ? new Shuffle(blocks, index + 1) : undefined;
      let i = 0;
      const next = (): AioRequest | undefined => {
        if (i >= count) return undefined;
        const n = i++;
        if (list) {
          const io = list[n];
          const write = io.op === 'write';
          return {
            write,
            offset: io.offset,
            length: io.length,
            fill: write ? (data) => pattern.fill(data, io.offset, n) : undefined,
          };
        }
        if (step.kind !== 'io') return undefined;
        const offset = step.start + (shuffle ? shuffle.at(n % blocks) : n) * step.blockSize;
        const write = step.op === 'write';
        return {
          write,
          offset,
          length: step.blockSize,
          fill: write ? (data) => pattern.fill(data, offset, n) : undefined,
        };
      };
      const bufferOffset = step.kind === 'io' ? step.bufferOffset : 0;
      const buffers = makeBuffers(ctx.machine, Math.min(step.queueDepth, count), blockSize, bufferOffset);
      if (step.queueDepth > 1) yield* aio(ctx.sys, task, device, line, step.queueDepth, true, buffers, next);
      else {
        for (let io = next(); io; io = next()) {
          io.fill?.(ctx.machine.kernel.memory.touch(buffers[0], 0, io.length));
          yield* ctx.sys.direct(task, device, line, io.write, io.offset, buffers[0], io.length);
        }
      }
    }
  }
  return 0;
}

/** Buffers of a client, page by page. */
export function makeBuffers(machine: Machine, count: number, size: number, pageOffset = 0): Buffer[] {
  return Array.from({ length: Math.max(1, count) }, () => machine.kernel.memory.alloc(size, pageOffset));
}

interface End {
  readonly device?: ClientDevice;
  readonly file?: BackingFile;
}

/** Opens one side of dd; an output file is made, and cut to `truncateTo` bytes. */
function openEnd(ctx: ClientContext, path: string, truncateTo?: number): End | undefined {
  if (path === '/dev/null' || path === '/dev/zero' || path === '/dev/urandom') return {};
  if (path.startsWith('/dev/')) {
    const device = ctx.device(path);
    return device && { device };
  }
  const file = ctx.machine.file(path, truncateTo !== undefined);
  if (file && truncateTo !== undefined) ctx.machine.truncate(file, truncateTo);
  return file && { file };
}

function errorText(result: number): string {
  if (result === -5) return 'Input/output error';
  if (result === -22) return 'Invalid argument';
  return result === -28 ? 'No space left on device' : `error ${-result}`;
}

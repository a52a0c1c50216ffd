import type { DdCommand, FioJob, IogenCommand } from '../session/ast';
import type { BackingFile } from '../kernel/file';
import type { Machine } from '../kernel/machine';
import type { Buffer } from '../kernel/memory';
import type { IoTask } from '../kernel/request';
import type { Gen } from '../kernel/sched';
import type { AioRequest, ClientDevice, ClientSyscalls } from './client_io';
import { Pattern, Shuffle } from './client_random';

/** What the clients of a session share. */
export interface ClientContext {
  readonly machine: Machine;
  readonly sys: ClientSyscalls;
  /** Opens /dev/NAME; undefined when there is no such device. */
  device(path: string): ClientDevice | undefined;
  print(text: string): void;
}

const ENOENT_STATUS = 1;

/** One fio job. Returns an exit status. Offsets and data depend on the job's own seed only, never on the run's. */
export function* fioJob(ctx: ClientContext, task: IoTask, job: FioJob, line: number, index: number): Gen<number> {
  const device = ctx.device(job.filename);
  if (!device) {
    ctx.print(`fio: ${job.filename}: No such file or directory`);
    return ENOENT_STATUS;
  }
  const size = device.disk.sectors * 512;
  const region = Math.min(job.size ?? size - job.offset, size - job.offset);
  const blocks = Math.floor(region / job.bs);
  if (blocks <= 0) {
    ctx.print(`fio: ${job.name}: no I/O performed: the region is smaller than one block`);
    return 1;
  }
  const { kernel } = ctx.machine;
  const seed = Number((job.randseed ?? 0x89n) & 0xffffffffn) + index * 0x9e37;
  const random = job.rw.startsWith('rand');
  const shuffle = random ? new Shuffle(blocks, seed) : undefined;
  const pattern = new Pattern(seed);
  const total = Math.min(
    job.numberIos ?? Number.POSITIVE_INFINITY,
    job.ioSize !== undefined ? Math.ceil(job.ioSize / job.bs) : job.numberIos !== undefined ? job.numberIos : blocks,
  );
  const deadline = job.runtimeNs === undefined ? Number.POSITIVE_INFINITY : kernel.rec.now + job.runtimeNs;
  let issued = 0;
  const isWrite = (): boolean => {
    if (job.rw === 'read' || job.rw === 'randread') return false;
    if (job.rw === 'write' || job.rw === 'randwrite') return true;
    return pattern.next() % 100 >= job.rwmixread;
  };
  const next = (): AioRequest | undefined => {
    if ((!job.timeBased && issued >= total) || kernel.rec.now >= deadline) return undefined;
    const block = shuffle ? shuffle.at(issued % blocks) : issued % blocks;
    issued++;
    const write = isWrite();
    const offset = job.offset + block * job.bs;
    return { write, offset, length: job.bs, fill: write ? (data) => pattern.fill(data, offset, issued) : undefined };
  };
  const aio = job.ioengine === 'libaio' && job.direct;
  let status = 0;
  if (aio) {
    const buffers = makeBuffers(ctx.machine, Math.min(job.iodepth, total), job.bs);
    status = yield* ctx.sys.aio(task, device, line, job.iodepth, false, buffers, next);
  } else {
    const [buffer] = makeBuffers(ctx.machine, 1, job.bs);
    let writes = 0;
    for (let io = next(); io; io = next()) {
      io.fill?.(kernel.memory.touch(buffer, 0, job.bs));
      const result = job.direct
        ? yield* ctx.sys.direct(task, device, line, io.write, io.offset, buffer, io.length)
        : yield* ctx.sys.buffered(task, device, line, io.write, io.offset, buffer, io.length);
      if (result < 0) {
        status = result;
        break;
      }
      if (io.write) writes++;
      const every = job.fsync || job.fdatasync;
      if (io.write && every > 0 && writes % every === 0) yield* ctx.sys.fsync(task, device, line);
      if (job.thinkTimeNs > 0) yield job.thinkTimeNs;
    }
  }
  if (job.endFsync || (!job.direct && device.cache.hasDirty)) yield* ctx.sys.fsync(task, device, line);
  if (status < 0) ctx.print(`fio: ${job.name}: io_u error on file ${job.filename}: error=${-status}`);
  return status < 0 ? 1 : 0;
}

/** `dd` between /dev/zero, /dev/urandom, /dev/null, block devices and files of the session. */
export function* dd(ctx: ClientContext, task: IoTask, command: DdCommand): Gen<number> {
  const { kernel } = ctx.machine;
  const [buffer] = makeBuffers(ctx.machine, 1, Math.max(command.bs, command.obs));
  const pattern = new Pattern(0x5eed);
  const source = openEnd(ctx, command.input);
  const sink = openEnd(ctx, command.output, command.conv.notrunc ? undefined : command.seek);
  if (!source || !sink) {
    const path = source ? command.output : command.input;
    ctx.print(`dd: failed to open '${path}': No such file or directory`);
    return 1;
  }
  let copied = 0;
  const limit = command.count ?? Number.POSITIVE_INFINITY;
  for (let block = 0; block < limit; block++) {
    const from = command.skip + block * command.bs;
    const to = command.seek + block * command.bs;
    let n = command.bs;
    if (source.device) {
      const read = command.iflag.direct ? ctx.sys.direct : ctx.sys.buffered;
      n = yield* read.call(ctx.sys, task, source.device, command.line, false, from, buffer, command.bs);
    } else if (source.file) {
      const content = source.file.content(from, command.bs);
      kernel.memory.touch(buffer, 0, command.bs).set(content);
      n = content.length;
    } else {
      const bytes = kernel.memory.touch(buffer, 0, command.bs);
      if (command.input === '/dev/zero') bytes.fill(0);
      else pattern.fill(bytes, from, block);
    }
    if (n < 0) {
      ctx.print(`dd: error reading '${command.input}': ${errorText(n)}`);
      return 1;
    }
    if (n === 0) break;
    if (sink.device) {
      const write = command.oflag.direct ? ctx.sys.direct : ctx.sys.buffered;
      const written = yield* write.call(ctx.sys, task, sink.device, command.line, true, to, buffer, n);
      if (written < 0) {
        ctx.print(`dd: error writing '${command.output}': ${errorText(written)}`);
        return 1;
      }
    } else if (sink.file) {
      sink.file.fill(to, kernel.memory.touch(buffer, 0, n));
    }
    copied += n;
    if (n < command.bs) break;
    if (command.count === undefined && !source.device && !source.file && !sink.device) break;
    if (sink.device && command.count === undefined && to + n >= sink.device.disk.sectors * 512) break;
  }
  if (sink.device && (command.conv.fsync || command.conv.fdatasync || sink.device.cache.hasDirty)) {
    yield* ctx.sys.fsync(task, sink.device, command.line);
  }
  ctx.print(`${copied} bytes copied`);
  return 0;
}

/** The client of the recordings. */
export function* iogen(ctx: ClientContext, task: IoTask, command: IogenCommand): Gen<number> {
  const device = ctx.device(command.device);
  if (!device) {
    ctx.print(`iogen: ${command.device}: No such file or directory`);
    return 1;
  }
  const { line } = command;
  const pattern = new Pattern(0x10);
  for (const [index, step] of command.steps.entries()) {
    if (step.kind === 'flush') yield* ctx.sys.fsync(task, device, line);
    else if (step.kind === 'discard') yield* ctx.sys.discard(task, device, line, step.offset, step.length);
    else if (step.kind === 'zero') yield* ctx.sys.zeroout(task, device, line, step.offset, step.length);
    else if (step.kind === 'sleep') yield step.ns;
    else {
      const list = step.kind === 'list' ? step.ios : undefined;
      const size = device.disk.sectors * 512;
      const blockSize = step.kind === 'list' ? Math.max(...step.ios.map((io) => io.length)) : step.blockSize;
      const count = step.kind === 'list' ? step.ios.length : step.count;
      const blocks = step.kind === 'list' ? 1 : Math.max(1, Math.floor((size - step.start) / step.blockSize));
      const shuffle = step.kind === 'io' && step.pattern === 'rand' ? new Shuffle(blocks, index + 1) : undefined;
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
      if (step.queueDepth > 1) yield* ctx.sys.aio(task, device, line, step.queueDepth, true, buffers, next);
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

function makeBuffers(machine: Machine, count: number, size: number, pageOffset = 0): Buffer[] {
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
  if (file && truncateTo !== undefined) file.truncate(truncateTo);
  return file && { file };
}

function errorText(result: number): string {
  if (result === -5) return 'Input/output error';
  if (result === -22) return 'Invalid argument';
  return result === -28 ? 'No space left on device' : `error ${-result}`;
}

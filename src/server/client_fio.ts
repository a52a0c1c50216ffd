import type { FioJob } from '../session/ast';
import type { IoTask } from '../kernel/request';
import type { Gen } from '../kernel/sched';
import { type AioRequest, aio } from './client_aio';
import type { ClientDevice } from './client_io';
import { type ClientContext, makeBuffers } from './client_jobs';
import { Pattern, Shuffle } from './client_random';

const EIO = -5;

/** One fio job. Returns an exit status. Offsets and data depend on the job's own seed only, never on the run's. */
export function* fioJob(
  ctx: ClientContext,
  task: IoTask,
  job: FioJob,
  line: number,
  index: number,
): Gen<number> {
  const device = ctx.device(job.filename);
  if (!device) {
    ctx.print(`fio: ${job.filename}: No such file or directory`);
    return 1;
  }
  try {
    return yield* runJob(ctx, task, job, line, index, device);
  } finally {
    yield* ctx.close(task, device);
  }
}

function* runJob(
  ctx: ClientContext,
  task: IoTask,
  job: FioJob,
  line: number,
  index: number,
  device: ClientDevice,
): Gen<number> {
  const { sys } = ctx;
  const size = device.disk.sectors * 512;
  const blocks = Math.floor(Math.min(job.size ?? size, size - job.offset) / job.bs);
  if (blocks <= 0) {
    ctx.print(`fio: ${job.name}: no I/O performed: the region is smaller than one block`);
    return 1;
  }
  const next = generator(ctx, job, index, blocks);
  let status: number;
  if (job.ioengine === 'libaio' && job.direct) {
    const buffers = makeBuffers(ctx.machine, Math.min(job.iodepth, job.numberIos ?? job.iodepth), job.bs);
    status = yield* aio(sys, task, device, line, job.iodepth, false, buffers, next, true);
  } else {
    status = yield* synchronous(ctx, task, job, line, device, next);
  }
  if (job.endFsync && status >= 0) status = Math.min(0, yield* sys.fsync(task, device, line));
  if (status < 0) ctx.print(`fio: ${job.name}: io_u error on file ${job.filename}: error=${-status}`);
  return status < 0 ? 1 : 0;
}

/** The I/Os of a job, one a call. */
function generator(
  ctx: ClientContext,
  job: FioJob,
  index: number,
  blocks: number,
): () => AioRequest | undefined {
  const { rec } = ctx.machine.kernel;
  const seed = Number((job.randseed ?? 0x89n) & 0xffffffffn) + index * 0x9e37;
  const random = job.rw.startsWith('rand');
  const shuffle = random && !job.noRandomMap ? new Shuffle(blocks, seed) : undefined;
  const places = new Pattern(seed + 1);
  const pattern = new Pattern(seed);
  // trimwrite meets every block twice
  const perBlock = job.rw.endsWith('trimwrite') ? 2 : 1;
  const wanted = job.ioSize !== undefined ? Math.ceil(job.ioSize / job.bs) : blocks * perBlock;
  // --number_ios alone goes on over the region; --time_based does so until its time is up
  const endless = job.runtimeNs !== undefined && job.timeBased;
  const total =
    endless || (job.numberIos !== undefined && job.ioSize === undefined) ? Number.POSITIVE_INFINITY : wanted;
  const last = Math.min(total, job.numberIos ?? Number.POSITIVE_INFINITY);
  const deadline = job.runtimeNs === undefined ? Number.POSITIVE_INFINITY : rec.now + job.runtimeNs;
  const every = job.fsync || job.fdatasync;
  let issued = 0;
  let writes = 0;
  let block = 0;
  const place = (n: number): number => {
    if (shuffle) return shuffle.at(n % blocks);
    return random
      ? Math.floor(((places.next() * 0x200000 + (places.next() >>> 11)) / 2 ** 53) * blocks)
      : n % blocks;
  };
  const operation = (n: number): 'read' | 'write' | 'trim' => {
    switch (job.rw) {
      case 'read':
      case 'randread':
        return 'read';
      case 'write':
      case 'randwrite':
        return 'write';
      case 'trim':
      case 'randtrim':
        return 'trim';
      case 'trimwrite':
      case 'randtrimwrite':
        return n % 2 === 0 ? 'trim' : 'write';
      default:
        return pattern.next() % 100 >= job.rwmixread ? 'write' : 'read';
    }
  };
  return () => {
    if (issued >= last || rec.now >= deadline) return undefined;
    const n = issued++;
    if (n % perBlock === 0) block = place(n / perBlock);
    const op = operation(n);
    const offset = job.offset + block * job.bs;
    if (op === 'write') writes++;
    return {
      write: op === 'write',
      trim: op === 'trim',
      offset,
      length: job.bs,
      fill: op === 'write' ? (data) => pattern.fill(data, offset, n) : undefined,
      flushAfter: op === 'write' && every > 0 && writes % every === 0,
      pauseNs: job.thinkTimeNs,
    };
  };
}

/** The synchronous engines, and libaio without O_DIRECT, which waits in io_submit. 0 or -errno. */
function* synchronous(
  ctx: ClientContext,
  task: IoTask,
  job: FioJob,
  line: number,
  device: ClientDevice,
  next: () => AioRequest | undefined,
): Gen<number> {
  const { sys } = ctx;
  const [buffer] = makeBuffers(ctx.machine, 1, job.bs);
  for (let io = next(); io; io = next()) {
    io.fill?.(ctx.machine.kernel.memory.touch(buffer, 0, job.bs));
    const result = io.trim
      ? yield* sys.discard(task, device, line, io.offset, io.length)
      : job.direct
        ? yield* sys.direct(task, device, line, io.write, io.offset, buffer, io.length)
        : yield* sys.buffered(task, device, line, io.write, io.offset, buffer, io.length);
    if (result < 0) return result;
    if (result === 0 && !io.trim) return EIO;
    if (io.flushAfter) {
      const flushed = yield* sys.fsync(task, device, line);
      if (flushed < 0) return flushed;
    }
    if (io.pauseNs) yield* sys.sleep(task, io.pauseNs);
  }
  return 0;
}

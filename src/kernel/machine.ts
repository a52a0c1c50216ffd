import { REQ_FLAG, REQ_OP } from '../uapi/block';
import type { Recorder } from '../trace/recorder';
import { BackingDisk } from './backing_disk';
import type { Choices } from './choice';
import type { Disk } from './disk';
import type { FaultPlan } from './faults';
import { BackingFile } from './file';
import { FileOps } from './file_ops';
import { IoUring } from './io_uring';
import { Kernel } from './kernel';
import type { OpenFile } from './open_file';
import { PageCache } from './page_cache';
import type { KernelProfile } from './profile';
import type { IoTask } from './request';
import { type Gen, PARK } from './sched';
import { Splicer } from './splice';
import { ByteStore, type InitialContent } from './store';
import { type DiskRegistry, UblkDriver } from './ublk_ctrl';

/** How a machine is built. */
export interface MachineOptions {
  readonly profile: KernelProfile;
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
  /** st_blksize of the backing file system, bytes. */
  readonly blockSize: number;
  /** The backing file is a whole block device. */
  readonly rawBacking: boolean;
  readonly partScan: boolean;
  readonly faults: FaultPlan;
  /** Content of files that exist before the run. */
  readonly initial: (path: string) => InitialContent | undefined;
  readonly stop: () => boolean;
}

/** A disk under /dev with its page cache. */
export interface MachineDisk {
  readonly name: string;
  readonly disk: Disk;
  readonly cache: PageCache;
  /** Open descriptors of clients. */
  openers: number;
}

/** First sector of the first file on the backing disk, as on the recorded machines. */
const FIRST_FILE_SECTOR = 32768;
/** Room for one backing disk, sectors (8 TiB). */
const DISK_SECTORS = 2 ** 34;
/** Longest file, bytes. */
export const MAX_FILE = (DISK_SECTORS - FIRST_FILE_SECTOR * 2) * 512;

/** A whole simulated machine: kernel, file system, io_uring, ublk driver, and the names under /dev. */
export class Machine implements DiskRegistry {
  readonly kernel: Kernel;
  readonly uring: IoUring;
  readonly ublk: UblkDriver;
  private readonly files = new Map<string, BackingFile>();
  private readonly fileCaches = new Map<BackingFile, PageCache>();
  private readonly disks = new Map<string, MachineDisk>();
  private nextDisk = 0;

  constructor(
    rec: Recorder,
    choices: Choices,
    private readonly options: MachineOptions,
  ) {
    const kernel = new Kernel(rec, choices, options.profile, options.cpus, options.memory, options.stop);
    this.kernel = kernel;
    const splicer = new Splicer(kernel);
    const ops = new FileOps(kernel, options.faults, (worker, req, inFile) =>
      splicer.run(worker, req, inFile),
    );
    this.uring = new IoUring(kernel, ops, options.faults, (worker) => splicer.taskGone(worker));
    ops.lookup = (worker, _req, fd) => this.uring.fileOf(worker, fd);
    this.ublk = new UblkDriver(kernel, this.uring, this, options.partScan);
  }

  /** The file of a path; makes it when `create`. */
  file(path: string, create: boolean): BackingFile | undefined {
    const known = this.files.get(path);
    if (known) return known;
    const initial = this.options.initial(path);
    if (!initial && !create) return undefined;
    const index = this.nextDisk++;
    const raw = this.options.rawBacking;
    const start = raw ? 0 : FIRST_FILE_SECTOR + 2;
    const store = new ByteStore(initial && shifted(initial, start * 512), (bytes) =>
      this.kernel.memory.charge(bytes),
    );
    const backing = new BackingDisk(
      this.kernel,
      index * 16,
      `vd${String.fromCharCode(97 + (index % 26))}`,
      store,
      DISK_SECTORS,
      this.options.faults,
    );
    const file = new BackingFile(
      this.kernel,
      path,
      12 + index,
      backing,
      start,
      this.options.blockSize,
      initial?.size ?? 0,
      raw,
    );
    if (initial) file.markAllocated(initial.size);
    this.files.set(path, file);
    return file;
  }

  /** Every file there is, by path. */
  allFiles(): ReadonlyMap<string, BackingFile> {
    return this.files;
  }

  /** Opens a file for a server: `direct` is O_DIRECT. */
  open(file: BackingFile, direct: boolean): OpenFile {
    const kind = file.raw ? 'block' : 'regular';
    if (direct) return { kind, file };
    return { kind, file, cache: this.cacheOf(file) };
  }

  /** The page cache of a file, made on first use. */
  cacheOf(file: BackingFile): PageCache {
    let cache = this.fileCaches.get(file);
    if (!cache) {
      cache = new PageCache(this.kernel, {
        size: () => file.size,
        grow: (size) => {
          file.size = size;
        },
        io: (task, write, offset, range, ahead, done) =>
          file.direct(task, write, offset, [range], ahead ? REQ_FLAG.RAHEAD : 0, (res) =>
            done(res < 0 ? res : 0),
          ),
      });
      this.fileCaches.set(file, cache);
    }
    return cache;
  }

  /** The disk behind /dev/NAME. */
  disk(name: string): MachineDisk | undefined {
    return this.disks.get(name);
  }

  /** Every disk there is, by name. */
  allDisks(): ReadonlyMap<string, MachineDisk> {
    return this.disks;
  }

  /** Closes a disk that was opened by counting `openers` up: the last close writes back and forgets what is cached. */
  *closeDisk(task: IoTask, entry: MachineDisk): Gen<void> {
    if (entry.openers === 1 && entry.cache.hasDirty && !entry.disk.dead) yield* entry.cache.writeBack(task);
    if (--entry.openers === 0) entry.cache.clear();
  }

  /** What a read of the file gives: the page cache over the disk. */
  contentOf(file: BackingFile, offset: number, length: number): Uint8Array {
    const bytes = file.content(offset, length);
    this.fileCaches.get(file)?.overlay(offset, bytes);
    return bytes;
  }

  /** The file's bytes at the end of a run, cached ones over those on disk. */
  *rangesOf(file: BackingFile): Generator<{ offset: number; bytes: Uint8Array }> {
    const cache = this.fileCaches.get(file);
    for (const range of file.ranges()) {
      cache?.overlay(range.offset, range.bytes);
      yield range;
    }
    if (!cache) return;
    // pages over holes are in no range of the disk
    for (const offset of cache.dirtyOffsets()) {
      if (offset < file.size)
        yield { offset, bytes: this.contentOf(file, offset, Math.min(4096, file.size - offset)) };
    }
  }

  /** Puts bytes into a file without I/O, as a command that prepares it does. */
  fillFile(file: BackingFile, offset: number, bytes: Uint8Array): void {
    file.fill(offset, bytes);
    this.fileCaches.get(file)?.update(offset, bytes);
  }

  /** fsync(2) of a file: write-back, then a flush of the disk's cache. 0 or -errno. */
  *syncFile(task: IoTask, file: BackingFile): Gen<number> {
    const cache = this.fileCaches.get(file);
    const error = cache ? yield* cache.writeBack(task) : 0;
    return error || (yield* file.flush(task));
  }

  /** truncate(2). */
  truncate(file: BackingFile, size: number): void {
    if (size < file.size) this.fileCaches.get(file)?.zero(size, file.size - size);
    file.truncate(size);
  }

  add(name: string, disk: Disk): void {
    const cache = new PageCache(this.kernel, {
      size: () => disk.sectors * 512,
      grow: () => undefined,
      io: (task, write, offset, range, ahead, done) =>
        disk.submit(task, {
          disk,
          opf: write ? REQ_OP.WRITE : REQ_OP.READ | (ahead ? REQ_FLAG.RAHEAD : 0),
          sector: offset / 512,
          nrSectors: range.length / 512,
          buffer: range.buffer,
          offset: range.offset,
          end: done,
          done: 0,
          total: range.length / 512,
          error: 0,
          traced: false,
        }),
    });
    this.disks.set(name, { name, disk, cache, openers: 0 });
  }

  remove(name: string): void {
    this.disks.delete(name);
  }

  *readPage(task: IoTask, disk: Disk, sector: number): Gen<void> {
    const buffer = this.kernel.memory.alloc(4096);
    let done = false;
    yield* disk.submit(task, {
      disk,
      opf: REQ_OP.READ,
      sector,
      nrSectors: 8,
      buffer,
      offset: 0,
      end: () => {
        done = true;
        this.kernel.sched.wake(task);
      },
      done: 0,
      total: 8,
      error: 0,
      traced: false,
    });
    task.onSleep?.();
    while (!done) yield PARK;
    task.onWake?.();
  }
}

/** The same content `by` bytes further on. */
function shifted(content: InitialContent, by: number): InitialContent {
  return {
    size: content.size + by,
    read: (offset, dst) => {
      const skip = Math.max(0, by - offset);
      dst.fill(0, 0, Math.min(skip, dst.length));
      if (skip < dst.length) content.read(offset + skip - by, dst.subarray(skip));
    },
  };
}

/** Files, pipes and memory of a program as they stand before its first step. */
import type { Digest } from '../kernel/uring/digest';
import type { OpenFile } from '../kernel/uring/open_files';
import type { PagePool } from '../kernel/uring/page_pool';
import { FilePages, PAGE, zeroPage } from '../kernel/uring/pages';
import { Pipe } from '../kernel/uring/pipe';
import type { UserMemory } from '../kernel/uring/user_memory';
import { contentsOf, type HashContents, type OutcomeContents } from './outcome';
import type { ProgramFile, RingProgram } from './program';

/** The open files of a run. */
export class ProgramFiles {
  readonly fds = new Map<number, OpenFile>();
  private readonly byName = new Map<string, OpenFile>();

  add(fd: number, file: OpenFile): void {
    this.fds.set(fd, file);
    this.byName.set(file.name, file);
  }

  get(name: string): OpenFile | undefined {
    return this.byName.get(name);
  }

  /** Adds what changed to the digest of a state. */
  stateKey(digest: Digest): void {
    digest.add(this.fds.size);
    for (const file of this.byName.values()) {
      digest.add(file.pos);
      digest.add(file.refs);
      file.pages?.stateKey(digest);
      if (file.readable) file.pipe?.stateKey(digest);
    }
  }

  /** Final contents; undefined for devices and for pipes that nobody can read any more. */
  contents(file: ProgramFile, hash: HashContents): OutcomeContents | undefined {
    if (file.kind === 'file') {
      const open = this.byName.get(file.name)!;
      return contentsOf(open.pages!.contents(), open.pages!.size, open.pos, hash);
    }
    if (file.kind !== 'pipe') return undefined;
    const end = this.byName.get(`${file.name}.r`)!;
    if (![...this.fds.values()].includes(end)) return undefined;
    return contentsOf(end.pipe!.contents(), end.pipe!.bytes, 0, hash);
  }
}

/** Opens the files and maps the memory of a program. */
export function buildFiles(program: RingProgram, memory: UserMemory): ProgramFiles {
  const { pool } = memory;
  const files = new ProgramFiles();
  program.files.forEach((file, i) => {
    if (file.kind === 'pipe') addPipe(program, files, file, i, pool);
    else files.add(program.fds.get(file.name)!, openFile(program, file, i, pool));
  });
  for (const { name, size, addr } of program.buffers) memory.map(addr, program.initial.get(name, size));
  for (const { addr, bytes } of program.memory) memory.map(addr, bytes);
  return files;
}

function openFile(program: RingProgram, file: ProgramFile, inode: number, pool: PagePool): OpenFile {
  const { open, kind, name } = file;
  const uncached = new Set<number>();
  if (!file.cached) for (let i = 0; i * PAGE < file.size; i++) uncached.add(i);
  const pages =
    kind === 'file'
      ? new FilePages(program.initial.get(name, file.size), file.size, uncached, pool)
      : undefined;
  if (pages) pages.inode = inode;
  return {
    name,
    kind,
    readable: !open.has('WRONLY'),
    writable: !open.has('RDONLY'),
    direct: open.has('DIRECT') && kind === 'file',
    append: open.has('APPEND'),
    nonblock: open.has('NONBLOCK'),
    sync: open.has('DSYNC') || open.has('SYNC'),
    pos: 0,
    pages,
    pipe: undefined,
    inode,
    refs: file.fixed ? 2 : 1,
  };
}

function addPipe(
  program: RingProgram,
  files: ProgramFiles,
  file: ProgramFile,
  inode: number,
  pool: PagePool,
): void {
  const pipe = new Pipe(file.size / PAGE, pool);
  const bytes = program.initial.get(file.name, file.fill);
  for (let at = 0; at < bytes.length; at += PAGE) {
    const len = Math.min(PAGE, bytes.length - at);
    const page = zeroPage(pool);
    page.bytes.set(bytes.subarray(at, at + len));
    pipe.slots.push({ page, offset: 0, len, merge: true });
  }
  for (const end of ['r', 'w']) {
    const name = `${file.name}.${end}`;
    files.add(program.fds.get(name)!, {
      name,
      kind: 'pipe',
      readable: end === 'r',
      writable: end === 'w',
      direct: false,
      append: false,
      nonblock: file.open.has('NONBLOCK'),
      sync: false,
      pos: 0,
      pages: undefined,
      pipe,
      inode,
      refs: file.fixed ? 2 : 1,
    });
  }
}

/** The registered file table. */
export function fixedTable(program: RingProgram, files: ProgramFiles): (OpenFile | undefined)[] {
  const table: (OpenFile | undefined)[] = [];
  for (const [name, index] of program.fixedIndex) table[index] = files.get(name);
  return table;
}

/** iomap_dio_rw: what O_DIRECT reads and writes check, extent by extent, and what they move. */
import type { OpenFile } from './open_files';
import { PAGE, Page } from './pages';
import { bufferedRead, bufferedWrite } from './regular_file';
import type { Segment, UserIter } from './user_memory';

const EINVAL = -22;
/** Logical sector of the disk, and the alignment that it wants of memory. */
const SECTOR = 512;

/** Memory of a direct transfer. */
export interface DirectMemory {
  readonly segments: readonly Segment[];
  /** It is a registered buffer. */
  readonly registered: boolean;
}

/** Bytes [from, from + length) of a direct transfer that lie in one extent. */
interface DirectPiece {
  readonly from: number;
  readonly length: number;
  /** The disk moves them; else a read gives zeros without it. */
  readonly disk: boolean;
}

/** What a direct transfer comes to. */
export interface DirectPlan {
  /** Bytes, or -EINVAL. */
  readonly res: number;
  /** What moves, also where the whole is refused. */
  readonly pieces: readonly DirectPiece[];
  /** The disk was asked: the end comes from there, also the end of what the disk refuses. */
  readonly disk: boolean;
}

/** Pieces of memory that bytes [from, from + length) of a list of segments are, neighbours put together. */
function piecesOf(segments: readonly Segment[], from: number, length: number): Segment[] {
  const pieces: Segment[] = [];
  let at = 0;
  for (const { addr, len } of segments) {
    const start = Math.max(from, at);
    const end = Math.min(from + length, at + len);
    if (end > start) {
      const last = pieces[pieces.length - 1];
      const piece = { addr: addr + start - at, len: end - start };
      if (last && last.addr + last.len === piece.addr)
        pieces[pieces.length - 1] = { addr: last.addr, len: last.len + piece.len };
      else pieces.push(piece);
    }
    at += len;
  }
  return pieces;
}

/**
 * bio_split_rw: memory must be aligned to sectors, but a single piece within a page is not looked at. Of a registered buffer
 * all that is left of the range counts, not only what goes to this extent.
 */
function memoryFits({ segments, registered }: DirectMemory, from: number, length: number): boolean {
  const pieces = piecesOf(segments, from, length);
  const [only] = pieces;
  const looked = registered ? piecesOf(segments, from, Number.POSITIVE_INFINITY)[0] : only;
  if (pieces.length === 1 && looked && (looked.addr % PAGE) + looked.len <= PAGE) return true;
  return pieces.every(({ addr, len }) => addr % SECTOR === 0 && len % SECTOR === 0);
}

/** Walks the extents of a direct transfer of `count` bytes between `pos` and memory. */
export function planDirect(
  file: OpenFile,
  pos: number,
  count: number,
  memory: DirectMemory,
  writing: boolean,
): DirectPlan {
  const { size, blocks } = file.pages!;
  const pieces: DirectPiece[] = [];
  let done = 0;
  let disk = false;
  let refused = false;
  while (done < count && (writing || pos < size)) {
    const { state, length } = blocks.extent(pos + done, count - done);
    const asked = writing || state === 'written';
    if (asked && ((pos + done) % SECTOR !== 0 || length % SECTOR !== 0)) return { res: EINVAL, pieces, disk };
    disk ||= asked;
    if (asked && !memoryFits(memory, done, length)) refused = true;
    else pieces.push({ from: done, length, disk: asked });
    done += length;
  }
  const res = writing ? done : Math.max(0, Math.min(done, size - pos));
  return { res: refused ? EINVAL : res, pieces, disk };
}

/** Zeros for what the disk does not have: at once, before anything comes from the disk. */
export function fillHoles(plan: DirectPlan, iter: UserIter): void {
  for (const { from, length, disk } of plan.pieces) if (!disk) iter.at(from).fill(length);
}

/** What the disk puts into memory: whole blocks, zeros behind the end of the file. */
export function directTransfer(file: OpenFile, pos: number, plan: DirectPlan, iter: UserIter): void {
  for (const { from, length, disk } of plan.pieces) {
    if (!disk) continue;
    const into = iter.at(from);
    const done = Math.max(0, bufferedRead(file, pos + from, into, length));
    into.fill(length - done);
  }
}

/** Writes past the page cache: pages of the range are new ones, so that borrowed ones keep what they had. */
export function directWrite(file: OpenFile, pos: number, count: number, iter: UserIter): number {
  dropPages(file, pos, count);
  return bufferedWrite(file, pos, count, iter);
}

/** What a write that fails leaves behind: new bytes in blocks that held data before, nothing in new ones. */
export function overwriteDirect(file: OpenFile, pos: number, plan: DirectPlan, iter: UserIter): void {
  const { blocks, size } = file.pages!;
  for (const { from, length } of plan.pieces) {
    if (blocks.extent(pos + from, length).state === 'written')
      directWrite(file, pos + from, length, iter.at(from));
    else blocks.reserve(pos + from, pos + from + length);
  }
  file.pages!.size = size;
}

/** The pages of a range leave the cache: who borrowed them keeps what they hold. */
export function dropPages(file: OpenFile, pos: number, count: number): void {
  const pages = file.pages!;
  for (let i = Math.floor(pos / PAGE); i * PAGE < pos + count; i++) {
    pages.stale.delete(i);
    pages.replace(i, new Page(pages.page(i).bytes, false, pages.pool));
  }
}

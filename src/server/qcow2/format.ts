/** The qcow2 format as ublksrv reads it: header, table entries, and what an image may not have. */

/** Bytes of a slice of an L2 table or refcount block: what is cached, loaded and written as a whole. */
export const SLICE_BYTES = 4096;
/** Bytes of the smallest part of the L1 or refcount table that is written. */
export const TOP_BLOCK_BYTES = 512;
export const TOP_BLOCK_ENTRIES = TOP_BLOCK_BYTES / 8;
/** Bytes of the header that the server reads. */
export const HEADER_BYTES = 4096;
/** "QFI" and 0xfb. */
export const QCOW_MAGIC = 0x514649fb;
/** High word of an entry: refcount is one, so the cluster may be written in place. */
const COPIED = 0x80000000;
/** High word of an L2 entry: compressed cluster. */
const COMPRESSED = 0x40000000;
const MAX_L1_BYTES = 32 << 20;
const MAX_REFTABLE_BYTES = 8 << 20;

/** What of a header the server uses. Offsets and sizes are bytes. */
export interface Qcow2Header {
  readonly version: 2 | 3;
  readonly clusterBits: number;
  readonly size: number;
  readonly l1TableOffset: number;
  readonly refcountTableOffset: number;
  readonly refcountTableClusters: number;
  /** Refcounts have 1 << order bits. */
  readonly refcountOrder: number;
}

/** An image that the server refuses, or that it would serve wrongly. */
export class Qcow2Refused extends Error {}

/** Incompatible features by bit, with what would happen: the server tests none of them. */
const INCOMPATIBLE: readonly (readonly [string, string])[] = [
  ['dirty refcounts (lazy_refcounts)', 'it would allocate clusters that are in use'],
  ['a corrupt image', 'qemu-img check -r mends it'],
  ['an external data file', 'it would look for the data in the image'],
  ['a compression type of its own', 'compressed clusters cannot be read'],
  ['extended L2 entries', 'it takes them for two plain entries'],
];

/** Reads the header. @throws Qcow2Refused with a line for the user. */
export function readHeader(bytes: Uint8Array): Qcow2Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 512) throw new Qcow2Refused(`the header has ${bytes.length} bytes instead of 512`);
  if (view.getUint32(0) !== QCOW_MAGIC) throw new Qcow2Refused('not a qcow2 image');
  const version = view.getUint32(4);
  if (version !== 2 && version !== 3) throw new Qcow2Refused(`qcow2 version ${version} is unknown`);
  if (view.getUint32(60) !== 0) throw new Qcow2Refused('not support snapshots');
  const ignored = (what: string, but: string): Qcow2Refused =>
    new Qcow2Refused(`${what}: this server does not look for it (${but}), so it is not simulated`);
  if (u64(view, 8) !== 0) throw ignored('a backing file', 'unallocated clusters would read as zeros');
  if (view.getUint32(32) !== 0) throw ignored('encryption', 'data would be ciphertext');
  if (version === 3) {
    for (let bit = 0; bit < 64; bit++) {
      if (!bitSet(view, 72, bit)) continue;
      throw ignored(...(INCOMPATIBLE[bit] ?? [`incompatible feature ${bit}`, 'nobody knows what it means']));
    }
    if (bitSet(view, 88, 0)) throw ignored('persistent bitmaps', 'they would not see its writes');
  }
  const clusterBits = view.getUint32(20);
  const refcountOrder = version === 3 ? view.getUint32(96) : 4;
  if (clusterBits < 9 || clusterBits > 21) throw new Qcow2Refused(`cluster_bits ${clusterBits} is not valid`);
  if (clusterBits < 12) throw ignored('clusters below 4 KiB', 'its slices of 4 KiB would not fit in');
  if (refcountOrder > 6) throw new Qcow2Refused(`refcount_order ${refcountOrder} is not valid`);
  return {
    version,
    clusterBits,
    size: u64(view, 24),
    l1TableOffset: u64(view, 40),
    refcountTableOffset: u64(view, 48),
    refcountTableClusters: view.getUint32(56),
    refcountOrder,
  };
}

function bitSet(view: DataView, at: number, bit: number): boolean {
  return ((view.getUint32(at + (bit < 32 ? 4 : 0)) >>> (bit % 32)) & 1) !== 0;
}

/** Bytes of the disk that one L1 entry covers. */
export function l1Reach({ clusterBits }: Qcow2Header): number {
  return 2 ** (2 * clusterBits - 3);
}

/** Bytes of the image that one refcount table entry covers. */
export function refcountReach({ clusterBits, refcountOrder }: Qcow2Header): number {
  return 2 ** (2 * clusterBits + 3 - refcountOrder);
}

/** Entries of the L1 table that the disk's size needs. */
export function l1Entries(header: Qcow2Header): number {
  return Math.ceil(header.size / l1Reach(header));
}

/** Bytes of the L1 table in memory: what the disk's size needs, in whole blocks of 512. */
export function l1Bytes(header: Qcow2Header): number {
  return tableBytes(header.size, l1Reach(header), MAX_L1_BYTES);
}

/** Bytes of the refcount table in memory, by the size of the disk. */
export function refcountTableBytes(header: Qcow2Header): number {
  return tableBytes(header.size, refcountReach(header), MAX_REFTABLE_BYTES);
}

function tableBytes(size: number, reach: number, most: number): number {
  const bytes = Math.ceil(size / reach) * 8;
  return bytes < most ? Math.ceil(bytes / TOP_BLOCK_BYTES) * TOP_BLOCK_BYTES : most;
}

/** A 64-bit number as the format has them; beyond 2^53 it is rounded, no image reaches there. */
export function u64(view: DataView, at: number): number {
  return view.getUint32(at) * 0x100000000 + view.getUint32(at + 4);
}

/** An entry of an L1 or L2 table. */
export interface Entry {
  /** Bits 0 to 61 as a number; 0 where nothing is mapped. */
  readonly offset: number;
  readonly compressed: boolean;
}

/** Entry `index` of a table of 64-bit entries. */
export function readEntry(view: DataView, index: number): Entry {
  const high = view.getUint32(index * 8);
  const offset = (high & 0x3fffffff) * 0x100000000 + view.getUint32(index * 8 + 4);
  return { offset, compressed: (high & COMPRESSED) !== 0 };
}

/** Sets entry `index`; `copied` marks a cluster with one reference. */
export function writeEntry(view: DataView, index: number, offset: number, copied: boolean): void {
  view.setUint32(index * 8, Math.floor(offset / 0x100000000) | (copied ? COPIED : 0));
  view.setUint32(index * 8 + 4, offset >>> 0);
}

/** Refcount `index` of a refcount block whose counts have 1 << order bits: 0, or something else. */
export function refcountIsZero(view: DataView, index: number, order: number): boolean {
  if (order < 3) {
    const perByte = 8 >> order;
    const shift = (index % perByte) << order;
    return ((view.getUint8(Math.floor(index / perByte)) >> shift) & ((1 << (1 << order)) - 1)) === 0;
  }
  const bytes = 1 << (order - 3);
  for (let i = 0; i < bytes; i++) if (view.getUint8(index * bytes + i) !== 0) return false;
  return true;
}

/** Sets refcount `index`, which was 0, to 1. */
export function setRefcountOne(view: DataView, index: number, order: number): void {
  if (order < 3) {
    const perByte = 8 >> order;
    const at = Math.floor(index / perByte);
    view.setUint8(at, view.getUint8(at) | (1 << ((index % perByte) << order)));
    return;
  }
  const bytes = 1 << (order - 3);
  view.setUint8(index * bytes + bytes - 1, 1);
}

import type { QemuImgCommand } from '../session/ast';
import { MAX_FILE } from '../kernel/machine';
import type { ClientContext } from './client_jobs';
import { QCOW_MAGIC, setRefcountOne } from './qcow2/format';

/** Feature name table of qemu-img 7.2: type, bit, name. */
const FEATURES: readonly (readonly [number, number, string])[] = [
  [0, 0, 'dirty bit'],
  [0, 1, 'corrupt bit'],
  [0, 2, 'external data file'],
  [0, 3, 'compression type'],
  [0, 4, 'extended L2 entries'],
  [1, 0, 'lazy refcounts'],
  [2, 0, 'bitmaps'],
  [2, 1, 'raw external data'],
];
const FEATURE_TABLE = 0x6803f857;
const FEATURE_BYTES = 48;
const HEADER_V3 = 112;

/** The metadata of an empty image: header, refcount table, refcount blocks and L1 table, from the start of the file. */
function emptyImage(command: QemuImgCommand): Uint8Array | undefined {
  const { clusterBits, refcountOrder, size } = command;
  const cluster = 2 ** clusterBits;
  const l1Entries = Math.max(1, Math.ceil(size / 2 ** (2 * clusterBits - 3)));
  const l1Clusters = Math.ceil((l1Entries * 8) / cluster);
  const perBlock = (cluster * 8) >> refcountOrder;
  // the first refcount block counts all metadata: more would need further blocks, which qemu-img makes on the way
  if (3 + l1Clusters > perBlock) return undefined;
  const l1 = 3 * cluster;
  const bytes = new Uint8Array(l1 + l1Entries * 8);
  const view = new DataView(bytes.buffer);
  const put64 = (at: number, value: number): void => {
    view.setUint32(at, Math.floor(value / 0x100000000));
    view.setUint32(at + 4, value >>> 0);
  };
  view.setUint32(0, QCOW_MAGIC);
  view.setUint32(4, command.version);
  view.setUint32(20, clusterBits);
  put64(24, size);
  view.setUint32(36, l1Entries);
  put64(40, l1);
  put64(48, cluster);
  view.setUint32(56, 1);
  if (command.version === 3) {
    view.setUint32(96, refcountOrder);
    view.setUint32(100, HEADER_V3);
    // a header cluster of 4 KiB is kept free for other things
    if (cluster > 4096) putFeatures(view, bytes);
  }
  put64(cluster, 2 * cluster);
  const counts = new DataView(bytes.buffer, 2 * cluster, cluster);
  for (let i = 0; i < 3 + l1Clusters; i++) setRefcountOne(counts, i, refcountOrder);
  return bytes;
}

function putFeatures(view: DataView, bytes: Uint8Array): void {
  view.setUint32(HEADER_V3, FEATURE_TABLE);
  view.setUint32(HEADER_V3 + 4, FEATURES.length * FEATURE_BYTES);
  let at = HEADER_V3 + 8;
  for (const [type, bit, name] of FEATURES) {
    bytes[at] = type;
    bytes[at + 1] = bit;
    bytes.set(new TextEncoder().encode(name), at + 2);
    at += FEATURE_BYTES;
  }
}

/** `qemu-img create -f qcow2`: makes the file anew, without any I/O. Returns the exit status. */
export function createImage({ machine, print }: ClientContext, command: QemuImgCommand): number {
  const bytes = emptyImage(command);
  if (!bytes || bytes.length > MAX_FILE) {
    print(
      `qemu-img: ${command.path}: an image of ${command.size} bytes with such small clusters is not simulated`,
    );
    return 1;
  }
  const file = machine.file(command.path, true);
  if (!file) return 1;
  machine.truncate(file, 0);
  machine.fillFile(file, 0, bytes);
  print(
    `Formatting '${command.path}', fmt=qcow2 cluster_size=${2 ** command.clusterBits} size=${command.size} ` +
      `refcount_bits=${2 ** command.refcountOrder}`,
  );
  return 0;
}

/** Reads a qcow2 image by its specification, on its own: no code of the product. */

/** What is wrong with an image, in the words of `qemu-img check`. */
export interface ImageCheck {
  /** Clusters whose refcount is too small, entries without the flag that they are used once, overlaps: corruption. */
  readonly errors: string[];
  /** Clusters that are counted and not used. */
  readonly leaks: number[];
}

interface Layout {
  readonly view: DataView;
  readonly bytes: Uint8Array;
  readonly cluster: number;
  readonly size: number;
  readonly order: number;
}

function layoutOf(bytes: Uint8Array): Layout {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(4);
  return {
    view,
    bytes,
    cluster: 2 ** view.getUint32(20),
    size: Number(view.getBigUint64(24)),
    order: version === 2 ? 4 : view.getUint32(96),
  };
}

function entry(view: DataView, at: number): bigint {
  return at + 8 <= view.byteLength ? view.getBigUint64(at) : 0n;
}

const OFFSET = 0x00fffffffffffe00n;
const COPIED = 1n << 63n;

/** Calls back for every L2 table and every data cluster: offset in the image, and in the disk. */
function walk(
  { view, cluster, size }: Layout,
  visit: (kind: 'l2' | 'data', host: number, copied: boolean, guest: number) => void,
): void {
  const perTable = cluster / 8;
  const l1 = Number(view.getBigUint64(40));
  for (let i = 0; i * perTable * cluster < size; i++) {
    const table = entry(view, l1 + i * 8);
    if (table === 0n) continue;
    const at = Number(table & OFFSET);
    visit('l2', at, (table & COPIED) !== 0n, i * perTable * cluster);
    for (let j = 0; j < perTable; j++) {
      const value = entry(view, at + j * 8);
      if (value !== 0n)
        visit('data', Number(value & OFFSET), (value & COPIED) !== 0n, (i * perTable + j) * cluster);
    }
  }
}

/** The disk's content. */
export function contentOf(bytes: Uint8Array): Uint8Array {
  const layout = layoutOf(bytes);
  const out = new Uint8Array(layout.size);
  walk(layout, (kind, host, _copied, guest) => {
    if (kind === 'data')
      out.set(bytes.subarray(host, Math.min(host + layout.cluster, host + out.length - guest)), guest);
  });
  return out;
}

/** Compares references and refcounts. */
export function checkImage(bytes: Uint8Array): ImageCheck {
  const layout = layoutOf(bytes);
  const { view, cluster } = layout;
  const used = new Map<number, number>();
  const errors: string[] = [];
  const use = (offset: number, length = cluster): void => {
    for (let at = offset; at < offset + length; at += cluster)
      used.set(Math.floor(at / cluster), (used.get(Math.floor(at / cluster)) ?? 0) + 1);
  };
  use(0);
  const table = Number(view.getBigUint64(48));
  const tableBytes = view.getUint32(56) * cluster;
  use(table, tableBytes);
  use(Number(view.getBigUint64(40)), view.getUint32(36) * 8);
  const counts = new Map<number, number>();
  for (let i = 0; i < tableBytes / 8; i++) {
    const block = Number(entry(view, table + i * 8) & OFFSET);
    if (block === 0) continue;
    use(block);
    const perBlock = (cluster * 8) >> layout.order;
    for (let j = 0; j < perBlock; j++) {
      const count = refcount(layout, block, j);
      if (count > 0) counts.set(i * perBlock + j, count);
    }
  }
  walk(layout, (kind, host, copied) => {
    if (host % cluster !== 0) errors.push(`${kind} at ${host} is not aligned`);
    if (!copied) errors.push(`${kind} at ${host} is not marked as used once`);
    use(host);
  });
  for (const [index, n] of used) {
    const count = counts.get(index) ?? 0;
    if (count < n) errors.push(`cluster ${index}: refcount ${count}, ${n} references`);
  }
  const leaks = [...counts].filter(([index, n]) => n > (used.get(index) ?? 0)).map(([index]) => index);
  return { errors, leaks };
}

function refcount({ bytes, order }: Layout, block: number, index: number): number {
  const bits = 1 << order;
  if (bits < 8)
    return (bytes[block + Math.floor((index * bits) / 8)] >> ((index * bits) % 8)) & ((1 << bits) - 1);
  let value = 0;
  for (let i = 0; i < bits / 8; i++) value = value * 256 + (bytes[block + (index * bits) / 8 + i] ?? 0);
  return value;
}

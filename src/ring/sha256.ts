/** SHA-256, for contents of files and buffers; works in the browser too, and at once. */

/** Signed words: they stay small integers in every engine. */
const K = new Int32Array(64);
const INITIAL = new Int32Array(8);

/** Fractional parts of roots of the first primes, as the standard defines its constants. */
(function fillConstants(): void {
  const fraction = (x: number): number => ((x - Math.floor(x)) * 0x100000000) >>> 0;
  let n = 0;
  for (let candidate = 2; n < 64; candidate++) {
    let prime = true;
    for (let d = 2; d * d <= candidate; d++) if (candidate % d === 0) prime = false;
    if (!prime) continue;
    if (n < 8) INITIAL[n] = fraction(Math.sqrt(candidate));
    K[n++] = fraction(Math.cbrt(candidate));
  }
})();

/** Hash of pieces one after the other, as 64 hexadecimal digits. */
export function sha256Hex(pieces: Iterable<Uint8Array>): string {
  const state = INITIAL.slice();
  const words = new Int32Array(64);
  const block = new Uint8Array(64);
  let filled = 0;
  let total = 0;
  for (const piece of pieces) {
    total += piece.length;
    let at = 0;
    if (filled > 0) {
      const n = Math.min(64 - filled, piece.length);
      block.set(piece.subarray(0, n), filled);
      filled += n;
      at = n;
      if (filled === 64) {
        compress(state, words, block, 0);
        filled = 0;
      }
    }
    if (filled > 0) continue;
    for (; at + 64 <= piece.length; at += 64) compress(state, words, piece, at);
    block.set(piece.subarray(at), 0);
    filled = piece.length - at;
  }
  block[filled++] = 0x80;
  if (filled > 56) {
    block.fill(0, filled);
    compress(state, words, block, 0);
    filled = 0;
  }
  block.fill(0, filled);
  const view = new DataView(block.buffer);
  view.setUint32(56, Math.floor(total / 0x20000000));
  view.setUint32(60, (total << 3) >>> 0);
  compress(state, words, block, 0);
  return Array.from(state, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
}

function compress(state: Int32Array, w: Int32Array, bytes: Uint8Array, at: number): void {
  for (let i = 0, p = at; i < 16; i++, p += 4) {
    w[i] = (bytes[p]! << 24) | (bytes[p + 1]! << 16) | (bytes[p + 2]! << 8) | bytes[p + 3]!;
  }
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15]!;
    const y = w[i - 2]!;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = (w[i - 16]! + s0 + w[i - 7]! + s1) | 0;
  }
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  let f = state[5]!;
  let g = state[6]!;
  let h = state[7]!;
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i]! + w[i]!) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
  state[4]! += e;
  state[5]! += f;
  state[6]! += g;
  state[7]! += h;
}

// Makes the pictures of docs/media from the screenshots of the last npm run test:e2e: node scripts/pictures.mjs
// Single pictures are copied; the steps along one tag become an animated PNG.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync, inflateSync } from 'node:zlib';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const shots = join(root, 'out', 'shots');
const media = join(root, 'docs', 'media');

/** Name in docs/media, and the screenshot that it is. */
const PICTURES = {
  'debugger.png': 'debug-dark.png',
  'tree.png': 'tree-follows-light.png',
  'compare.png': 'view-compare-dark.png',
};
/** The README shows each face in each theme. */
for (const face of ['timeline', 'sequence', 'machine'])
  for (const theme of ['dark', 'light', 'high-contrast'])
    PICTURES[`${face}-${theme}.png`] = `view-${face}-${theme}.png`;
/** How long each step stands, ms. */
const FRAME_MS = 1200;
/** Chunks of a PNG: its type and data. */
function* chunks(file) {
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32BE(at);
    yield { type: file.toString('latin1', at + 4, at + 8), data: file.subarray(at + 8, at + 8 + length) };
    at += length + 12;
  }
}

function chunk(type, data) {
  const out = Buffer.alloc(data.length + 12);
  out.writeUInt32BE(data.length, 0);
  out.write(type, 4, 'latin1');
  data.copy(out, 8);
  out.writeUInt32BE(crc(out.subarray(4, data.length + 8)), data.length + 8);
  return out;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

function crc(bytes) {
  let c = 0xffffffff;
  for (const byte of bytes) c = TABLE[(c ^ byte) & 255] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

/** Rows of an 8-bit RGB or RGBA picture, three bytes a pixel. */
function decode(file) {
  const parts = [...chunks(file)];
  const head = parts.find(({ type }) => type === 'IHDR').data;
  const [width, height] = [head.readUInt32BE(0), head.readUInt32BE(4)];
  const size = head[9] === 6 ? 4 : 3;
  if (head[8] !== 8 || (head[9] !== 2 && head[9] !== 6) || head[12] !== 0)
    throw new Error('pictures: not 8-bit RGB');
  const raw = inflateSync(Buffer.concat(parts.filter(({ type }) => type === 'IDAT').map(({ data }) => data)));
  const line = width * size;
  for (let y = 0; y < height; y++) {
    const start = y * (line + 1) + 1;
    const filter = raw[start - 1];
    for (let x = 0; x < line; x++) {
      const left = x < size ? 0 : raw[start + x - size];
      const up = y === 0 ? 0 : raw[start + x - line - 1];
      const corner = y === 0 || x < size ? 0 : raw[start + x - line - 1 - size];
      raw[start + x] += [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
    }
  }
  const pixels = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      raw.copy(pixels, (y * width + x) * 3, y * (line + 1) + 1 + x * size, y * (line + 1) + 4 + x * size);
  return { width, height, pixels };
}

function paeth(a, b, c) {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

/** The most frequent colours of some pictures, 256 at most, as 24-bit numbers. */
function paletteOf(frames) {
  const counts = new Map();
  for (const { pixels } of frames)
    for (let at = 0; at < pixels.length; at += 3) {
      const colour = pixels.readUIntBE(at, 3);
      counts.set(colour, (counts.get(colour) ?? 0) + 1);
    }
  return [...counts]
    .sort(([, x], [, y]) => y - x)
    .slice(0, 256)
    .map(([colour]) => colour);
}

/** Gives each colour the number of the nearest one of a palette. */
function matcher(palette) {
  const known = new Map(palette.map((colour, k) => [colour, k]));
  const far = (x, y) =>
    ((x >> 16) - (y >> 16)) ** 2 + (((x >> 8) & 255) - ((y >> 8) & 255)) ** 2 + ((x & 255) - (y & 255)) ** 2;
  return (colour) => {
    let best = known.get(colour);
    if (best !== undefined) return best;
    best = 0;
    for (let k = 1; k < palette.length; k++)
      if (far(colour, palette[k]) < far(colour, palette[best])) best = k;
    known.set(colour, best);
    return best;
  };
}

/** A part of a picture as the data of IDAT: a byte for each pixel, rows without a filter. */
function encode({ width, pixels }, { left, top, right, bottom }, numberOf) {
  const line = right - left;
  const raw = Buffer.alloc((line + 1) * (bottom - top));
  for (let y = top; y < bottom; y++)
    for (let x = left; x < right; x++)
      raw[(y - top) * (line + 1) + 1 + x - left] = numberOf(pixels.readUIntBE((y * width + x) * 3, 3));
  return deflateSync(raw, { level: 9 });
}

/** The smallest rectangle outside of which two pictures are the same; undefined: they are the same. */
function changed(before, after) {
  const { width, height } = after;
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 3;
      if (before.pixels.compare(after.pixels, at, at + 3, at, at + 3) === 0) continue;
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y + 1);
    }
  return right === 0 ? undefined : { left, top, right, bottom };
}

/** One animated PNG, of which each frame holds only what has changed. */
function animate(files) {
  const frames = files.map((file) => decode(readFileSync(file)));
  const [{ width, height }] = frames;
  const palette = paletteOf(frames);
  const numberOf = matcher(palette);
  const parts = [];
  let sequence = 0;
  let count = 0;
  for (const [k, frame] of frames.entries()) {
    const whole = { left: 0, top: 0, right: width, bottom: height };
    const area = k === 0 ? whole : changed(frames[k - 1], frame);
    if (area === undefined) continue;
    const control = Buffer.alloc(26);
    const { left, top, right, bottom } = area;
    [sequence++, right - left, bottom - top, left, top].forEach((value, at) => {
      control.writeUInt32BE(value, at * 4);
    });
    control.writeUInt16BE(FRAME_MS, 20);
    control.writeUInt16BE(1000, 22);
    parts.push(chunk('fcTL', control));
    const data = encode(frame, area, numberOf);
    if (k === 0) parts.push(chunk('IDAT', data));
    else {
      const number = Buffer.alloc(4);
      number.writeUInt32BE(sequence++);
      parts.push(chunk('fdAT', Buffer.concat([number, data])));
    }
    count++;
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head[8] = 8;
  head[9] = 3;
  const colours = Buffer.alloc(palette.length * 3);
  for (const [k, colour] of palette.entries()) colours.writeUIntBE(colour, k * 3, 3);
  const control = Buffer.alloc(8);
  control.writeUInt32BE(count, 0);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const end = chunk('IEND', Buffer.alloc(0));
  return Buffer.concat([
    signature,
    chunk('IHDR', head),
    chunk('PLTE', colours),
    chunk('acTL', control),
    ...parts,
    end,
  ]);
}

mkdirSync(media, { recursive: true });
for (const [name, shot] of Object.entries(PICTURES)) {
  const from = join(shots, shot);
  if (existsSync(from)) copyFileSync(from, join(media, name));
  else process.stderr.write(`pictures: ${shot} is not in out/shots: ${name} stays as it is\n`);
}
const steps = existsSync(shots) ? readdirSync(shots).filter((name) => /^step-\d+\.png$/.test(name)) : [];
if (steps.length === 0)
  process.stderr.write('pictures: no step-*.png in out/shots: stepping.png stays as it is\n');
else {
  const file = animate(steps.sort().map((name) => join(shots, name)));
  writeFileSync(join(media, 'stepping.png'), file);
  process.stdout.write(
    `docs/media/stepping.png: ${(file.length / 1e3).toFixed(0)} kB, ${steps.length} steps\n`,
  );
}

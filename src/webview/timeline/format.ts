/** Units of time with their length in ns, longest first. */
const UNITS = [
  { name: 's', ns: 1e9 },
  { name: 'ms', ns: 1e6 },
  { name: 'µs', ns: 1e3 },
  { name: 'ns', ns: 1 },
] as const;
export type Unit = (typeof UNITS)[number];

/** The unit in which a length reads best: the longest that is not longer than it. */
export function unitOf(ns: number): Unit {
  const size = Math.abs(ns);
  return UNITS.find((unit) => unit.ns <= size) ?? UNITS[3];
}

/** A time or length with three significant digits, such as `1.23 ms`; `∞` for one that never ends. */
export function formatDuration(ns: number): string {
  if (!Number.isFinite(ns)) return '∞';
  const unit = unitOf(ns);
  const value = ns / unit.ns;
  const size = Math.abs(value);
  const digits = unit.ns === 1 || size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return `${trimZeros(value.toFixed(digits))} ${unit.name}`;
}

/** A time to the nanosecond in one unit: `12.000345678 s`. Integer arithmetic, so that no digit is made up. */
export function formatExact(ns: number): string {
  if (!Number.isFinite(ns)) return '∞';
  const whole = BigInt(Math.round(ns));
  const size = whole < 0n ? -whole : whole;
  const unit = unitOf(Number(size));
  const per = BigInt(unit.ns);
  const digits = String(unit.ns).length - 1;
  const fraction = digits === 0 ? '' : String(size % per).padStart(digits, '0');
  const text = fraction === '' ? String(size / per) : trimZeros(`${size / per}.${fraction}`);
  return `${whole < 0n ? '-' : ''}${text} ${unit.name}`;
}

/** A count with thin spaces between thousands. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** Bytes in the units of block layers: KiB, MiB, GiB. */
export function formatBytes(bytes: number): string {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let k = 0;
  while (Math.abs(value) >= 1024 && k < names.length - 1) {
    value /= 1024;
    k++;
  }
  return `${trimZeros(value.toFixed(value >= 100 || k === 0 ? 0 : 1))} ${names[k]}`;
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

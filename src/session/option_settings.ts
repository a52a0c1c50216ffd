import type { OptionSpec } from './option_types';
import { ERRNO_NAMES } from './sizes';

const ALL = Number.MAX_SAFE_INTEGER;

/** The `#: NAME VALUE` settings. */
// biome-ignore format: a row per option
export const SETTINGS: readonly OptionSpec[] = [
  { name: 'kernel', argument: 'PROFILE', type: 'text', default: '6.1+splice-zc', doc: 'Kernel profile.' },
  { name: 'server', argument: 'NAME', type: 'text', doc: 'Server; each kernel profile has a default.' },
  { name: 'seed', argument: 'N', type: 'u64', default: '1',
    doc: 'Seed of every choice the simulator makes.' },
  { name: 'cpus', argument: 'N', type: 'integer', min: 1, max: 64, default: '2',
    doc: 'CPUs of the machine.' },
  { name: 'backing', argument: 'file|blkdev', type: 'enum', values: ['file', 'blkdev'], default: 'file',
    doc: 'What the backing file is.' },
  { name: 'block-size', argument: 'SIZE', type: 'size', sizes: 'session', min: 512, max: 65536, default: '4096',
    doc: "Preferred block size (st_blksize) of the backing file; loop's logical block size." },
  { name: 'part-scan', argument: 'on|off', type: 'enum', values: ['on', 'off'], default: 'on',
    doc: 'Partition scan when a disk appears.' },
  { name: 'qcow2-link', argument: 'shipped|intended', type: 'enum', values: ['shipped', 'intended'], default: 'shipped',
    doc: 'ublk-qcow2: as shipped the FSYNC with IOSQE_IO_LINK stands behind the WRITE of the table that it should hold back; intended puts it before.' },
  { name: 'memory', argument: 'SIZE', type: 'size', sizes: 'session', min: 1 << 20, max: 2 ** 34, default: '1G',
    doc: 'Page memory of the machine.' },
  { name: 'max-events', argument: 'N', type: 'integer', min: 1, max: ALL, default: '50000000',
    doc: 'A run stops after so many events.' },
];

// biome-ignore format: a row per option
const SELECT: readonly OptionSpec[] = [
  { name: 'queue', argument: 'N', type: 'integer', min: 0, max: 31, doc: 'Only this queue.' },
  { name: 'tag', argument: 'N', type: 'integer', min: 0, max: 1023, doc: 'Only this tag.' },
];
// biome-ignore format: a row per option
const COMMON: readonly OptionSpec[] = [
  { name: 'nth', argument: 'N', type: 'integer', min: 1, max: ALL,
    doc: 'Only the Nth match of the session, from 1.' },
  { name: 'count', argument: 'N|all', type: 'text', default: '1', doc: 'How many matches it strikes.' },
  { name: 'offset', argument: 'SIZE', type: 'size', sizes: 'session', doc: 'Only what touches this byte.' },
  { name: 'length', argument: 'SIZE', type: 'size', sizes: 'session', min: 1, default: '1',
    doc: 'Length of the range that begins at offset.' },
];
const SHORT: OptionSpec = {
  name: 'short',
  argument: 'SIZE',
  type: 'size',
  sizes: 'session',
  doc: 'Moves only so many bytes.',
};
const ERROR: OptionSpec = {
  name: 'error',
  argument: 'ERRNO',
  type: 'errno',
  values: ERRNO_NAMES,
  doc: 'Fails with this error.',
};
const DELAY: OptionSpec = {
  name: 'delay',
  argument: 'TIME',
  type: 'duration',
  unit: 'us',
  doc: 'Takes so much longer.',
};
const DIRECTION: OptionSpec = {
  name: 'op',
  argument: 'OP',
  type: 'enum',
  values: ['read', 'write', 'flush', 'discard'],
  doc: 'Only this operation.',
};

/** What a server can do wrong: bare words of `#: fault server`. */
export const MISTAKES = {
  'over-commit': 'commits the full length whatever was moved',
  'commit-early': 'commits before its SQE has completed',
  'commit-twice': 'commits the request twice',
  'no-commit': 'never commits',
  'no-fill': 'commits without moving data',
  'no-read-to-read': 'reads with SPLICE_F_DIRECT alone',
  'read-to-read-only': 'reads with SPLICE_F_READ_TO_READ alone',
  'retry-same': 'repeats the whole range after a short splice',
} as const;

/** The `#: fault KIND ...` lines and the keys each takes. */
export const FAULTS = {
  splice: { doc: "The server's SPLICE SQE.", keys: [...SELECT, ...COMMON, SHORT, ERROR, DELAY], bare: [] },
  read: { doc: "The server's READ SQE.", keys: [...SELECT, ...COMMON, SHORT, ERROR, DELAY], bare: [] },
  write: { doc: "The server's WRITE SQE.", keys: [...SELECT, ...COMMON, SHORT, ERROR, DELAY], bare: [] },
  fsync: { doc: "The server's flush SQE.", keys: [...SELECT, ...COMMON, ERROR, DELAY], bare: [] },
  device: {
    doc: 'A request of the backing device.',
    keys: [...COMMON, DIRECTION, SHORT, ERROR, DELAY],
    bare: [],
  },
  commit: {
    doc: 'The result the server commits.',
    keys: [...SELECT, ...COMMON, SHORT, ERROR, DELAY],
    bare: [],
  },
  server: { doc: 'A mistake of the server.', keys: [...SELECT, ...COMMON], bare: Object.keys(MISTAKES) },
} as const satisfies Record<string, { doc: string; keys: readonly OptionSpec[]; bare: readonly string[] }>;

import { OP_FIELDS, OPEN_FLAGS, SETUP_BITS } from '../uapi/sqe_fields';
import type { FlagField, RawField } from './ast_ring';
import type { CommandSpec, OptionSpec } from './option_types';

/** Operations that `sqe` takes by name, with their operands; one in brackets may be left out. */
export const SQE_OPERANDS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    NOP: [],
    READ: ['FILE', 'OFFSET', 'LENGTH'],
    WRITE: ['FILE', 'OFFSET', 'LENGTH'],
    READ_FIXED: ['FILE', 'OFFSET', 'LENGTH'],
    WRITE_FIXED: ['FILE', 'OFFSET', 'LENGTH'],
    READV: ['FILE', 'OFFSET', '[BUFFER[+OFFSET]:LENGTH,...]'],
    WRITEV: ['FILE', 'OFFSET', '[BUFFER[+OFFSET]:LENGTH,...]'],
    FSYNC: ['FILE', '[OFFSET]', '[LENGTH]'],
    SYNC_FILE_RANGE: ['FILE', 'OFFSET', 'LENGTH'],
    FALLOCATE: ['FILE', 'OFFSET', 'LENGTH'],
    SPLICE: ['FROM', 'OFFSET', 'LENGTH', 'TO', '[OFFSET]'],
    TEE: ['FROM', 'LENGTH', 'TO'],
    POLL_ADD: ['FILE', '[EVENTS]'],
    TIMEOUT: ['[TIME]'],
    LINK_TIMEOUT: ['[TIME]'],
    TIMEOUT_REMOVE: ['[TARGET]'],
    ASYNC_CANCEL: ['[TARGET]'],
  }),
);

const RW = ['READ', 'WRITE', 'READ_FIXED', 'WRITE_FIXED'];
const RWV = ['READV', 'WRITEV'];
const FLAGS = { argument: 'LIST', type: 'list' } as const;

/** Names of a flag field. */
function names(op: string, field: FlagField): readonly string[] {
  return Object.keys(OP_FIELDS[op]?.[field]?.bits ?? {});
}

/** Flags that an option alone can set: its field and the name of the flag. */
export const SHORTHANDS: Readonly<Record<string, readonly [FlagField, string]>> = {
  dsync: ['rw_flags', 'DSYNC'],
  datasync: ['fsync_flags', 'DATASYNC'],
  nonblock: ['splice_flags', 'NONBLOCK'],
  multi: ['poll_flags', 'ADD_MULTI'],
  'etime-success': ['timeout_flags', 'ETIME_SUCCESS'],
};
/** Options that give a flag field. */
export const FLAG_OPTIONS: Readonly<Record<string, FlagField>> = {
  'rw-flags': 'rw_flags',
  'fsync-flags': 'fsync_flags',
  'sync-range-flags': 'sync_range_flags',
  mode: 'mode',
  'splice-flags': 'splice_flags',
  'poll-events': 'poll_events',
  'poll-flags': 'poll_flags',
  'timeout-flags': 'timeout_flags',
  'cancel-flags': 'cancel_flags',
};
/** Options that give a raw field, with the least and greatest value. */
export const RAW_OPTIONS: Readonly<Record<string, readonly [RawField, bigint, bigint]>> = {
  fd: ['fd', -(2n ** 31n), 2n ** 31n - 1n],
  'splice-fd-in': ['splice_fd_in', -(2n ** 31n), 2n ** 31n - 1n],
  addr: ['addr', -(2n ** 63n), 2n ** 64n - 1n],
  ioprio: ['ioprio', 0n, 0xffffn],
  'buf-index': ['buf_index', 0n, 0xffffn],
  personality: ['personality', 0n, 0xffffn],
};

/** Options of `sqe`. */
// biome-ignore format: a row per option
const SQE: readonly OptionSpec[] = [
  { name: 'link', long: ['link'], type: 'flag',
    doc: 'IOSQE_IO_LINK: the next SQE of the same submit starts only after this one succeeded.' },
  { name: 'hardlink', long: ['hardlink'], type: 'flag',
    doc: 'IOSQE_IO_HARDLINK: as link, but a failure does not break the chain.' },
  { name: 'drain', long: ['drain'], type: 'flag',
    doc: 'IOSQE_IO_DRAIN: starts only after all SQEs before it completed.' },
  { name: 'async', long: ['async'], type: 'flag', doc: 'IOSQE_ASYNC: goes to a worker without a try inline.' },
  { name: 'skip-success', long: ['skip-success'], type: 'flag', doc: 'IOSQE_CQE_SKIP_SUCCESS: no CQE when it succeeds.' },
  { name: 'fixed-file', long: ['fixed-file'], type: 'flag',
    doc: 'IOSQE_FIXED_FILE: the file is meant by its index in the table; open FILE --fixed puts it there.' },
  { name: 'flags', long: ['flags'], ...FLAGS, doc: 'More bits of sqe.flags, such as 0x80.',
    values: ['FIXED_FILE', 'IO_DRAIN', 'IO_LINK', 'IO_HARDLINK', 'ASYNC', 'CQE_SKIP_SUCCESS'] },
  { name: 'user-data', short: 'u', long: ['user-data'], argument: 'N', type: 'u64', default: '0',
    doc: 'Comes back in the CQE.' },
  { name: 'buffer', long: ['buffer'], argument: 'NAME[+OFFSET]', type: 'text', default: '0', ops: RW,
    doc: 'What READ fills and WRITE takes: a buffer of the command buffer, or 0 to 15, which begin as zeros.' },
  { name: 'direct', long: ['direct'], type: 'flag', doc: 'Opens the file with O_DIRECT.' },
  { name: 'dsync', long: ['dsync'], type: 'flag', ops: ['WRITE', 'WRITE_FIXED', 'WRITEV'], doc: 'WRITE: RWF_DSYNC.' },
  { name: 'rw-flags', long: ['rw-flags'], ...FLAGS, values: names('READ', 'rw_flags'), ops: [...RW, ...RWV], doc: 'RWF_*' },
  { name: 'datasync', long: ['datasync'], type: 'flag', ops: ['FSYNC'], doc: 'FSYNC: IORING_FSYNC_DATASYNC.' },
  { name: 'fsync-flags', long: ['fsync-flags'], ...FLAGS, values: names('FSYNC', 'fsync_flags'), ops: ['FSYNC'],
    doc: 'IORING_FSYNC_*' },
  { name: 'sync-range-flags', long: ['sync-range-flags'], ...FLAGS, values: names('SYNC_FILE_RANGE', 'sync_range_flags'),
    ops: ['SYNC_FILE_RANGE'], doc: 'SYNC_FILE_RANGE_*' },
  { name: 'mode', long: ['mode'], ...FLAGS, values: names('FALLOCATE', 'mode'), ops: ['FALLOCATE'],
    doc: 'FALLOCATE: FALLOC_FL_*; nothing of it makes room.' },
  { name: 'nonblock', long: ['nonblock'], type: 'flag', ops: ['SPLICE', 'TEE'], doc: 'SPLICE_F_NONBLOCK.' },
  { name: 'splice-flags', long: ['splice-flags'], ...FLAGS, values: names('SPLICE', 'splice_flags'), ops: ['SPLICE', 'TEE'],
    doc: 'SPLICE_F_*; FD_IN_FIXED: FROM is meant by its index in the table of files.' },
  { name: 'poll-events', long: ['poll-events'], ...FLAGS, values: names('POLL_ADD', 'poll_events'), ops: ['POLL_ADD'],
    doc: 'What to wait for.' },
  { name: 'multi', long: ['multi'], type: 'flag', ops: ['POLL_ADD'], doc: 'IORING_POLL_ADD_MULTI: a CQE for each event, not the first only.' },
  { name: 'poll-flags', long: ['poll-flags'], ...FLAGS, values: names('POLL_ADD', 'poll_flags'), ops: ['POLL_ADD'],
    doc: 'IORING_POLL_*' },
  { name: 'timeout', long: ['timeout', 'ns'], argument: 'TIME', type: 'duration', unit: 'ns', ops: ['TIMEOUT', 'LINK_TIMEOUT'],
    doc: 'When it expires: 5ms, 200us.' },
  { name: 'count', long: ['count'], argument: 'N', type: 'integer', min: 0, max: 0xffffffff, ops: ['TIMEOUT'],
    doc: 'TIMEOUT: ends after so many completions, too.' },
  { name: 'etime-success', long: ['etime-success'], type: 'flag', ops: ['TIMEOUT'],
    doc: 'IORING_TIMEOUT_ETIME_SUCCESS: expiry does not break a chain.' },
  { name: 'timeout-flags', long: ['timeout-flags'], ...FLAGS, values: names('TIMEOUT', 'timeout_flags'), ops: ['TIMEOUT'],
    doc: 'IORING_TIMEOUT_*' },
  { name: 'target', long: ['target'], argument: 'N', type: 'u64', ops: ['TIMEOUT_REMOVE', 'ASYNC_CANCEL'],
    doc: 'user_data of the request that is meant.' },
  { name: 'file', long: ['file'], argument: 'FILE', type: 'text', ops: ['ASYNC_CANCEL'],
    doc: 'ASYNC_CANCEL with FD: requests of this file.' },
  { name: 'cancel-flags', long: ['cancel-flags'], ...FLAGS, values: names('ASYNC_CANCEL', 'cancel_flags'), ops: ['ASYNC_CANCEL'],
    doc: 'IORING_ASYNC_CANCEL_*' },
  { name: 'off', long: ['off'], argument: 'N', type: 'text', ops: ['TEE'], doc: 'Raw offset, which TEE refuses.' },
  { name: 'off-in', long: ['off-in'], argument: 'N', type: 'text', ops: ['TEE'], doc: 'Raw offset of FROM, which TEE refuses.' },
  { name: 'len', long: ['len'], argument: 'N', type: 'text', ops: RWV, doc: 'Raw number of pieces.' },
  { name: 'fd', long: ['fd'], argument: 'N', type: 'text', doc: 'Raw descriptor or index instead of the file.' },
  { name: 'splice-fd-in', long: ['splice-fd-in'], argument: 'N', type: 'text', doc: 'Raw descriptor or index instead of FROM.' },
  { name: 'addr', long: ['addr'], argument: 'N', type: 'text', doc: 'Raw address field.' },
  { name: 'ioprio', long: ['ioprio'], argument: 'N', type: 'text', doc: 'Raw priority field.' },
  { name: 'buf-index', long: ['buf-index'], argument: 'N', type: 'text', doc: 'Raw index of a registered buffer.' },
  { name: 'personality', long: ['personality'], argument: 'N', type: 'text', doc: 'Raw credentials; none are registered.' },
  { name: 'buffer-select', long: ['buffer-select'], optionalArgument: true, type: 'text', simulated: false, doc: 'Not simulated.' },
];

const SIZE = { argument: 'SIZE', type: 'size', sizes: 'fio' } as const;

/** Commands of the session's own ring. */
// biome-ignore format: a row per option
export const RING_COMMANDS: readonly CommandSpec[] = [
  { name: 'mkfifo', style: 'words', synopsis: 'mkfifo PATH', doc: 'Makes a pipe with the ends PATH.r and PATH.w.', options: [] },
  { name: 'ring', style: 'getopt', synopsis: 'ring [--entries N] [--cq-entries N] [--setup LIST]',
    doc: "io_uring_setup of the session's own ring; without it the SQ has 64 entries.",
    options: [
      { name: 'entries', long: ['entries'], argument: 'N', type: 'integer', min: 1, max: 4096, default: '64',
        doc: 'Entries of the SQ; rounded up to a power of two.' },
      { name: 'cq-entries', long: ['cq-entries'], argument: 'N', type: 'integer', min: 1, max: 8192,
        doc: 'Entries of the CQ (IORING_SETUP_CQSIZE); default: twice those of the SQ.' },
      { name: 'setup', long: ['setup'], ...FLAGS, values: Object.keys(SETUP_BITS), doc: 'IORING_SETUP_*' },
      { name: 'fsize', long: ['fsize'], ...SIZE, doc: 'RLIMIT_FSIZE of the program: no file grows beyond it.' },
    ] },
  { name: 'open', style: 'getopt', synopsis: 'open PATH [--flags LIST] [--fixed] [--size SIZE]',
    doc: 'Opens a file, a pipe or /dev/null, /dev/zero, /dev/full for the ring; files that are not named here are opened for reading and writing.',
    options: [
      { name: 'flags', long: ['flags'], ...FLAGS, values: OPEN_FLAGS, doc: 'O_*; of a pipe NONBLOCK only.' },
      { name: 'fixed', long: ['fixed'], type: 'flag',
        doc: 'Registers it too; its index in the table follows from the order of the files, a pipe takes two.' },
      { name: 'size', long: ['size'], ...SIZE,
        doc: 'Makes the file, cached, with so many bytes of the pattern of ring programs; of a pipe its capacity.' },
      { name: 'fill', long: ['fill'], ...SIZE, doc: 'Bytes of the pattern that a pipe holds at first.' },
      { name: 'uncached', long: ['uncached'], type: 'flag', doc: 'None of its pages is in the page cache.' },
    ] },
  { name: 'buffer', style: 'getopt', synopsis: 'buffer NAME SIZE [--fixed]',
    doc: 'Memory of the program, filled with the pattern of ring programs.',
    options: [{ name: 'fixed', long: ['fixed'], type: 'flag', doc: 'Registers it; its index follows from the order.' }] },
  { name: 'sqe', style: 'getopt', synopsis: 'sqe OP [FILE OFFSET LENGTH] [--link] [--user-data N]', options: SQE,
    doc: "Fills an SQE of the session's own ring: NOP, READ or WRITE FILE OFFSET LENGTH, SPLICE FROM OFFSET LENGTH TO [OFFSET], TIMEOUT 5ms, ASYNC_CANCEL TARGET, and so on. - stands for no offset: that of a pipe, or the file's position." },
  { name: 'submit', style: 'getopt', synopsis: 'submit [--wait N]',
    doc: 'io_uring_enter: submits the SQEs that were filled and waits for so many CQEs. In a session without reap it takes the CQEs that are there, and prints them.',
    options: [
      { name: 'wait', short: 'w', long: ['wait'], argument: 'N', type: 'integer', min: 0, max: 0xffffffff,
        doc: 'CQEs to wait for (IORING_ENTER_GETEVENTS).' },
      { name: 'to-submit', long: ['to-submit'], argument: 'N', type: 'integer', min: 0, max: 0xffffffff,
        doc: 'to_submit; default: everything in the SQ.' },
      { name: 'keep', long: ['keep'], type: 'flag', doc: 'Takes no CQEs, though the session has no reap.' },
    ] },
  { name: 'reap', style: 'words', synopsis: 'reap N|all',
    doc: 'Takes so many CQEs, waiting for them; all: until nothing more can complete by itself.', options: [] },
  { name: 'close', style: 'words', synopsis: 'close FILE', doc: 'close(2) of a file, or of an end of a pipe.', options: [] },
];

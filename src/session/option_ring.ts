import type { OptionSpec } from './option_types';

/** Options of `sqe`. */
// biome-ignore format: a row per option
export const SQE: readonly OptionSpec[] = [
  { name: 'link', long: ['link'], type: 'flag',
    doc: 'IOSQE_IO_LINK: the next SQE of the same submit starts only after this one succeeded.' },
  { name: 'hardlink', long: ['hardlink'], type: 'flag',
    doc: 'IOSQE_IO_HARDLINK: as link, but a failure does not break the chain.' },
  { name: 'drain', long: ['drain'], type: 'flag',
    doc: 'IOSQE_IO_DRAIN: starts only after all SQEs before it completed.' },
  { name: 'async', long: ['async'], type: 'flag', doc: 'IOSQE_ASYNC: goes to a worker without a try inline.' },
  { name: 'skip-success', long: ['skip-success'], type: 'flag', doc: 'IOSQE_CQE_SKIP_SUCCESS: no CQE when it succeeds.' },
  { name: 'user-data', short: 'u', long: ['user-data'], argument: 'N', type: 'u64', default: '0',
    doc: 'Comes back in the CQE.' },
  { name: 'buffer', long: ['buffer'], argument: 'N', type: 'integer', min: 0, max: 15, default: '0',
    doc: 'The buffer that READ fills and WRITE takes; all begin as zeros.' },
  { name: 'direct', long: ['direct'], type: 'flag', doc: 'Opens the file with O_DIRECT.' },
  { name: 'dsync', long: ['dsync'], type: 'flag', doc: 'WRITE: RWF_DSYNC.' },
  { name: 'datasync', long: ['datasync'], type: 'flag', doc: 'FSYNC: IORING_FSYNC_DATASYNC.' },
  { name: 'mode', long: ['mode'], argument: 'LIST', type: 'list', values: ['keep-size', 'punch-hole', 'zero-range'],
    doc: 'FALLOCATE: what to do; nothing of it makes room.' },
  { name: 'nonblock', long: ['nonblock'], type: 'flag', doc: 'SPLICE: SPLICE_F_NONBLOCK.' },
  ...(['fixed-file', 'buffer-select', 'fd', 'ioprio', 'personality'] as const).map((name): OptionSpec => ({
    name, long: [name], optionalArgument: true, type: 'text', simulated: false, doc: 'Not simulated.' })),
];

import type { ServerName } from './ast';
import { RING_COMMANDS } from './option_ring';
import type { CommandSpec, OptionSpec } from './option_types';

export { FAULTS, MISTAKES, SETTINGS } from './option_settings';
export type { CommandSpec, OptionSpec } from './option_types';

const ALL = Number.MAX_SAFE_INTEGER;
const LATER: readonly ServerName[] = ['ublksrv-1.2', 'ublksrv-1.8'];
const MASTER: readonly ServerName[] = ['ublksrv-1.8'];
const DEVICE_NUMBER = { argument: 'ID', type: 'integer', min: 0, max: 127 } as const;

// biome-ignore format: a row per option
const UBLK_ADD: readonly OptionSpec[] = [
  { name: 'type', short: 't', long: ['type'], argument: 'TYPE', type: 'enum', values: ['null', 'loop', 'qcow2'],
    notSimulated: ['nbd'], doc: 'Target: null completes at once, loop maps a file, qcow2 serves an image.' },
  { name: 'number', short: 'n', long: ['number'], argument: 'ID', type: 'integer', min: -1, max: 127,
    default: '-1', doc: 'Device number; -1 lets the driver choose.' },
  { name: 'queues', short: 'q', long: ['queues'], argument: 'N', type: 'integer', min: 1, max: 32,
    clamps: true, default: '1', doc: 'Hardware queues, each with a thread and a ring of its own.' },
  { name: 'depth', short: 'd', long: ['depth'], argument: 'N', type: 'integer', min: 1, max: 1024,
    clamps: true, default: '256', defaults: { 'ublksrv-1.2': '128' }, doc: 'Tags per queue.' },
  { name: 'zero_copy', short: 'z', long: ['zero_copy'], longArgument: 'X', type: 'flag',
    doc: 'Zero copy: on 6.1+splice-zc the target moves pages by IORING_OP_SPLICE. The long form swallows a value.' },
  { name: 'uring_comp', short: 'u', long: ['uring_comp'], argument: '0|1', type: 'bool', default: '0',
    doc: 'UBLK_F_URING_CMD_COMP_IN_TASK: deliver requests by io_uring task work.' },
  { name: 'need_get_data', short: 'g', long: ['need_get_data'], argument: '0|1', type: 'bool', default: '0',
    doc: 'UBLK_F_NEED_GET_DATA: a write is announced first, its data copied when the server asks.' },
  { name: 'user_recovery', short: 'r', long: ['user_recovery'], argument: '0|1', type: 'bool', default: '0',
    servers: LATER, doc: 'UBLK_F_USER_RECOVERY: the disk survives its server.' },
  { name: 'user_recovery_reissue', short: 'i', long: ['user_recovery_reissue'], argument: '0|1', type: 'bool',
    default: '0', servers: LATER, doc: 'As -r, and requests the dead server held are issued again.' },
  { name: 'user_recovery_fail_io', short: 'e', long: ['user_recovery_fail_io'], argument: '0|1', type: 'bool',
    servers: MASTER, simulated: false, doc: 'As -r, and requests fail while there is no server.' },
  { name: 'file', short: 'f', long: ['file'], argument: 'FILE', type: 'text',
    doc: 'loop: the backing file or device; qcow2: the image.' },
  { name: 'buffered_io', long: ['buffered_io'], type: 'flag',
    doc: 'loop: open the backing file without O_DIRECT.' },
  { name: 'debug_mask', long: ['debug_mask'], argument: 'MASK', type: 'text', servers: LATER, simulated: false,
    doc: 'Messages of the library.' },
  { name: 'unprivileged', long: ['unprivileged'], type: 'flag', servers: LATER, simulated: false,
    doc: 'UBLK_F_UNPRIVILEGED_DEV.' },
  { name: 'usercopy', long: ['usercopy'], type: 'flag', servers: LATER, simulated: false,
    doc: 'UBLK_F_USER_COPY: the server reads and writes the data itself.' },
  { name: 'max_io_buf_bytes', long: ['max_io_buf_bytes'], argument: 'SIZE', type: 'size', default: '524288',
    servers: MASTER, doc: 'Largest request.' },
  { name: 'batch', short: 'b', argument: 'N', type: 'integer', servers: MASTER, simulated: false,
    doc: 'Batch commands.' },
  { name: 'offset', short: 'o', long: ['offset'], argument: 'SIZE', type: 'size', servers: MASTER,
    simulated: false, doc: 'loop: where in the file the disk begins.' },
];

// biome-ignore format: a row per option
const FIO: readonly OptionSpec[] = [
  { name: 'name', long: ['name'], argument: 'NAME', type: 'text',
    doc: 'Begins a job; options before it hold for all.' },
  { name: 'filename', long: ['filename'], argument: 'DEV', type: 'text', doc: 'The disk.' },
  { name: 'rw', long: ['rw', 'readwrite'], argument: 'MODE', type: 'enum', default: 'read',
    doc: 'What to do.',
    values: ['read', 'write', 'randread', 'randwrite', 'readwrite', 'randrw', 'trim', 'randtrim',
    'trimwrite', 'randtrimwrite'] },
  { name: 'rwmixread', long: ['rwmixread'], argument: 'PERCENT', type: 'integer', min: 0, max: 100, default: '50',
    doc: 'Reads in a mixed job.' },
  { name: 'rwmixwrite', long: ['rwmixwrite'], argument: 'PERCENT', type: 'integer', min: 0, max: 100,
    doc: 'Writes in a mixed job.' },
  { name: 'bs', long: ['bs', 'blocksize'], argument: 'SIZE', type: 'size', sizes: 'fio', min: 512, max: 1 << 30,
    default: '4096', doc: 'Bytes per request.' },
  { name: 'iodepth', long: ['iodepth'], argument: 'N', type: 'integer', min: 1, max: 65536, default: '1',
    doc: 'Requests kept in flight; no effect with a synchronous engine.' },
  { name: 'ioengine', long: ['ioengine'], argument: 'ENGINE', type: 'enum', default: 'psync', values: ['psync',
    'sync', 'pvsync', 'libaio'], doc: 'How requests are issued.', notSimulated: ['io_uring', 'pvsync2',
    'vsync', 'posixaio', 'mmap', 'splice', 'sg', 'null', 'net', 'io_uring_cmd', 'libblkio'] },
  { name: 'direct', long: ['direct'], argument: '0|1', type: 'bool', default: '0', doc: 'O_DIRECT.' },
  { name: 'buffered', long: ['buffered'], argument: '0|1', type: 'bool', doc: 'The opposite of direct.' },
  { name: 'number_ios', long: ['number_ios'], argument: 'N', type: 'integer', min: 1, max: ALL,
    doc: 'Stop after N requests.' },
  { name: 'size', long: ['size'], argument: 'SIZE', type: 'size', sizes: 'fio', min: 1,
    doc: 'Length of the region.' },
  { name: 'io_size', long: ['io_size', 'io_limit'], argument: 'SIZE', type: 'size', sizes: 'fio', min: 1,
    doc: 'Bytes to move, when not the region once.' },
  { name: 'offset', long: ['offset'], argument: 'SIZE', type: 'size', sizes: 'fio', default: '0',
    doc: 'Start of the region.' },
  { name: 'numjobs', long: ['numjobs'], argument: 'N', type: 'integer', min: 1, max: 64, default: '1',
    doc: 'Clones of the job.' },
  { name: 'randseed', long: ['randseed'], argument: 'N', type: 'u64', doc: 'Seed of the random offsets.' },
  { name: 'runtime', long: ['runtime', 'timeout'], argument: 'TIME', type: 'duration', unit: 's',
    doc: 'Stop after this time.' },
  { name: 'time_based', long: ['time_based'], optionalArgument: true, type: 'bool',
    doc: 'Repeat until runtime is over.' },
  { name: 'fsync', long: ['fsync'], argument: 'N', type: 'integer', min: 0, max: ALL, default: '0',
    doc: 'fsync after every N writes.' },
  { name: 'fdatasync', long: ['fdatasync'], argument: 'N', type: 'integer', min: 0, max: ALL, default: '0',
    doc: 'fdatasync after every N writes.' },
  { name: 'end_fsync', long: ['end_fsync'], argument: '0|1', type: 'bool', default: '0',
    doc: 'fsync at the end.' },
  { name: 'thinktime', long: ['thinktime'], argument: 'TIME', type: 'duration', unit: 'us', default: '0',
    doc: 'Pause between requests.' },
  { name: 'norandommap', long: ['norandommap'], optionalArgument: true, type: 'bool',
    doc: 'Random offsets may repeat.' },
  { name: 'stonewall', long: ['stonewall', 'wait_for_previous'], optionalArgument: true, type: 'bool',
    doc: 'Wait for the jobs before.' },
  ...['thread', 'group_reporting'].map((name) => noEffect(name, true)),
  ...words(`
    output output-format eta status-interval write_lat_log write_bw_log write_iops_log log_avg_msec
    description percentile_list
  `).map((name) => noEffect(name, false)),
  ...words(`
    verify do_verify verify_pattern bsrange bssplit blockalign ba rate rate_iops loops ramp_time
    startdelay zonemode zonesize nrfiles directory sync sync_file_range hipri sqthread_poll fixedbufs
    registerfiles nonvectored cpus_allowed cpumask rwmixcycle iodepth_batch iodepth_batch_submit
    iodepth_batch_complete iodepth_batch_complete_min iodepth_batch_complete_max iodepth_low
    random_distribution random_generator randrepeat allrandrepeat percentage_random file_service_type
    invalidate overwrite fallocate buffer_pattern refill_buffers zero_buffers buffer_compress_percentage
    mem iomem_align latency_target unlink create_on_open pre_read rw_sequencer softrandommap replay_log
    read_iolog write_iolog exitall exec_prerun exec_postrun wait_for thinktime_blocks offset_increment
    filesize fill_device uid gid ioscheduler client server showcmd parse-only minimal section max-jobs
    debug
  `).map(
    (name): OptionSpec => ({
      name,
      long: [name],
      optionalArgument: true,
      type: 'text',
      simulated: false,
      doc: 'Not simulated.',
    }),
  ),
];

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

function noEffect(name: string, optionalArgument: boolean): OptionSpec {
  const argument = optionalArgument ? {} : { argument: 'VALUE' };
  return {
    name,
    long: [name],
    ...argument,
    optionalArgument,
    type: 'text',
    noEffect: true,
    doc: "Shapes fio's process or report; the requests stay the same.",
  };
}

const DD_BLOCKS = { argument: 'N', type: 'size', sizes: 'dd' } as const;
// biome-ignore format: a row per option
const DD: readonly OptionSpec[] = [
  { name: 'if', long: ['if'], argument: 'FILE', type: 'text', doc: 'Read from.' },
  { name: 'of', long: ['of'], argument: 'FILE', type: 'text', doc: 'Write to.' },
  { name: 'bs', long: ['bs'], ...DD_BLOCKS, min: 1, max: 0x7ffff000, default: '512',
    doc: 'Block size of reads and writes.' },
  { name: 'ibs', long: ['ibs'], ...DD_BLOCKS, min: 1, max: 0x7ffff000, doc: 'Block size of reads.' },
  { name: 'obs', long: ['obs'], ...DD_BLOCKS, min: 1, max: 0x7ffff000, doc: 'Block size of writes.' },
  { name: 'count', long: ['count'], ...DD_BLOCKS, doc: 'Input blocks to copy.' },
  { name: 'skip', long: ['skip', 'iseek'], ...DD_BLOCKS, default: '0', doc: 'Input blocks to pass over.' },
  { name: 'seek', long: ['seek', 'oseek'], ...DD_BLOCKS, default: '0', doc: 'Output blocks to pass over.' },
  { name: 'iflag', long: ['iflag'], argument: 'FLAGS', type: 'list', values: ['direct', 'fullblock'],
    doc: 'How to read.',
    notSimulated: ['append', 'directory', 'dsync', 'sync', 'nonblock', 'noatime', 'nocache', 'noctty',
    'nofollow', 'count_bytes', 'skip_bytes'] },
  { name: 'oflag', long: ['oflag'], argument: 'FLAGS', type: 'list', values: ['direct', 'dsync', 'sync'],
    doc: 'How to write.', notSimulated: ['append', 'directory', 'nonblock', 'noatime', 'nocache', 'noctty',
    'nofollow', 'seek_bytes'] },
  { name: 'conv', long: ['conv'], argument: 'LIST', type: 'list', values: ['fsync', 'fdatasync', 'notrunc'],
    doc: 'At the end.', notSimulated: ['ascii', 'ebcdic', 'ibm', 'block', 'unblock', 'lcase', 'ucase',
    'sparse', 'swab', 'sync', 'excl', 'nocreat', 'noerror'] },
  { name: 'status', long: ['status'], argument: 'LEVEL', type: 'enum', values: ['none', 'noxfer',
    'progress'], noEffect: true, doc: "Shapes dd's report." },
];

// biome-ignore format: a row per option
const BLKDISCARD: readonly OptionSpec[] = [
  { name: 'offset', short: 'o', long: ['offset'], argument: 'SIZE', type: 'size', sizes: 'util-linux',
    default: '0', doc: 'First byte.' },
  { name: 'length', short: 'l', long: ['length'], argument: 'SIZE', type: 'size', sizes: 'util-linux', min: 1,
    doc: 'Bytes; default: to the end.' },
  { name: 'step', short: 'p', long: ['step'], argument: 'SIZE', type: 'size', sizes: 'util-linux', min: 1,
    doc: 'Bytes per ioctl.' },
  { name: 'secure', short: 's', long: ['secure'], type: 'flag', doc: 'BLKSECDISCARD.' },
  { name: 'zeroout', short: 'z', long: ['zeroout'], type: 'flag', doc: 'BLKZEROOUT.' },
  { name: 'force', short: 'f', long: ['force'], type: 'flag', noEffect: true,
    doc: 'Skip the check for a file system.' },
  { name: 'verbose', short: 'v', long: ['verbose'], type: 'flag', noEffect: true, doc: 'Say what was done.' },
];

/** Every command of the language. */
// biome-ignore format: a row per option
export const COMMANDS: readonly CommandSpec[] = [
  { name: 'ublk add', style: 'getopt', synopsis: 'ublk add -t null|loop|qcow2 [-f FILE] [-z] [-q N] [-d N]',
    options: UBLK_ADD, doc: 'Makes a disk /dev/ublkbN and starts its server.' },
  {
    name: 'ublk del',
    style: 'getopt',
    synopsis: 'ublk del -n ID | -a',
    doc: 'Stops and removes a disk.',
    options: [
      { name: 'number', short: 'n', long: ['number'], ...DEVICE_NUMBER, doc: 'The device.' },
      { name: 'all', short: 'a', long: ['all'], type: 'flag', doc: 'Every device.' },
      { name: 'async', long: ['async'], type: 'flag', servers: MASTER, simulated: false, doc: 'Does not wait for the last user.' },
    ],
  },
  {
    name: 'ublk list',
    style: 'getopt',
    synopsis: 'ublk list [-n ID] [-v]',
    doc: 'Asks the driver for device information.',
    options: [
      { name: 'number', short: 'n', ...DEVICE_NUMBER, doc: 'The device.' },
      { name: 'verbose', short: 'v', long: ['verbose'], type: 'flag', doc: 'Everything the server stored.' },
    ],
  },
  {
    name: 'ublk recover',
    style: 'getopt',
    synopsis: 'ublk recover -n ID',
    doc: 'Gives a disk without server a new one.',
    options: [
      { name: 'number', short: 'n', ...DEVICE_NUMBER, doc: 'The device.' },
      { name: 'verbose', short: 'v', long: ['verbose'], type: 'flag', doc: 'Show the device afterwards.' },
    ],
  },
  ...words(`
    features set_affinity help --version --help -h -v
  `).map(
    (name): CommandSpec => ({
      name: `ublk ${name}`,
      style: 'getopt',
      synopsis: `ublk ${name}`,
      doc: 'Not simulated.',
      options: [],
      simulated: false,
    }),
  ),
  { name: 'fio', style: 'fio', synopsis: 'fio --name=JOB --filename=/dev/ublkb0 ...',
    doc: 'Issues requests in a pattern.',
    options: FIO },
  { name: 'dd', style: 'operands', synopsis: 'dd if=FILE of=FILE bs=SIZE count=N',
    doc: 'Copies block by block.',
    options: DD },
  { name: 'blkdiscard', style: 'getopt', synopsis: 'blkdiscard [-z] [-o OFFSET] [-l LENGTH] DEV', options: BLKDISCARD,
    doc: 'Discards or zeroes a range of a disk.' },
  {
    name: 'truncate',
    style: 'getopt',
    synopsis: 'truncate -s SIZE FILE',
    doc: 'Makes a file of that size, holes where new.',
    options: [
      { name: 'size', short: 's', long: ['size'], argument: 'SIZE', type: 'size', sizes: 'coreutils', doc: 'The new size.' },
      { name: 'no-create', short: 'c', long: ['no-create'], type: 'flag', simulated: false, doc: 'Only files that exist.' },
      { name: 'io-blocks', short: 'o', long: ['io-blocks'], type: 'flag', simulated: false, doc: 'SIZE counts blocks.' },
      { name: 'reference', short: 'r', long: ['reference'], argument: 'FILE', type: 'text', simulated: false,
        doc: 'Size of another file.' },
    ],
  },
  {
    name: 'qemu-img create',
    style: 'getopt',
    synopsis: 'qemu-img create -f qcow2 [-o cluster_size=64k] FILE SIZE',
    doc: 'Makes an empty qcow2 image.',
    options: [
      { name: 'format', short: 'f', argument: 'FORMAT', type: 'enum', values: ['qcow2'],
        notSimulated: ['raw', 'qed', 'vmdk', 'vdi', 'vhdx', 'vpc'], doc: 'Format of the image; without it qemu-img makes a raw file.' },
      { name: 'options', short: 'o', argument: 'LIST', type: 'text',
        doc: 'cluster_size=SIZE, compat=0.10|1.1, refcount_bits=1|2|4|8|16|32|64.' },
      { name: 'quiet', short: 'q', type: 'flag', noEffect: true, doc: 'Prints nothing.' },
      { name: 'backing', short: 'b', argument: 'FILE', type: 'text', simulated: false, doc: 'A backing file.' },
      { name: 'backing-format', short: 'F', argument: 'FORMAT', type: 'text', simulated: false, doc: 'Its format.' },
      { name: 'object', long: ['object'], argument: 'DEF', type: 'text', simulated: false, doc: 'A QEMU object.' },
      { name: 'unsafe', short: 'u', type: 'flag', simulated: false, doc: 'Does not look at the backing file.' },
    ],
  },
  ...words(`
    amend bench bitmap check commit compare convert dd info map measure rebase resize snapshot
  `).map(
    (name): CommandSpec => ({
      name: `qemu-img ${name}`,
      style: 'getopt',
      synopsis: `qemu-img ${name}`,
      doc: 'Not simulated.',
      options: [],
      simulated: false,
    }),
  ),
  {
    name: 'sync',
    style: 'getopt',
    synopsis: 'sync [-d] [FILE...]',
    doc: 'Writes back what is cached: all, or fsync of files.',
    options: [
      { name: 'data', short: 'd', long: ['data'], type: 'flag', doc: 'fdatasync.' },
      { name: 'file-system', short: 'f', long: ['file-system'], type: 'flag', simulated: false, doc: 'syncfs.' },
    ],
  },
  {
    name: 'fsync',
    style: 'getopt',
    synopsis: 'fsync [-d] FILE...',
    doc: 'fsync of files (the command of busybox).',
    options: [{ name: 'data', short: 'd', type: 'flag', doc: 'fdatasync.' }],
  },
  ...RING_COMMANDS,
  { name: 'wait', style: 'words', synopsis: 'wait [$!]', doc: 'Waits for background commands.', options: [] },
  { name: 'kill', style: 'words', synopsis: 'kill [-9|-STOP|-CONT] $(pgrep -n ublk) | $!',
    doc: 'Signals the server or a client.',
    options: [] },
  { name: 'sleep', style: 'words', synopsis: 'sleep SECONDS', doc: 'Lets time pass.', options: [] },
  { name: 'iogen', style: 'words', synopsis: 'iogen DEV OUT.json STEP...', options: [],
    doc: 'Direct I/O in exact steps: r|w:seq|rand:SIZE:COUNT:QD[:START[:BUFFER]], list:QD:r@OFFSET+LENGTH,..., flush, discard:OFF:LEN, zero:OFF:LEN, sleep:MS.' },
];

/** Commands a session may hold that change nothing in the simulation. */
export const NO_EFFECT_COMMANDS: Readonly<Record<string, string>> = {
  modprobe: 'the drivers are always loaded here',
  echo: 'nothing is printed here',
  true: 'it does nothing',
  ':': 'it does nothing',
};

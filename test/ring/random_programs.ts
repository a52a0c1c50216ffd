import fc from 'fast-check';

/** Random ring programs with every operation, flag and field, as JSON texts. */
const list = (names: readonly string[], maxLength = 2): fc.Arbitrary<string[]> =>
  fc.uniqueArray(fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...names) }, fc.constant('0x100')), {
    maxLength,
  });

const FILES = ['f', 'g', 'd', 'x', 'p.r', 'p.w', 'q.r', 'q.w', 'null', 'zero'];
/** Those in the file table. */
const FIXED = ['f', 'x', 'q.r', 'q.w'];
const file = fc.constantFrom(...FILES);
const off = fc.oneof(
  fc.constantFrom<number | string>(0, 512, 4096, 5000, -1),
  fc.constant('0xfffffffffffffffe'),
);
const len = fc.constantFrom(0, 1, 512, 4096, 5000);
const RWF = list(['HIPRI', 'DSYNC', 'SYNC', 'NOWAIT', 'APPEND'], 1);
const SPLICE = list(['MOVE', 'NONBLOCK', 'MORE', 'GIFT']);
const target = fc.constantFrom('1', '2', '0x3', '77');
const options = { requiredKeys: [] };

function record(
  op: string,
  fields: Record<string, fc.Arbitrary<unknown>>,
  optional: Record<string, fc.Arbitrary<unknown>> = {},
): fc.Arbitrary<object> {
  return fc
    .tuple(fc.record(fields), fc.record(optional, options))
    .map(([some, more]) => ({ op, ...some, ...more }));
}

const piece = fc.record({ buf: fc.constantFrom('b', 'c'), buf_off: fc.constantFrom(0, 7, 512), len });
const rw = { file, off, len };
const operation = fc.oneof(
  record('NOP', {}),
  ...['READ', 'WRITE'].map((op) =>
    record(
      op,
      { ...rw, buf: fc.constantFrom('b', 'c') },
      { buf_off: fc.constantFrom(1, 512), rw_flags: RWF },
    ),
  ),
  ...['READ', 'WRITE'].map((op) => record(op, { ...rw, addr: fc.constantFrom(0, '0x10') })),
  ...['READ_FIXED', 'WRITE_FIXED'].map((op) =>
    record(
      op,
      { ...rw, buf: fc.constant('c') },
      { buf_off: fc.constantFrom(1, 9000), buf_index: fc.constantFrom(0, 1, 9) },
    ),
  ),
  ...['READV', 'WRITEV'].map((op) =>
    record(
      op,
      { file, off, iov: fc.array(piece, { minLength: 1, maxLength: 3 }) },
      { rw_flags: RWF, len: fc.constantFrom(1, 9) },
    ),
  ),
  record('FSYNC', { file }, { off, len, fsync_flags: list(['DATASYNC'], 1) }),
  record(
    'SYNC_FILE_RANGE',
    { file, off, len },
    { sync_range_flags: list(['WAIT_BEFORE', 'WRITE', 'WAIT_AFTER']) },
  ),
  record(
    'FALLOCATE',
    { file, off, len: fc.constantFrom(0, 4096, '0x8000000000000000') },
    { mode: list(['KEEP_SIZE', 'PUNCH_HOLE', 'ZERO_RANGE', 'COLLAPSE_RANGE', 'INSERT_RANGE']) },
  ),
  record('SPLICE', { file_in: file, file, len }, { off_in: off, off, splice_flags: SPLICE }),
  record('SPLICE', {
    file_in: fc.constantFrom(...FIXED),
    file,
    len,
    splice_flags: fc.constant(['FD_IN_FIXED']),
  }),
  record(
    'TEE',
    { file_in: file, file, len },
    { splice_flags: SPLICE, off_in: fc.constant(0), off: fc.constant(3) },
  ),
  record(
    'POLL_ADD',
    { file, poll_events: list(['IN', 'OUT', 'PRI', 'HUP']) },
    { poll_flags: list(['ADD_MULTI'], 1) },
  ),
  record(
    'TIMEOUT',
    { ns: fc.constantFrom(0, 1, 5_000_000) },
    { count: fc.constantFrom(0, 1, 3), timeout_flags: list(['ETIME_SUCCESS'], 1) },
  ),
  record('LINK_TIMEOUT', { ns: fc.constantFrom(1000, 7_000_000) }),
  record('TIMEOUT_REMOVE', { target }),
  record('ASYNC_CANCEL', {}, { target, file, cancel_flags: list(['ALL', 'FD', 'ANY', 'USERDATA', 'OP']) }),
  fc.constantFrom({ op: 200 }, { op: 200, addr: 7, fd: 3 }),
);
const raw = fc.record(
  { ioprio: fc.constantFrom(1, 7), personality: fc.constantFrom(1), fd: fc.constantFrom(999, -2) },
  options,
);
const sqe = fc
  .tuple(
    operation,
    list(['IO_LINK', 'IO_HARDLINK', 'IO_DRAIN', 'ASYNC', 'CQE_SKIP_SUCCESS']),
    fc.boolean(),
    fc.oneof({ weight: 6, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: raw }),
  )
  .map(([fields, flags, fixed, more]) => {
    const named = (fields as { file?: string }).file;
    const table = fixed && (named === undefined || FIXED.includes(named)) ? ['FIXED_FILE'] : [];
    return {
      ...fields,
      ...more,
      flags: [...flags.map((flag) => (flag === '0x100' ? '0x80' : flag)), ...table],
    };
  });
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ submit: fc.array(sqe, { maxLength: 5 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ submit: fc.array(sqe, { maxLength: 3 }), wait: fc.constantFrom(0, 1, 2) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      submit: fc.array(sqe, { minLength: 1, maxLength: 3 }),
      to_submit: fc.constantFrom(0, 2, 9),
    }),
  },
  { weight: 3, arbitrary: fc.record({ reap: fc.constantFrom<number | string>(1, 'all') }) },
  { weight: 1, arbitrary: fc.record({ sleep_us: fc.constantFrom(0, 1, 1500) }) },
  { weight: 1, arbitrary: fc.record({ close: fc.constantFrom(...FILES) }) },
);

/** Programs that read without a mistake. */
export const randomPrograms: fc.Arbitrary<string> = fc
  .record({
    ring: fc.record({
      entries: fc.constantFrom(8, 5),
      cq_entries: fc.constantFrom(8, 64),
      setup: fc.constantFrom(
        [],
        ['SUBMIT_ALL'],
        ['SINGLE_ISSUER', 'DEFER_TASKRUN'],
        ['COOP_TASKRUN', 'TASKRUN_FLAG'],
        ['SQPOLL'],
      ),
    }),
    limits: fc.constantFrom({}, { fsize: 8192 }),
    uncached: fc.boolean(),
    steps: fc.array(step, { minLength: 1, maxLength: 5 }),
  })
  .map(({ ring, limits, uncached, steps }) => {
    let next = 1;
    const numbered = steps.map((each) =>
      'submit' in each
        ? { ...each, submit: each.submit.map((fields) => ({ ...fields, user_data: `${next++}` })) }
        : each,
    );
    return JSON.stringify({
      name: 'random',
      ring,
      limits,
      files: {
        f: { kind: 'file', size: 6000, fixed: true, cached: !uncached },
        g: { kind: 'file', size: 4096, open: ['APPEND'] },
        d: { kind: 'file', size: 16384, open: ['RDONLY', 'DIRECT'] },
        x: { kind: 'file', size: 0, fixed: true, open: ['DSYNC'] },
        p: { kind: 'pipe', size: 8192, fill: 5000 },
        q: { kind: 'pipe', fixed: true, open: ['NONBLOCK'] },
        null: { kind: 'null' },
        zero: { kind: 'zero', open: ['RDONLY'] },
      },
      buffers: { b: { size: 8192 }, c: { size: 8192, fixed: true } },
      steps: numbered,
    });
  });

/** A fixed family of random ring programs of eight SQEs. */

/** Numbers below n, the same for the same seed (xorshift). */
function drawing(seed: number): (n: number) => number {
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0 || 1;
  const next = (n: number): number => {
    state = (state ^ (state << 13)) >>> 0;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0;
    return state % n;
  };
  for (let i = 0; i < 5; i++) next(2);
  return next;
}

/**
 * Program number `seed`: reads, writes, fsyncs, nops, splices through a pipe and timeouts on three files, with links, hard links,
 * drains and ASYNC, in one submit call or two, on rings of different setups.
 */
export function familyProgram(seed: number, sqes = 8): string {
  const draw = drawing(seed);
  const one = <T>(list: readonly T[]): T => list[draw(list.length)]!;
  const flags = (): string[] => [
    ...one([['IO_LINK'], ['IO_LINK'], ['IO_LINK'], ['IO_HARDLINK'], [], [], [], [], [], []]),
    ...(draw(12) === 0 ? ['IO_DRAIN'] : []),
    ...(draw(4) === 0 ? ['ASYNC'] : []),
  ];
  const op = (): object => {
    const where = { file: one(['f', 'g', 'h']), off: draw(3) * 1000, buf_off: draw(3) * 512 };
    switch (draw(9)) {
      case 0:
        return { op: 'NOP' };
      case 1:
      case 2:
        return { op: 'READ', ...where, buf: 'b', len: one([100, 512, 4000]) };
      case 3:
      case 4:
        return { op: 'WRITE', ...where, buf: 'c', len: one([100, 512, 2000]) };
      case 5:
        return { op: 'FSYNC', file: where.file };
      case 6:
        return { op: 'SPLICE', file_in: 'f', off_in: 0, file: 'p.w', len: one([100, 5000]) };
      case 7:
        return {
          op: 'SPLICE',
          file_in: 'p.r',
          file: 'g',
          off: 0,
          len: one([100, 5000]),
          splice_flags: ['NONBLOCK'],
        };
      default:
        return { op: 'TIMEOUT', ns: one([1_000_000, 20_000_000]), count: one([0, 0, 0, 2]) };
    }
  };
  const all = Array.from({ length: sqes }, (_, i) => ({ ...op(), flags: flags(), user_data: String(i + 1) }));
  const cut = draw(2) === 0 ? sqes : 1 + draw(sqes - 1);
  const calls = [all.slice(0, cut), all.slice(cut)].filter((call) => call.length > 0);
  return JSON.stringify({
    name: `family-${seed}`,
    ring: {
      entries: 8,
      cq_entries: 16,
      setup: one([[], [], ['SUBMIT_ALL'], ['SINGLE_ISSUER', 'DEFER_TASKRUN'], ['COOP_TASKRUN']]),
    },
    files: {
      f: { kind: 'file', size: 6000 },
      g: { kind: 'file', size: 4096 },
      h: { kind: 'file', size: 100 },
      p: { kind: 'pipe', size: 16_384 },
    },
    buffers: { b: { size: 8192 }, c: { size: 4096 } },
    steps: [...calls.map((submit) => ({ submit })), { reap: 'all' }],
  });
}

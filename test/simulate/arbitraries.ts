import fc from 'fast-check';

/** A session over disk.img, and what that file is like before it. */
export interface SessionCase {
  readonly text: string;
  readonly fileSize: number;
  /** Seed of the content that is already there; undefined: all holes. */
  readonly contentSeed: number | undefined;
}

const K = 1024;

/** How the device is made: options of `ublk add`, settings, and the logical block size that follows. */
export interface Setup {
  readonly head: string;
  readonly block: number;
  readonly fileSize: number;
  readonly contentSeed: number | undefined;
  readonly cached: boolean;
}

export function setups(): fc.Arbitrary<Setup> {
  return fc
    .record({
      path: fc.constantFrom('-z', '', '-g 1', '--buffered_io', '-z --buffered_io', '-u 1'),
      kernel: fc.constantFrom('6.1', '6.1+splice-zc'),
      server: fc.constantFrom('ublksrv-2022-11', 'ublksrv-1.2'),
      queues: fc.integer({ min: 1, max: 2 }),
      depth: fc.integer({ min: 1, max: 32 }),
      blockSize: fc.constantFrom(512, 1024, 4096),
      backing: fc.constantFrom('file', 'file', 'blkdev'),
      cpus: fc.integer({ min: 1, max: 4 }),
      seed: fc.integer({ min: 0, max: 1e9 }),
      pages: fc.integer({ min: 16, max: 600 }),
      contentSeed: fc.option(fc.integer({ min: 0, max: 1000 }), { nil: undefined }),
    })
    .map((s) => {
      const fileSize = s.pages * 4 * K;
      const buffered = s.path.includes('--buffered_io');
      const make = s.contentSeed === undefined ? `truncate -s ${fileSize} disk.img\n` : '';
      return {
        head:
          `#: kernel ${s.kernel}\n#: server ${s.server}\n#: seed ${s.seed}\n#: cpus ${s.cpus}\n` +
          `#: block-size ${s.blockSize}\n#: backing ${s.backing}\n${make}` +
          `ublk add -t loop -f disk.img ${s.path} -q ${s.queues} -d ${s.depth}\n`,
        block: buffered || s.backing === 'blkdev' ? 512 : s.blockSize,
        fileSize,
        contentSeed: s.contentSeed,
        cached: buffered,
      };
    });
}

function blockSizes(block: number): fc.Arbitrary<number> {
  return fc.constantFrom(
    ...[512, 1024, 4096, 8192, 16384, 65536, 256 * K, 1024 * K].filter((n) => n >= block),
  );
}

/** A command with direct I/O only. */
function directCommand({ block, fileSize }: Setup): fc.Arbitrary<string> {
  const offsets = fc.integer({ min: 0, max: fileSize / block - 1 }).map((n) => n * block);
  const ranges = fc.tuple(offsets, fc.integer({ min: 1, max: 64 })).map(([offset, n]) => ({
    offset,
    length: Math.min(n * block, fileSize - offset),
  }));
  const fio = fc
    .record({
      rw: fc.constantFrom(
        'randread',
        'randwrite',
        'randrw',
        'read',
        'write',
        'readwrite',
        'randtrim',
        'trimwrite',
      ),
      bs: blockSizes(block).filter((n) => n <= fileSize),
      depth: fc.integer({ min: 1, max: 32 }),
      ios: fc.integer({ min: 1, max: 40 }),
      engine: fc.constantFrom('libaio', 'libaio', 'psync'),
      seed: fc.integer({ min: 0, max: 1e6 }),
      jobs: fc.constantFrom(1, 1, 2, 3),
      extra: fc.constantFrom('', '', ' --norandommap', ' --fsync=3', ' --thinktime=50us', ' --end_fsync=1'),
    })
    .map(
      (f) =>
        `fio --name=j --filename=/dev/ublkb0 --direct=1 --ioengine=${f.engine} --rw=${f.rw} --bs=${f.bs} ` +
        `--iodepth=${f.depth} --number_ios=${f.ios} --randseed=${f.seed} --numjobs=${f.jobs}${f.extra}`,
    );
  const dd = fc
    .record({
      bs: blockSizes(block),
      count: fc.integer({ min: 1, max: 6 }),
      at: fc.nat(),
      write: fc.boolean(),
    })
    .map(({ bs, count, at, write }) => {
      const blocks = Math.max(1, Math.floor(fileSize / bs) - count);
      return write
        ? `dd if=/dev/urandom of=/dev/ublkb0 bs=${bs} count=${Math.min(count, Math.floor(fileSize / bs))} seek=${Math.floor(fileSize / bs) <= count ? 0 : at % blocks} oflag=direct`
        : `dd if=/dev/ublkb0 of=/dev/null bs=${bs} count=${count} skip=${at % blocks} iflag=direct`;
    });
  const discard = fc
    .tuple(ranges, fc.boolean())
    .map(
      ([{ offset, length }, zero]) => `blkdiscard ${zero ? '-z ' : ''}-o ${offset} -l ${length} /dev/ublkb0`,
    );
  const item = fc
    .tuple(fc.constantFrom('r', 'w'), ranges)
    .map(([op, { offset, length }]) => `${op}@${offset}+${length}`);
  const step = fc.oneof(
    fc
      .tuple(fc.integer({ min: 1, max: 16 }), fc.array(item, { minLength: 1, maxLength: 24 }))
      .map(([depth, items]) => `list:${depth}:${items.join(',')}`),
    ranges.map(({ offset, length }) => `discard:${offset}:${length}`),
    ranges.map(({ offset, length }) => `zero:${offset}:${length}`),
    fc
      .tuple(
        fc.constantFrom('r', 'w'),
        fc.constantFrom('seq', 'rand'),
        blockSizes(block),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom(0, 512, 1536),
      )
      .map(([op, pattern, bs, count, depth, at]) => `${op}:${pattern}:${bs}:${count}:${depth}:0:${at}`),
    fc.constant('flush'),
  );
  const iogen = fc
    .array(step, { minLength: 1, maxLength: 4 })
    .map((steps) => `iogen /dev/ublkb0 out.json ${steps.join(' ')}`);
  return fc.oneof({ weight: 4, arbitrary: fio }, { weight: 2, arbitrary: dd }, discard, {
    weight: 2,
    arbitrary: iogen,
  });
}

/** A command that goes through the page cache of the disk. */
function bufferedCommand({ fileSize }: Setup): fc.Arbitrary<string> {
  const dd = fc
    .record({
      bs: fc.constantFrom(512, 1000, 4096, 5000, 65536),
      count: fc.integer({ min: 1, max: 5 }),
      at: fc.nat(),
      write: fc.boolean(),
      extra: fc.constantFrom('', ' conv=fsync', ' oflag=dsync'),
    })
    .map(({ bs, count, at, write, extra }) => {
      const places = Math.max(1, Math.floor(fileSize / bs) - count + 1);
      const n = Math.min(count, Math.floor(fileSize / bs));
      return write
        ? `dd if=/dev/urandom of=/dev/ublkb0 bs=${bs} count=${n} seek=${at % places}${extra}`
        : `dd if=/dev/ublkb0 of=/dev/null bs=${bs} count=${n} skip=${at % places}`;
    });
  const fio = fc
    .record({
      rw: fc.constantFrom('randread', 'randwrite', 'randrw'),
      bs: fc.constantFrom(512, 4096, 16384),
      ios: fc.integer({ min: 1, max: 20 }),
    })
    .map(
      ({ rw, bs, ios }) => `fio --name=b --filename=/dev/ublkb0 --rw=${rw} --bs=${bs} --number_ios=${ios}`,
    );
  return fc.oneof(dd, fio, fc.constant('sync'), fc.constant('sync /dev/ublkb0'));
}

/**
 * Sessions whose every command succeeds. Direct I/O may overlap other direct I/O; buffered I/O runs alone. Without `overlap`
 * no two I/Os on the same bytes are in flight.
 */
export function sessions(overlap = true): fc.Arbitrary<SessionCase> {
  return setups().chain((setup) => {
    const command = fc.oneof(
      {
        weight: 3,
        arbitrary: directCommand(setup).map((text) => (overlap ? text : apart(text, setup.fileSize))),
      },
      { weight: overlap ? 2 : 0, arbitrary: directCommand(setup).map((text) => `${text} &`) },
      { weight: 2, arbitrary: bufferedCommand(setup).map((text) => `wait\n${text}`) },
    );
    return fc.array(command, { minLength: 1, maxLength: 6 }).map((commands) => ({
      text: `${setup.head}${commands.join('\n')}\nwait\nublk del -n 0\n`,
      fileSize: setup.fileSize,
      contentSeed: setup.contentSeed,
    }));
  });
}

/** The same command with one I/O in flight wherever two could meet. */
function apart(text: string, fileSize: number): string {
  const number = (name: string): number => Number(new RegExp(`--${name}=(\\d+)`).exec(text)?.[1] ?? 0);
  const once = text.includes('--rw=rand') && number('bs') * number('number_ios') <= fileSize;
  return text
    .replace(/--numjobs=\d+/, '--numjobs=1')
    .replace(' --norandommap', '')
    .replace(/(list:)\d+:/g, '$11:')
    .replace(/([rw]:(?:seq|rand):\d+:\d+):\d+/g, '$1:1')
    .replace(/--iodepth=\d+/, (all) => (once ? all : '--iodepth=1'));
}

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wrongData } from '../simulate/history';
import { eventsOf, fileBytes, hash, type Run, run, traceText } from '../simulate/support';
import { checkImage, contentOf } from './qcow2_image';

const FIXTURES = join(__dirname, '..', 'fixtures', 'qcow2');
const NAMES = ['v3-64k', 'v2-4k', 'v3-16k-refcount1'];
const SIZE = 16 << 20;
/** What qemu-io wrote when the fixtures were made: byte, offset, length. */
const WRITTEN = [
  [0x11, 0, 4096],
  [0x22, 4096, 128 << 10],
  [0x33, 1 << 20, 200 << 10],
  [0x44, 5000 << 10, 512],
  [0x55, 16380 << 10, 4096],
  [0x66, 9 << 20, 1 << 20],
  [0x77, 64 << 10, 4096],
] as const;
const HAS_QEMU = spawnSync('qemu-img', ['--version']).status === 0;

function fixture(name: string): Uint8Array {
  return new Uint8Array(gunzipSync(readFileSync(join(FIXTURES, `${name}.qcow2.gz`))));
}

function expected(): Uint8Array {
  const bytes = new Uint8Array(SIZE);
  for (const [value, offset, length] of WRITTEN) bytes.fill(value, offset, offset + length);
  return bytes;
}

/** Output of qemu-img on an image; undefined where the tool is not installed. */
function qemu(
  image: Uint8Array,
  ...args: string[]
): { status: number | null; out: string; raw: Uint8Array } | undefined {
  if (!HAS_QEMU) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'ublk-qcow2-'));
  try {
    writeFileSync(join(folder, 'i.qcow2'), image);
    const { status, stdout, stderr } = spawnSync('qemu-img', args, { cwd: folder, encoding: 'utf8' });
    const raw =
      args[0] === 'convert' ? new Uint8Array(readFileSync(join(folder, 'o.raw'))) : new Uint8Array();
    return { status, out: stdout + stderr, raw };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The image at the end of a run is sound, and holds what the clients wrote. */
function expectSound(result: Run, path: string, initial: Uint8Array): void {
  const image = fileBytes(result, path);
  expect(checkImage(image)).toEqual({ errors: [], leaks: [] });
  const content = contentOf(image);
  expect(wrongData(result, initial, content)).toEqual([]);
  const checked = qemu(image, 'check', 'i.qcow2');
  if (checked)
    expect(checked).toMatchObject({ status: 0, out: expect.stringContaining('No errors were found') });
  const converted = qemu(image, 'convert', '-f', 'qcow2', '-O', 'raw', 'i.qcow2', 'o.raw');
  if (converted) expect(Buffer.compare(converted.raw, content)).toBe(0);
}

describe.each(NAMES)('image %s, made by qemu-img', (name) => {
  const image = fixture(name);
  const add = 'ublk add -t qcow2 -f disk.qcow2 -q 1 -d 8\n';
  const options = { realFile: (path: string) => (path === 'disk.qcow2' ? image : undefined) };

  it('is read by the reader of this test as it was written', () => {
    expect(checkImage(image)).toEqual({ errors: [], leaks: [] });
    expect(Buffer.compare(contentOf(image), expected())).toBe(0);
  });

  it('reads back right, whole and in parts', () => {
    const result = run(
      `${add}truncate -s 0 out.raw\ndd if=/dev/ublkb0 of=out.raw bs=64k iflag=direct\n` +
        'fio --name=j --filename=/dev/ublkb0 --direct=1 --ioengine=libaio --rw=randread --bs=8k --iodepth=4 --number_ios=60\nublk del -n 0\n',
      options,
    );
    expect(result.exitCode).toBe(0);
    expect(Buffer.compare(fileBytes(result, 'out.raw'), expected())).toBe(0);
    expect(wrongData(result, expected(), undefined)).toEqual([]);
    // nothing was written, so nothing of the image changed
    expect(Buffer.compare(fileBytes(result, 'disk.qcow2'), image)).toBe(0);
  });

  it('is sound after simulated writes', () => {
    for (const link of ['shipped', 'intended']) {
      const result = run(
        `#: qcow2-link ${link}\n${add}` +
          'fio --name=j --filename=/dev/ublkb0 --direct=1 --ioengine=libaio --rw=randwrite --bs=12k --iodepth=8 --number_ios=80\nublk del -n 0\n',
        options,
      );
      expect(result.exitCode).toBe(0);
      expectSound(result, 'disk.qcow2', expected());
    }
  });

  it('keeps its rule when the server is killed: what is used is counted', () => {
    for (let ms = 1; ms < 12; ms += 2) {
      const result = run(
        `#: seed ${ms}\n${add}` +
          'fio --name=j --filename=/dev/ublkb0 --direct=1 --ioengine=libaio --rw=randwrite --bs=4k --iodepth=8 --number_ios=300 &\n' +
          `sleep 0.0${String(ms).padStart(2, '0')}\nkill -9 $(pgrep -n ublk)\nwait\nublk del -n 0\n`,
        options,
      );
      expect(checkImage(fileBytes(result, 'disk.qcow2')).errors).toEqual([]);
    }
  });
});

const session = fc
  .record({
    cluster: fc.constantFrom('4k', '8k', '64k', '512k'),
    // 4 KiB clusters beyond 512 MiB: more L2 slices than the cache holds
    size: fc.constantFrom('4M', '64M', '1G'),
    form: fc.constantFrom('compat=0.10', 'refcount_bits=16', 'refcount_bits=1', 'refcount_bits=64'),
    kernel: fc.constantFrom('6.1', '6.1+splice-zc'),
    link: fc.constantFrom('shipped', 'intended'),
    depth: fc.integer({ min: 1, max: 32 }),
    seed: fc.nat(1e6),
    jobs: fc.array(
      fc.record({
        rw: fc.constantFrom('randrw', 'randwrite', 'write', 'randread'),
        bs: fc.constantFrom('512', '4k', '20k', '256k'),
        iodepth: fc.integer({ min: 1, max: 24 }),
        n: fc.integer({ min: 1, max: 120 }),
        pause: fc.constantFrom('', 'sleep 0.6\n'),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  })
  .map(({ cluster, size, form, kernel, link, depth, seed, jobs }) => ({
    size,
    text:
      `#: kernel ${kernel}\n#: seed ${seed}\n#: qcow2-link ${link}\n#: memory 2G\n` +
      `qemu-img create -f qcow2 -o cluster_size=${cluster},${form} d.qcow2 ${size}\n` +
      `ublk add -t qcow2 -f d.qcow2 -d ${depth}\n` +
      jobs
        .map(
          ({ rw, bs, iodepth, n, pause }) =>
            `fio --name=j --filename=/dev/ublkb0 --direct=1 --ioengine=libaio --rw=${rw} --bs=${bs} --iodepth=${iodepth} --number_ios=${n} --randseed=${seed}\n${pause}`,
        )
        .join('') +
      'ublk del -n 0\n',
  }));

describe('any session on a new image', () => {
  it('leaves a sound image with what was written, and ends', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(session, ({ text, size }) => {
        const result = run(text);
        expect([result.output, result.exitCode]).toEqual([expect.not.stringContaining('hangs'), 0]);
        const image = fileBytes(result, 'd.qcow2');
        expect(checkImage(image)).toEqual({ errors: [], leaks: [] });
        if (size === '1G') return;
        const content = contentOf(image);
        expect(wrongData(result, new Uint8Array(content.length), content)).toEqual([]);
      }),
      { numRuns: Number(process.env.RUNS ?? 25) },
    );
  });

  it('is the same bytes each time', () => {
    const text = fc.sample(session, { numRuns: 1, seed: 7 })[0].text;
    expect(hash(traceText(run(text).trace))).toBe(hash(traceText(run(text).trace)));
  });
});

describe('an image that the server cannot serve', () => {
  const patched = (patch: (view: DataView) => void): Uint8Array => {
    const image = fixture('v3-64k').slice();
    patch(new DataView(image.buffer));
    return image;
  };
  const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['snapshots', patched((view) => view.setUint32(60, 1)), /disk\.qcow2: not support snapshots/],
    [
      'a backing file',
      patched((view) => view.setUint32(12, 512)),
      /a backing file: this server does not look/,
    ],
    ['encryption', patched((view) => view.setUint32(32, 2)), /encryption: this server does not look/],
    [
      'extended L2',
      patched((view) => view.setUint32(76, 0x10)),
      /extended L2 entries: this server does not look/,
    ],
    ['external data', patched((view) => view.setUint32(76, 4)), /an external data file: this server/],
    ['dirty', patched((view) => view.setUint32(76, 1)), /dirty refcounts/],
    ['an unknown feature', patched((view) => view.setUint32(76, 0x100)), /incompatible feature 8/],
    [
      'cut behind the refcount table',
      fixture('v3-64k').slice(0, 100_000),
      /the L1 table at 0x30000 is beyond the end of the file \(100000 bytes\)/,
    ],
    [
      'a refcount block that is not there',
      patched((view) => view.setUint32(Number(view.getBigUint64(48)) + 4, 0x7fff0000)),
      /refcount block 0 at 0x7fff0000 is beyond the end of the file/,
    ],
    [
      'a refcount table longer than the file',
      patched((view) => view.setUint32(56, 1000)),
      /the refcount table at 0x10000 reaches beyond the end of the file/,
    ],
    [
      'cut inside the L1 table',
      fixture('v3-64k').slice(0, 0x30004),
      /the L1 table at 0x30000 reaches beyond the end of the file \(196612 bytes\)/,
    ],
    [
      'cut before the tables',
      fixture('v3-64k').slice(0, 4096),
      /table at 0x\w+ is beyond the end of the file/,
    ],
    [
      'an L2 table that is not there',
      patched((view) => view.setUint32(Number(view.getBigUint64(40)) + 4, 0x7fff0000)),
      /L2 table 0 at 0x7fff0000 is beyond the end of the file/,
    ],
    ['no qcow2', new Uint8Array(4096), /not a qcow2 image/],
    ['nothing', new Uint8Array(100), /the file has 100 bytes/],
  ];
  it.each(cases)('is refused: %s', (_name, image, message) => {
    const result = run('ublk add -t qcow2 -f disk.qcow2\nublk list\n', {
      realFile: (path) => (path === 'disk.qcow2' ? image : undefined),
    });
    expect(result.output).toMatch(message);
    expect(result.output).toMatch(/start daemon of dev 0 failed/);
    expect(result.exitCode).toBe(1);
    expect(Buffer.compare(fileBytes(result, 'disk.qcow2'), image)).toBe(0);
  });

  it('answers a read of a compressed cluster with an I/O error, and goes on', () => {
    const image = fixture('v3-64k').slice();
    const view = new DataView(image.buffer);
    const l2 = Number(view.getBigUint64(Number(view.getBigUint64(40))) & 0x00fffffffffffe00n);
    view.setUint32(l2, view.getUint32(l2) | 0x40000000);
    const result = run(
      'ublk add -t qcow2 -f disk.qcow2\niogen /dev/ublkb0 o.json list:1:r@0+4096,r@65536+4096\nublk del -n 0\n',
      { realFile: (path) => (path === 'disk.qcow2' ? image : undefined) },
    );
    expect(result.output).toContain('unsupported format');
    expect(result.output.match(/1 compressed cluster: reading or writing there fails/g)).toHaveLength(1);
    expect(result.ios.map((io) => io.result)).toEqual([-5, 4096]);
  });
});

describe('the FSYNC that should come before the table', () => {
  const order = (link: string): string[] => {
    const { trace } = run(
      `#: qcow2-link ${link}\nqemu-img create -f qcow2 d.qcow2 64M\nublk add -t qcow2 -f d.qcow2\ndd if=/dev/zero of=/dev/ublkb0 bs=4k count=1 oflag=direct\nublk del -n 0\n`,
    );
    const lines: string[] = [];
    for (let e = 0; e < trace.length; e++) {
      const ud = trace.big(e, 'user_data') ?? 0n;
      const name = trace.nameOf(e);
      const own = ud >> 63n === 1n && (ud & 0xffffn) >= 128n;
      if (name === 'io_uring_link') lines.push('link');
      else if (own && name === 'io_uring_submit_sqe')
        lines.push(`${trace.str(e, 'opcode')} ${trace.num(e, 'flags')}`);
      else if (own && name === 'io_uring_complete') lines.push(`done ${(ud >> 16n) & 0xffn}`);
    }
    return lines.slice(-(link === 'shipped' ? 4 : 5));
  };

  it('stands behind it as shipped: nothing is linked, nothing waits', () => {
    const lines = order('shipped');
    expect(lines.slice(0, 2)).toEqual(['WRITE 0', 'FSYNC 4']);
    expect(lines.slice(2).sort()).toEqual(['done 23', 'done 3']);
  });

  it('stands before it as intended: the WRITE starts when the FSYNC is done', () => {
    expect(order('intended')).toEqual(['FSYNC 4', 'WRITE 0', 'link', 'done 3', 'done 23']);
  });
});

describe('qemu-img create', () => {
  it.runIf(HAS_QEMU).each([
    ['', '64M'],
    ['-o compat=0.10', '100M'],
    ['-o cluster_size=4k', '100M'],
    ['-o cluster_size=16k,refcount_bits=1', '1G'],
    ['-o refcount_bits=64', '1000000'],
  ])('makes the same bytes as the tool: %s %s', (options, size) => {
    const result = run(`qemu-img create -f qcow2 ${options} i.qcow2 ${size}\n`);
    const folder = mkdtempSync(join(tmpdir(), 'ublk-qcow2-'));
    spawnSync('qemu-img', ['create', '-f', 'qcow2', ...options.split(' ').filter(Boolean), 'i.qcow2', size], {
      cwd: folder,
    });
    const real = new Uint8Array(readFileSync(join(folder, 'i.qcow2')));
    rmSync(folder, { recursive: true });
    expect(Buffer.compare(fileBytes(result, 'i.qcow2'), real)).toBe(0);
  });

  it('makes a sound image', () => {
    const result = run('qemu-img create -f qcow2 -o cluster_size=4k i.qcow2 200M\n');
    expect(checkImage(fileBytes(result, 'i.qcow2'))).toEqual({ errors: [], leaks: [] });
    expect(eventsOf(result.trace, 'command_output').length).toBe(1);
  });
});

describe('faults on metadata I/O', () => {
  const head = 'qemu-img create -f qcow2 d.qcow2 64M\nublk add -t qcow2 -f d.qcow2 -d 4\n';
  const write = 'dd if=/dev/urandom of=/dev/ublkb0 bs=4k count=3 oflag=direct\nublk del -n 0\n';

  it('a failed FSYNC changes nothing: as shipped nothing waits for it, as intended it does not break the link', () => {
    for (const link of ['shipped', 'intended']) {
      const result = run(`#: qcow2-link ${link}\n${head}#: fault fsync error=EIO\n${write}`);
      expect(result.output).not.toMatch(/never struck|hangs/);
      expectSound(result, 'd.qcow2', new Uint8Array(64 << 20));
    }
  });

  it('a failed write of refcounts keeps the L2 table from the disk: the image is old, and sound', () => {
    const result = run(`${head}#: fault write tag=4 error=EIO\n${write}`);
    expect(result.output).toMatch(/meta I\/O failed: tag 4/);
    expect(checkImage(fileBytes(result, 'd.qcow2')).errors).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { eventsOf, madeUp, type Run, run } from './support';
import { fileBytes } from './support';

const COPY =
  '#: kernel 6.1\n#: server ublksrv-2022-11\n#: part-scan off\ntruncate -s 4M disk.img\nublk add -t loop -f disk.img -q 1 -d 4\n';
const BUFFERED = COPY.replace('-q 1', '--buffered_io -q 1');
const ZC = COPY.replace('6.1\n', '6.1+splice-zc\n').replace('-q 1', '-z -q 1');
const READ = 'dd if=/dev/ublkb0 of=/dev/null bs=16k count=4 iflag=direct';
const WRITE = 'dd if=/dev/urandom of=/dev/ublkb0 bs=16k count=4 oflag=direct';

function results(result: Run): number[] {
  return result.ios.map((io) => io.result);
}

describe('errors', () => {
  it.each([
    ['read', COPY, READ],
    ['write', COPY, WRITE],
    ['read', BUFFERED, READ],
    ['write', BUFFERED, WRITE],
    ['splice', ZC, READ],
    ['splice', ZC, WRITE],
    ['commit', COPY, READ],
    ['commit', ZC, WRITE],
    ['device op=read', COPY.replace('truncate -s 4M disk.img\n', ''), READ],
    ['device op=write', COPY, WRITE],
  ])('%s: the client gets them once', (kind, head, command) => {
    const result = run(`${head}#: fault ${kind} error=EIO nth=2\n${command}`, {
      realFile: (path) => (path === 'disk.img' ? madeUp(4 << 20, 1) : undefined),
    });
    expect(results(result)).toEqual([16384, -5]);
    expect(result.output).toContain('Input/output error');
    expect(result.exitCode).toBe(1);
  });

  it('strike the range and the queue that were asked for', () => {
    const list = 'iogen /dev/ublkb0 o.json list:1:r@0+4096,r@8192+4096,r@16384+4096';
    for (const kind of ['read', 'commit'])
      expect(results(run(`${COPY}#: fault ${kind} error=EIO offset=8192 count=all\n${list}`))).toEqual([
        4096, -5, 4096,
      ]);
    const two = COPY.replace('-q 1', '-q 2');
    expect(results(run(`${two}#: fault read error=EIO queue=0 count=all\ntaskset -c 0 ${list}`))).toEqual([
      -5, -5, -5,
    ]);
    expect(results(run(`${two}#: fault read error=EIO queue=1 count=all\ntaskset -c 0 ${list}`))).toEqual([
      4096, 4096, 4096,
    ]);
  });
});

describe('short transfers', () => {
  it.each([
    ['read', COPY, READ],
    ['write', COPY, WRITE],
    ['read', BUFFERED, READ],
    ['write', BUFFERED, WRITE],
    ['splice', ZC, READ],
    ['splice', ZC, WRITE],
    ['commit', COPY, READ],
    ['device op=write', COPY, WRITE],
  ])('%s: the rest is sent again and no byte is lost', (kind, head, command) => {
    const before = madeUp(4 << 20, 9);
    const result = run(
      `${head.replace('truncate -s 4M disk.img\n', '')}#: fault ${kind} short=4096\n${command}`,
      {
        realFile: (path) => (path === 'disk.img' ? before : undefined),
      },
    );
    expect(result.output).not.toMatch(/never struck|hangs/);
    expect(results(result)).toEqual([16384, 16384, 16384, 16384]);
    expect(eventsOf(result.trace, 'block_rq_requeue').length).toBe(1);
    const file = fileBytes(result, 'disk.img');
    for (const io of result.ios) {
      expect(
        Buffer.compare(io.data ?? new Uint8Array(), file.subarray(io.offset, io.offset + io.length)),
      ).toBe(0);
    }
  });
});

describe('delays', () => {
  it.each([
    ['read', COPY, READ],
    ['write', COPY, WRITE],
    ['write', BUFFERED, WRITE],
    ['splice', ZC, READ],
    ['commit', COPY, READ],
    ['device', COPY, WRITE],
  ])('%s: take time', (kind, head, command) => {
    const plain = run(`${head}${command}`);
    const late = run(`${head}#: fault ${kind} delay=700ms\n${command}`);
    expect(late.time - plain.time).toBeGreaterThan(690e6);
    expect(late.time - plain.time).toBeLessThan(720e6);
    expect(results(late)).toEqual(results(plain));
  });
});

describe('mistakes of the server', () => {
  const before = madeUp(4 << 20, 5);
  const head = (text: string): string => text.replace('truncate -s 4M disk.img\n', '');
  const options = { realFile: (path: string) => (path === 'disk.img' ? before : undefined) };
  const read = 'dd if=/dev/ublkb0 of=/dev/null bs=16k count=1 iflag=direct';
  /** Bytes of the first read that are what the file holds. */
  const right = (result: Run): number => {
    const data = result.ios[0].data ?? new Uint8Array();
    return data.filter((byte, i) => byte === before[result.ios[0].offset + i]).length;
  };

  it('no-fill shows bytes that nobody read', () => {
    const result = run(`${head(ZC)}#: fault server no-fill\n${read}`, options);
    expect(results(result)).toEqual([16384]);
    expect(right(result)).toBeLessThan(1000);
    const [exposed] = eventsOf(result.trace, 'page_expose');
    expect([result.trace.num(exposed, 'length'), result.trace.num(exposed, 'filled')]).toEqual([16384, 0]);
  });

  it('over-commit after a short read shows the rest unfilled', () => {
    const result = run(
      `${head(COPY)}#: fault server over-commit\n#: fault read short=4096\n${read}`,
      options,
    );
    expect(results(result)).toEqual([16384]);
    expect(right(result)).toBeLessThan(6000);
  });

  it('commit-early answers before the data is there', () => {
    const result = run(`${head(COPY)}#: fault server commit-early\n${read}`, options);
    expect(results(result)).toEqual([16384]);
    expect(right(result)).toBeLessThan(1000);
  });

  it.each(['#: server ublksrv-1.2', '#: server ublksrv-2022-11'])(
    'commit-early with a full ring loses no SQE (%s)',
    (server) => {
      const text = head(COPY)
        .replace(/#: server.*/, server)
        .replace('-d 4', '-d 1');
      const result = run(
        `${text}#: fault server commit-early count=all\n${read}\n${read}\nublk del -n 0`,
        options,
      );
      expect(result.output).not.toContain('hangs');
    },
  );

  it('commit-twice is refused the second time', () => {
    for (const target of [head(COPY), head(ZC), '#: part-scan off\nublk add -t null -d 4\n']) {
      const result = run(`${target}#: fault server commit-twice\n${read}\n${read}\nublk del -n 0`, options);
      expect([result.exitCode, results(result)]).toEqual([0, [16384, 16384]]);
      const refused = eventsOf(result.trace, 'io_uring_complete').filter((i) =>
        [-16, -22].includes(result.trace.num(i, 'result') ?? 0),
      );
      expect(refused.length).toBe(1);
    }
  });

  it('no-commit leaves the client waiting', () => {
    const result = run(`${head(COPY)}#: fault server no-commit\n${read}`, options);
    expect([result.exitCode, result.output]).toEqual([1, expect.stringContaining('the session hangs')]);
  });

  it.each(['no-read-to-read', 'read-to-read-only'])('%s is refused by the RFC driver', (mistake) => {
    const result = run(`${head(ZC)}#: fault server ${mistake}\n${read}`, options);
    expect(results(result)[0]).toBeLessThan(0);
  });

  it('retry-same asks for the same range again', () => {
    const result = run(`${head(ZC)}#: fault server retry-same\n#: fault splice short=4096\n${read}`, options);
    expect(result.output).not.toMatch(/hangs|never struck/);
    const asked = eventsOf(result.trace, 'ublk_splice_read').map((i) => result.trace.num(i, 'pos'));
    expect(new Set(asked).size).toBeLessThan(asked.length);
  });

  it('are told of when they never strike', () => {
    expect(run(`${COPY}#: fault read error=EIO nth=99\n${read}`).output).toContain(
      'line 6: fault never struck',
    );
  });
});

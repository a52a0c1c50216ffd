import { describe, expect, it, test } from 'vitest';
import { complete } from '../../src/extension/session/complete';
import { hoverAt } from '../../src/extension/session/hover';
import { formatDiagnostic } from '../../src/session/diagnostics';
import { parseSession } from '../../src/session/parse';
import { Printer } from '../../src/trace/print';
import { run } from '../simulate/support';

function remarks(text: string): string[] {
  const { diagnostics } = parseSession(text, 's.ublk');
  return diagnostics.map((diagnostic) => formatDiagnostic('s.ublk', diagnostic));
}

const plain = (text: string): string => text;

describe('sqe and submit', () => {
  it('say what an SQE holds', () => {
    const session = parseSession(
      'sqe READ disk.img 4k 8k --link --user-data 0x10\nsqe SPLICE p - 4k o.img 1M --drain\nsqe FALLOCATE a 0 1m --mode punch-hole,keep-size\nsubmit --wait 2\nsubmit\n',
      's.ublk',
    );
    expect(session.diagnostics).toEqual([]);
    expect(session.commands).toMatchObject([
      {
        kind: 'sqe',
        opcode: 22,
        file: { path: 'disk.img' },
        off: 4096n,
        len: 8192n,
        flags: 4,
        userData: 16n,
      },
      {
        kind: 'sqe',
        opcode: 30,
        offIn: 2n ** 64n - 1n,
        len: 4096n,
        file: { path: 'o.img' },
        off: 2n ** 20n,
        flags: 2,
      },
      { kind: 'sqe', opcode: 17, len: 2n ** 20n, bits: { mode: 3 } },
      { kind: 'submit', wait: 2 },
      { kind: 'submit', wait: undefined },
    ]);
  });

  test.each([
    ['sqe', /^s\.ublk:1:1: sqe: needs an operation/],
    ['sqe RAED a 0 4k', /^s\.ublk:1:5: sqe: "?'?RAED.* did you mean .?READ/],
    ['sqe POLL_ADD a', /^s\.ublk:1:5: sqe POLL_ADD: needs events/],
    ['sqe OPENAT a', /^s\.ublk:1:5: .*OPENAT.* is not simulated; simulated: NOP/],
    ['sqe READ a 0', /^s\.ublk:1:5: sqe READ: needs FILE OFFSET LENGTH/],
    ['sqe READ a -1 4k', /^s\.ublk:1:12: sqe: unrecognized option .*-1/],
    ['sqe READ a 0 2m', /^s\.ublk:1:14: sqe: length .*2m.* is beyond 1048576/],
    ['sqe NOP x', /^s\.ublk:1:9: sqe NOP: unexpected/],
    ['sqe NOP --dsync', /^s\.ublk:1:9: sqe: dsync belongs to WRITE/],
    ['sqe NOP --ioprio=70000', /^s\.ublk:1:18: sqe: ioprio .70000. is out of range: 0 to 65535/],
    ['sqe READ /dev/ublkb0 0 4k', /^s\.ublk:1:10: sqe: only files and pipes/],
    ['sqe READ a 0 4k --fixed-file', /^s\.ublk:1:10: sqe: 'a' is not in the table of files: open a --fixed/],
    ['sqe SPLICE a 0 4k b 0 --splice-flags FD_IN_FIXED', /^s\.ublk:1:12: sqe: 'a' is not in the table/],
    ['sqe READ_FIXED a 0 4k', /^s\.ublk:1:5: sqe READ_FIXED: buffer '0' is not registered/],
    ['sqe READ a 0 4k --buffer zz', /^s\.ublk:1:26: sqe: there is no buffer 'zz'/],
    ['buffer b 4k\nsqe READ a 0 4k --buffer b+1', /^s\.ublk:2:14: sqe: length '4k' is beyond 4095/],
    ['sqe TIMEOUT 5q', /^s\.ublk:1:13: sqe: time '5q' is not a time/],
    ['sqe LINK_TIMEOUT', /^s\.ublk:1:5: sqe LINK_TIMEOUT: needs a time/],
    ['sqe TIMEOUT 5 --ns 6', /^s\.ublk:1:15: sqe: the time is given already/],
    [
      'sqe ASYNC_CANCEL 1 --cancel-flags ALLL',
      /^s\.ublk:1:35: cancel-flags 'ALLL' is unknown; did you mean 'ALL'/,
    ],
    ['sqe READV a 0 0+9', /^s\.ublk:1:15: sqe: piece '0\+9' is not/],
    ['mkfifo p\nsqe FSYNC p', /^s\.ublk:2:11: sqe: which end of the pipe: p\.r or p\.w/],
    ['sqe NOP\nring --entries 8', /^s\.ublk:2:1: ring: stands before the first sqe/],
    ['ring --entries 0', /^s\.ublk:1:16: entries '0' is out of range/],
    ['ring --setup IOPOLL', /^s\.ublk:1:14: setup has no 'IOPOLL'/],
    ['open f --flags RDONLY,WRONLY', /^s\.ublk:1:16: open: RDONLY and WRONLY exclude/],
    ['open f\nopen f', /^s\.ublk:2:6: open: 'f' is opened in line 1 already/],
    ['buffer 9 4k', /^s\.ublk:1:8: buffer: '9' is not a name/],
    ['buffer b 0', /^s\.ublk:1:10: buffer: size '0' is out of range/],
    ['reap x', /^s\.ublk:1:6: reap: 'x' is not a whole number/],
    ['close', /^s\.ublk:1:1: close: needs FILE/],
    [
      'ublk list\nreap all',
      /^s\.ublk:2:1: reap is simulated in a session that has only files, pipes and a ring; line 1 has ublk/,
    ],
    [
      'sqe NOP\nsubmit &\nsqe TEE a 4k b',
      /^s\.ublk:3:5: sqe: TEE is simulated .* line 2 runs submit in the background/,
    ],
    ['sqe 256', /^s\.ublk:1:5: .*256.* is no operation/],
    ['submit 2', /^s\.ublk:1:8: submit: unexpected/],
    ['submit --wait -1', /^s\.ublk:1:15: /],
    ['mkfifo', /^s\.ublk:1:1: mkfifo: missing operand/],
  ])('refuse with a position: %s', (text, message) => {
    expect(remarks(`${text}\n`)[0]).toMatch(message);
  });

  it('are completed and explained from the same table', () => {
    const at = (text: string): string[] =>
      complete(text, 0, text.length, 'ublksrv-2022-11', plain).map(({ label }) => label);
    expect(at('')).toEqual(expect.arrayContaining(['sqe', 'submit', 'mkfifo', 'qemu-img create']));
    expect(at('sqe READ a 0 4k --')).toEqual(expect.arrayContaining(['--link', '--drain', '--user-data']));
    expect(at('qemu-img ')).toEqual(['create']);
    expect(at('#: qcow2-link ')).toEqual(['shipped', 'intended']);
    expect(hoverAt('sqe NOP --link', 0, 10, 'ublksrv-2022-11', plain)?.text).toContain('IOSQE_IO_LINK');
  });
});

describe('a ring program of a session', () => {
  const printed = (text: string): string[] => run(text).output.trimEnd().split('\n');

  it('moves bytes, and tells CQEs in their order', () => {
    const result = run(
      'truncate -s 0 o.img\ndd if=/dev/urandom of=i.img bs=4k count=2\n' +
        'sqe READ i.img 4k 4k --link -u 1\nsqe WRITE o.img 0 4k --link -u 2\nsqe FSYNC o.img -u 3\nsubmit --wait 3\n',
    );
    expect(result.output).toContain(
      'cqe user_data=0x1 res=4096\ncqe user_data=0x2 res=4096\ncqe user_data=0x3 res=0\n',
    );
    const bytes = (path: string): Uint8Array => {
      const file = result.files.find((each) => each.path === path)!;
      const all = new Uint8Array(file.size);
      for (const range of file.ranges) all.set(range.bytes, range.offset);
      return all;
    };
    expect(bytes('o.img')).toEqual(bytes('i.img').slice(4096));
  });

  it('cancels the rest of a chain behind a short read, and what is malformed fails it as a whole', () => {
    expect(
      printed('truncate -s 100 s\nsqe READ s 0 4k --link -u 1\nsqe NOP -u 2\nsubmit --wait 2\n'),
    ).toEqual(['submit: 2 of 2 SQEs', 'cqe user_data=0x1 res=100', 'cqe user_data=0x2 res=-125']);
    expect(printed('sqe NOP --link -u 1\nsqe 250 -u 2\nsqe NOP -u 3\nsubmit --wait 2\n')).toEqual([
      'submit: 2 of 3 SQEs',
      'cqe user_data=0x1 res=-125',
      'cqe user_data=0x2 res=-22',
    ]);
  });

  it('hangs where a real one would, and says so', () => {
    expect(printed('sqe NOP\nsubmit --wait 2\n').at(-1)).toMatch(/hangs/);
    expect(printed('mkfifo p\ntruncate -s 4k o\nsqe SPLICE p - 4k o 0\nsubmit --wait 1\n').at(-1)).toMatch(
      /hangs/,
    );
  });

  it('refuses what it cannot open or hold', () => {
    expect(remarks(`${'sqe NOP\n'.repeat(70000)}submit\n`)).toEqual([
      's.ublk:65:1: sqe: the submission queue is full (64 entries): submit comes first, or ring --entries',
    ]);
  });
});

it.each(['6.1', '6.18'])('submit --wait takes what a ring program takes, on %s', (kernel) => {
  const { output, trace } = run(`#: kernel ${kernel}\nsqe NOP -u 1\nsubmit --wait 4294967295\n`);
  expect(output).toMatch(/hangs/);
  expect(new Printer(trace).text()).toMatch(
    kernel === '6.1' ? /min_complete: ffffffff/ : /io_uring_complete/,
  );
});

describe('what comes to nothing', () => {
  it.each(['6.1', '6.18'])('a file that is not there is an error with its place, on %s', (kernel) => {
    const text = `#: kernel ${kernel}\nsqe READ nothere 0 4k -u 1\nsubmit --wait 1\n`;
    expect(() => run(text)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/no file 'nothere'/), line: 2, column: 10 }),
    );
  });

  test.each([
    ['sqe NOP -u 1\n', [1]],
    ['sqe NOP\nsubmit\nsqe NOP\nsqe NOP\n', [3, 4]],
    ['#: kernel 6.18\nsqe NOP\nsqe NOP\nsubmit --to-submit 1\n', [3]],
    ['#: kernel 6.18\nsqe NOP\nsqe NOP\nsubmit --to-submit 1\nsubmit\n', []],
    ['#: kernel 6.18\nring --setup SQPOLL\nsqe NOP\nsqe NOP\nsubmit --to-submit 1\n', []],
  ])('SQEs that nobody submits are warned of: %j', (text, lines) => {
    expect(remarks(text)).toEqual(
      lines.map(
        (line) => `s.ublk:${line}:1: warning: sqe: no submit gives this SQE to the kernel: it has no effect`,
      ),
    );
  });
});

describe('qemu-img create', () => {
  test.each([
    ['qemu-img', /^s\.ublk:1:1: qemu-img: missing command/],
    ['qemu-img info a', /^s\.ublk:1:10: qemu-img: .*info.*: create is simulated/],
    ['qemu-img create a 1M', /^s\.ublk:1:10: qemu-img create: without -f qcow2/],
    ['qemu-img create -f raw a 1M', /^s\.ublk:1:20: format .*raw.* is not simulated yet/],
    ['qemu-img create -f qcow2 a', /needs FILE and SIZE/],
    [
      'qemu-img create -f qcow2 -o cluster_size=3k a 1M',
      /^s\.ublk:1:29: qemu-img create: cluster_size is a power of two/,
    ],
    [
      'qemu-img create -f qcow2 -o compat=1.1,extended_l2=on a 1M',
      /^s\.ublk:1:40: .*extended_l2 is not simulated/,
    ],
    ['qemu-img create -f qcow2 -b base a 1M', /-b is not simulated/],
    ['ublk add -t qcow2 -q 2 -f a', /^s\.ublk:1:19: ublk add -t qcow2 has one queue only/],
    ['ublk add -t qcow2 --buffered_io -f a', /has no --buffered_io/],
  ])('refuses with a position: %s', (text, message) => {
    expect(remarks(`${text}\n`)[0]).toMatch(message);
  });
});

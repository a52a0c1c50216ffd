import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Command, Session } from '../../src/session/ast';
import { formatDiagnostic, MAX_DIAGNOSTICS } from '../../src/session/diagnostics';
import { COMMANDS, SETTINGS } from '../../src/session/options';
import { parseSession } from '../../src/session/parse';
import { defaultOf, readNumber } from '../../src/session/values';

/** Diagnostics as `line:column: severity message`. */
function remarks(session: Session): string[] {
  return session.diagnostics.map((d) => `${d.line}:${d.column}: ${d.severity} ${d.message}`);
}

/** The one command of a line that has no diagnostics above info. */
function only(text: string): Command {
  const session = parseSession(text, 't.ublk');
  expect(remarks(session).filter((remark) => !remark.includes(' info '))).toEqual([]);
  expect(session.commands).toHaveLength(1);
  return session.commands[0]!;
}

const ADD = { kind: 'ublk-add', id: -1, queues: 1, depth: 256, zeroCopy: false, compInTask: undefined };

describe('commands', () => {
  it.each<[string, Record<string, unknown>]>([
    ['truncate -s 64M disk.img', { kind: 'truncate', path: 'disk.img', size: 64 << 20 }],
    ['truncate --size=1KB disk.img', { size: 1000 }],
    ['truncate -s1KiB "a b"', { size: 1024, path: 'a b' }],
    ['ublk add -t null', ADD],
    [
      'ublk add -t loop -f disk.img -z -q 1 -d 4',
      { type: 'loop', file: 'disk.img', zeroCopy: true, depth: 4 },
    ],
    [
      'ublk add -zq2 -tloop --depth=8 --fil disk.img',
      { queues: 2, depth: 8, file: 'disk.img', zeroCopy: true },
    ],
    [
      'ublk add -t loop -f x --buffered_io -g 1 -u 0 -n 3',
      { bufferedIo: true, needGetData: true, compInTask: false, id: 3 },
    ],
    ['#: server ublksrv-1.2\nublk add -t null', { depth: 128, maxIoBufBytes: 512 << 10 }],
    ['#: kernel 6.1\nublk add -t null -i 1', { depth: 128, userRecovery: true, recoveryReissue: true }],
    ['ublk del -n 0', { kind: 'ublk-del', id: 0 }],
    ['ublk del -a', { id: 'all' }],
    ['ublk list -v', { kind: 'ublk-list', id: undefined, verbose: true }],
    ['ublk recover -n 2', { kind: 'ublk-recover', id: 2 }],
    [
      'dd if=/dev/zero of=/dev/ublkb0 bs=2x4k seek=3 count=1 oflag=direct,dsync conv=fsync,notrunc',
      {
        kind: 'dd',
        bs: 8192,
        obs: 8192,
        seek: 24576,
        skip: 0,
        count: 1,
        oflag: { direct: true, dsync: true, sync: false },
        conv: { fsync: true, fdatasync: false, notrunc: true },
      },
    ],
    ['dd if=a of=b ibs=1kB obs=1b skip=2', { bs: 1000, obs: 512, skip: 2000, count: undefined }],
    [
      'blkdiscard -o 1M -l 64k /dev/ublkb0',
      { kind: 'blkdiscard', offset: 1 << 20, length: 65536, mode: 'discard' },
    ],
    ['blkdiscard -z /dev/ublkb0', { mode: 'zeroout', offset: 0, length: undefined }],
    ['sync', { kind: 'sync', mode: 'sync', paths: [] }],
    ['sync disk.img', { mode: 'fsync', paths: ['disk.img'] }],
    ['sync -d disk.img', { mode: 'fdatasync' }],
    ['kill -9 $(pgrep -n ublk)', { kind: 'kill', signal: 'KILL', target: { kind: 'daemon' } }],
    ['kill -s SIGSTOP 77', { signal: 'STOP', target: { kind: 'pid', pid: 77 } }],
    ['sleep 0.5', { kind: 'sleep', ns: 5e8 }],
    ['sleep 1m 2', { ns: 62e9 }],
    ['sudo sleep 1 > /dev/null 2>&1', { kind: 'sleep' }],
    ['sleep \\\n  2 # seconds', { ns: 2e9, line: 1, column: 1, text: 'sleep   2', endColumn: 8 }],
    ['taskset 2 sleep 1', { cpus: [1] }],
    ['taskset -c 0-1 sleep 1 &', { cpus: [0, 1], background: true }],
  ])('%s', (text, expected) => expect(only(text)).toMatchObject(expected));
});

describe('fio', () => {
  const job = (options: string): unknown => {
    const command = only(`fio --filename=/dev/ublkb0 ${options}`);
    return command.kind === 'fio' && command.jobs.length === 1 ? command.jobs[0] : command;
  };
  it.each<[string, Record<string, unknown>]>([
    [
      '--name=j',
      { name: 'j', rw: 'read', bs: 4096, iodepth: 1, ioengine: 'psync', direct: false, numberIos: undefined },
    ],
    [
      '--name=j --direct=1 --ioengine=libaio --iodepth=4 --rw=randread --bs=4k --number_ios=16',
      { iodepth: 4, direct: true, numberIos: 16 },
    ],
    ['-name=j -bs 1Ki --size=1m --offset=0x1000', { bs: 1000, size: 1 << 20, offset: 4096 }],
    [
      '--name=j --rw=randrw --rwmixwrite=30 --randseed=18446744073709551615',
      { rwmixread: 70, randseed: 2n ** 64n - 1n },
    ],
    [
      '--name=j --runtime=10 --time_based --thinktime=5 --thread',
      { runtimeNs: 10e9, timeBased: true, thinkTimeNs: 5000 },
    ],
    ['--name=j --runtime=20ms --buffered=0', { runtimeNs: 20e6, direct: true }],
  ])('%s', (options, expected) => expect(job(options)).toMatchObject(expected));

  it('gives options before the first --name to every job and those after it to one', () => {
    const command = only('fio --bs=8k --filename=/dev/ublkb0 --name=a --rw=write --name=b --stonewall');
    expect(command).toMatchObject({
      jobs: [
        { name: 'a', bs: 8192, rw: 'write', stonewall: false },
        { name: 'b', bs: 8192, rw: 'read', stonewall: true },
      ],
    });
  });
});

describe('iogen', () => {
  it('reads every step of the recordings and exact lists', () => {
    const steps =
      'r:seq:4096:8:1 w:rand:512:4:2:1024:16 flush discard:8:9 zero:1:2 sleep:3 list:2:r@0+4096,w@8192+512';
    expect(only(`iogen /dev/ublkb0 io.json ${steps}`)).toMatchObject({
      device: '/dev/ublkb0',
      output: 'io.json',
      steps: [
        {
          kind: 'io',
          op: 'read',
          pattern: 'seq',
          blockSize: 4096,
          count: 8,
          queueDepth: 1,
          start: 0,
          bufferOffset: 0,
        },
        {
          kind: 'io',
          op: 'write',
          pattern: 'rand',
          blockSize: 512,
          count: 4,
          queueDepth: 2,
          start: 1024,
          bufferOffset: 16,
        },
        { kind: 'flush' },
        { kind: 'discard', offset: 8, length: 9 },
        { kind: 'zero', offset: 1, length: 2 },
        { kind: 'sleep', ns: 3e6 },
        {
          kind: 'list',
          queueDepth: 2,
          ios: [
            { op: 'read', offset: 0, length: 4096 },
            { op: 'write', offset: 8192, length: 512 },
          ],
        },
      ],
    });
  });
});

describe('shell', () => {
  it('reads the kill script of the recordings: jobs and processes in variables', () => {
    const text =
      "iogen /dev/ublkb0 o r:seq:1:1:1 & P=$!; D=$(ublk list -n 0 | sed -n 's/.*daemon pid \\([0-9]*\\).*/\\1/p'); kill -9 $D\nsleep 1 &\nwait $P; wait $!; wait";
    const { commands, diagnostics } = parseSession(text, 't');
    expect(diagnostics).toEqual([]);
    expect(commands).toMatchObject([
      { kind: 'iogen', background: true },
      { kind: 'kill', background: false, target: { kind: 'daemon', id: 0 } },
      { kind: 'sleep', background: true },
      { kind: 'wait', command: 0, last: false },
      { kind: 'wait', command: 2, last: true },
      { kind: 'wait', command: undefined, last: false },
    ]);
  });
  it.each<[string, string]>([
    ['A=disk.img\nsync $A', 'disk.img'],
    ['A=\'a b\'\nsync "$A"', 'a b'],
    ['A="a b"\nsync $A', 'a,b'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: shell syntax
    ['A=x B=${A}y\nsync "${B}"z', 'xyz'],
    ["sync 'a'\\''b'", "a'b"],
    ['sync "\\$A" # $B', '$A'],
  ])('%j names the files %s', (text, files) => {
    const { commands, diagnostics } = parseSession(text, 't');
    expect(diagnostics).toEqual([]);
    expect(commands).toMatchObject([{ paths: files.split(',') }]);
  });
});

describe('settings and faults', () => {
  it('has defaults, and a server for each kernel', () => {
    const base = { seed: 1n, cpus: 2, backing: 'file', blockSize: 4096, partScan: true };
    expect(parseSession('', 't').settings).toMatchObject({
      ...base,
      kernel: '6.1+splice-zc',
      server: 'ublksrv-2022-11',
    });
    expect(parseSession('#: kernel 6.1', 't').settings).toMatchObject({ ...base, server: 'ublksrv-1.2' });
    const set =
      '#: seed 0xffffffffffffffff\n #: backing blkdev # raw\n#: block-size 512\n#: part-scan off\n#: cpus 4';
    expect(parseSession(set, 't')).toMatchObject({
      diagnostics: [],
      settings: { seed: 2n ** 64n - 1n, backing: 'blkdev', blockSize: 512, partScan: false, cpus: 4 },
    });
  });
  it('lets overrides win and checks them', () => {
    expect(
      parseSession('#: kernel 6.1\n#: seed 2', 't', { kernel: '6.1+splice-zc', seed: 9n }),
    ).toMatchObject({
      settings: { kernel: '6.1+splice-zc', server: 'ublksrv-2022-11', seed: 9n },
    });
    expect(remarks(parseSession('', 't', { kernel: '6.2' }))[0]).toMatch(
      /^1:1: error kernel '6.2' is unknown/,
    );
  });
  it.each<[string, Record<string, unknown>]>([
    ['splice tag=1 short=2048', { kind: 'splice', tag: 1, count: 1, effect: { short: 2048 } }],
    [
      'device offset=64k error=EIO count=all',
      { kind: 'device', offset: 65536, length: 1, count: Infinity, effect: { error: -5 } },
    ],
    ['device op=write nth=3 delay=2ms', { op: 'write', nth: 3, effect: { delayNs: 2e6 } }],
    ['server tag=1 over-commit', { kind: 'server', effect: { mistake: 'over-commit' } }],
    ['commit queue=0 error=-11', { queue: 0, effect: { error: -11 } }],
  ])('fault %s', (text, expected) => {
    const session = parseSession(`sync\n#: fault ${text}\nsync`, 't');
    expect(session.diagnostics).toEqual([]);
    expect(session.faults).toMatchObject([{ armedAt: 1, line: 2, ...expected }]);
  });
});

describe('what is refused, and where', () => {
  it.each<[string, RegExp]>([
    ['foi --name=x', /^1:1: error 'foi' is not simulated; did you mean 'fio'\?/],
    ['mkfs.ext4 /dev/ublkb0', /^1:1: error 'mkfs.ext4' is not simulated; commands:/],
    ['ublk ad -t null', /^1:6: error ublk: unknown command: 'ad'; did you mean 'add'\?/],
    ['ublk features', /^1:6: error ublk features is not simulated/],
    ['ublk add', /^1:6: error ublk add: no dev type specified/],
    ['ublk add -t nbd', /^1:13: error type 'nbd' is not simulated yet; simulated: null, loop, qcow2/],
    ['ublk add -t lop -f x', /^1:13: error type 'lop' is unknown; did you mean 'loop'\?/],
    ['ublk add -t loop', /^1:6: error ublk add -t loop needs its backing file: -f FILE/],
    ['ublk add -t null -r 1', /^1:18: error ublk add of ublksrv-2022-11 has no option -r \(ublksrv-1.2 and/],
    [
      '#: server ublksrv-1.2\nublk add -t null --usercopy',
      /^2:18: error ublk add --usercopy is not simulated/,
    ],
    [
      'ublk add -t null -d 100000',
      /^1:21: error depth '100000' is out of range: 1 to 1024 is accepted .*takes 1024/,
    ],
    ['ublk add -t null -q4096', /^1:20: error queues '4096' is out of range: 1 to 32 is accepted/],
    [
      'ublk add -t null --dpeth=1',
      /^1:18: error ublk: unrecognized option '--dpeth'; did you mean '--depth'\?/,
    ],
    ['ublk add -t null -x', /^1:18: error ublk: unrecognized option '-x'/],
    ['ublk add -t', /^1:10: error ublk: option requires an argument -- 't'/],
    ['ublk add --zero_copy -t null', /^1:10: error ublk: option '--zero_copy' requires an argument/],
    ['ublk del -n 0 7', /^1:15: error ublk del takes no '7'/],
    ['ublk recover', /^1:6: error ublk recover needs -n ID/],
    [
      'truncate -s 9007199254740992 x',
      /^1:13: error size '9007199254740992' is too large: the simulator takes up to 9007199254740991/,
    ],
    ['truncate -s 16E x', /^1:13: error size '16E' is too large: no tool or file takes more than 2\^63 - 1/],
    ['truncate -s +4k x', /^1:13: error truncate: sizes relative/],
    ['truncate -s 4k', /^1:1: error truncate: missing file operand/],
    ['fio --name=j', /^1:5: error fio: this job has no --filename/],
    ['fio --filename=x', /^1:1: error fio: no jobs defined/],
    ['fio --name=j --filename=x --verify=crc32c', /^1:27: error fio --verify is not simulated/],
    [
      'fio --name=j --filename=x --iodeth=4',
      /^1:27: error fio: unrecognized option '--iodeth'; did you mean '--iodepth'\?/,
    ],
    ['fio --name=j --filename=x --bs=4k,8k', /^1:32: error fio: ',' in --bs=4k,8k is not simulated/],
    [
      'fio --name=j --filename=x --size=1k',
      /^1:34: error fio: --size=1024 is smaller than one block of 4096/,
    ],
    ['fio job.fio --name=j --filename=x', /^1:5: error fio: job files are not simulated/],
    ['dd if=a of=b oflag=direkt', /^1:20: error oflag 'direkt' is unknown; did you mean 'direct'\?/],
    ['dd if=a of=b oflag=append', /^1:20: error oflag 'append' is not simulated yet/],
    ['dd if=a of=b bs=0', /^1:17: error bs '0' is out of range/],
    ['dd if=a', /^1:1: error dd: without of= it would/],
    ['dd if=a of=b cuont=1', /^1:14: error dd: unrecognized operand 'cuont=1'; did you mean 'count'\?/],
    ['dd if=a of=b bs=1G seek=9007199', /^1:25: error dd: seek times 1073741824 bytes is beyond 2\^53/],
    ['blkdiscard -o 100 /dev/ublkb0', /^1:12: error blkdiscard: offset 100 is not a multiple/],
    ['kill -HUP $(pgrep -n ublk)', /^1:6: error kill: signal 'HUP' is not simulated/],
    ['kill -9 $!', /^1:9: error \$! is empty/],
    ['kill -9 $(pidof sh)', /^1:9: error of \$\(\.\.\.\) only \$\(pgrep -n ublk\) is simulated/],
    ['wait 12', /^1:6: error wait: '12' is not a child/],
    ['sleep 1x', /^1:7: error sleep: '1x' is not a time/],
    ['iogen /dev/ublkb0 o r:sqe:1:1:1', /^1:23: error iogen: the pattern is seq or rand, not 'sqe'/],
    ['iogen /dev/ublkb0 o list:1:r@0+4k', /^1:28: error iogen: 'r@0\+4k' is not a request/],
    ['sync $IMG', /^1:6: error \$IMG was never set/],
    ['sync *.img', /^1:6: error file name patterns are not simulated/],
    ['sync && sync', /^1:6: error the simulator has no '&&'/],
    ['sync | cat', /^1:6: error the simulator has no '\|'/],
    ['sync > out', /^1:6: error redirection is not simulated/],
    ["sync 'a", /^1:6: error this quote is not closed/],
    ['for i in 1', /^1:1: error 'for': shell control flow/],
    ['FOO=1 sync', /^1:1: error a variable for one command only/],
    ['sync #: seed 1', /^1:6: error a #: line must stand alone/],
    ['taskset 4 sync', /^1:9: error taskset MASK .* CPUs 0 to 1/],
    ['\u0000\u0001', /^1:1: error this is a binary file/],
    [
      '#: server kublk',
      /^1:11: error server 'kublk' is not simulated yet; accepted now: ublksrv-2022-11, ublksrv-1.2/,
    ],
    ['#: sede 4', /^1:4: error unknown setting 'sede'; did you mean 'seed'\?/],
    ['#: seed -1', /^1:9: error seed '-1' is not a whole number/],
    ['#: block-size 1000', /^1:15: error block-size 1000 is not a power of two/],
    ['#: fault splise short=1', /^1:10: error unknown fault 'splise'; did you mean 'splice'\?/],
    ['#: fault splice tag=1', /^1:10: error fault splice changes nothing: add one of short=/],
    ['#: fault device tag=1 error=EIO', /^1:17: error fault device: unknown 'tag=1'/],
    ['#: fault read error=EOI', /^1:21: error fault read: error 'EOI' is not an error/],
  ])('%j', (text, expected) => {
    const session = parseSession(text, 't');
    expect(remarks(session)[0]).toMatch(expected);
    expect(session.diagnostics.filter((d) => d.severity === 'error')).toHaveLength(1);
    expect(session.commands.filter((command) => command.kind !== 'sync')).toEqual([]);
  });

  it.each<[string, RegExp]>([
    ['fio --name=j --filename=x --iodepth=4', /^1:27: warning --iodepth=4 has no effect: psync waits/],
    ['#: kernel 6.1\nublk add -t loop -f x -z', /^2:23: warning the 6.1 driver clears the zero copy flag/],
    ['ublk del', /^1:6: warning without -n ID this deletes every device/],
    ['ublk add -t null -f x', /^1:18: warning file has no effect with -t null/],
    ['ublk add -t null -d 1 -d 2', /^1:18: warning depth is given again later/],
    [
      'ublk add -t loop -f x\n#: fault splice short=1',
      /^2:1: warning this fault never strikes: no device of this session splices/,
    ],
    [
      'ublk add -t loop -f x -z -d 4\n#: fault splice tag=4 short=1',
      /^2:1: warning this fault never strikes: tags are numbered 0 to 3/,
    ],
    ['modprobe ublk_drv', /^1:1: info modprobe has no effect/],
    ['sync\r\n', /^1:1: warning lines end in CR LF/],
  ])('%j is remarked on', (text, expected) => {
    const session = parseSession(text, 't');
    expect(remarks(session)).toHaveLength(1);
    expect(remarks(session)[0]).toMatch(expected);
  });

  it('stops after a thousand errors and says so; remarks that are no errors are only counted', () => {
    const errors = parseSession('nope\n'.repeat(5000), 't').diagnostics;
    expect(errors).toHaveLength(MAX_DIAGNOSTICS + 1);
    expect(errors.at(-1)).toMatchObject({ line: MAX_DIAGNOSTICS + 1, severity: 'error' });
    expect(errors.at(-1)!.message).toMatch(/^too many errors: reading stops here$/);
    const infos = parseSession(`${'echo\n'.repeat(5000)}nope`, 't').diagnostics;
    expect(infos).toHaveLength(MAX_DIAGNOSTICS + 1);
    expect(infos.at(-1)).toMatchObject({ line: 5001, severity: 'error' });
    expect(infos.at(-1)!.message).toMatch(/\(the first of 4001 more that are not listed\)$/);
  });
  it('leaves out a command with an error and keeps reading', () => {
    const { commands } = parseSession('sync\nfio --name\nublk del -n 1', 't');
    expect(commands.map((command) => command.kind)).toEqual(['sync', 'ublk-del']);
  });
  it('formats as file:line:column: message', () => {
    const [diagnostic] = parseSession('\n  nope', 'a.ublk').diagnostics;
    expect(formatDiagnostic('a.ublk', diagnostic!)).toMatch(/^a\.ublk:2:3: 'nope' is not simulated/);
  });
});

describe('tables', () => {
  it('have defaults their own rows accept', () => {
    for (const spec of [...SETTINGS, ...COMMANDS.flatMap((command) => command.options)]) {
      const text = defaultOf(spec, 'ublksrv-2022-11');
      if (text === undefined || ['text', 'u64'].includes(spec.type)) continue;
      if (spec.values !== undefined) expect(spec.values, spec.name).toContain(text);
      else expect(readNumber(spec, text), spec.name).toMatchObject({ ok: true });
    }
  });
});

it('a kernel that has rings only is refused to sessions that have more', () => {
  const session = parseSession('#: kernel 6.12\nsqe NOP\nsubmit\nublk list\n', 's');
  expect(remarks(session)).toEqual([
    "1:11: error kernel '6.12' is simulated for sessions that have only files, pipes and a ring (sqe, submit), and line 4 has ublk; accepted for all: 6.1, 6.1+splice-zc, 7.3",
  ]);
});

describe('samples', () => {
  const folder = join(__dirname, '../../samples');
  it.each(readdirSync(folder).filter((name) => name.endsWith('.ublk')))(
    '%s has nothing to remark',
    (name) => {
      const session = parseSession(readFileSync(join(folder, name), 'utf8'), name);
      expect(remarks(session)).toEqual([]);
      expect(session.commands.at(-1)?.kind).toBe(session.ringOnly ? 'submit' : 'ublk-del');
    },
  );
});

describe('any text', () => {
  const vocabulary = [
    ...COMMANDS.map((command) => command.name),
    ...COMMANDS.flatMap((c) => c.options.flatMap((o) => o.long ?? [])).slice(0, 60),
    ' ',
    ' ',
    '\n',
    '\n',
    '&',
    ';',
    '$!',
    '$A',
    'A=',
    '"',
    "'",
    '\\',
    '\\\n',
    '#: ',
    '#: fault ',
    'splice',
    'short=1',
    '-',
    '--',
    '=',
    '$(',
    ')',
    '>',
    '|',
    '1',
    '64k',
    '-n',
    '99999999999999999999',
    'é',
    '\u2028',
    '\r',
    '\t',
    'list:1:r@0+1,',
    ':',
    ',',
  ];
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.array(fc.constantFrom(...vocabulary), { maxLength: 60 }).map((parts) => parts.join('')),
  );
  it('is parsed without an exception, and every position is inside it', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const session = parseSession(text, 't');
        const lines = text.split('\n');
        for (const at of [...session.diagnostics, ...session.commands]) {
          const length = lines[at.line - 1]?.length;
          expect(length).toBeDefined();
          expect(at.column).toBeGreaterThanOrEqual(1);
          expect(at.endColumn).toBeGreaterThanOrEqual(at.column);
          expect(at.endColumn).toBeLessThanOrEqual(length! + 1);
        }
        for (const fault of session.faults)
          expect(fault.armedAt).toBeLessThanOrEqual(session.commands.length);
      }),
      { numRuns: 3000 },
    );
  });
  it.each<[string, () => string]>([
    ['one line of 10 MB', () => 'a'.repeat(10e6)],
    ['10 MB of words', () => 'sync '.repeat(2e6)],
    ['10 MB of quotes', () => '"\''.repeat(5e6)],
    ['a million lines', () => 'nope\n'.repeat(1e6)],
    ['a million settings', () => '#: nope\n'.repeat(1e6)],
    ['a million variables', () => 'sync $A;'.repeat(1e6)],
    ['open substitutions', () => '$('.repeat(1e6)],
    ['doubling variables', () => `A=aaaaaaaaaaaaaaaa\n${'A=$A$A$A$A\n'.repeat(100)}`],
    ['continuations', () => '\\\n'.repeat(1e6)],
  ])('%s ends with a bounded list', (_, make) => {
    const session = parseSession(make(), 't');
    expect(session.diagnostics.length).toBeLessThanOrEqual(MAX_DIAGNOSTICS + 1);
    for (const diagnostic of session.diagnostics) expect(diagnostic.message.length).toBeLessThan(1000);
  });
});

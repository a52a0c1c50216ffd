import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { brokenRules, checkText, Lines } from './support';
import { simulated } from './sessions';

const SAMPLES = join(__dirname, '..', '..', 'samples');

function session(lines: readonly string[], options = '-z', kernel = '6.1+splice-zc'): string {
  return simulated(
    [
      `#: kernel ${kernel}`,
      '#: seed 5',
      'truncate -s 16M disk.img',
      `ublk add -t loop -f disk.img ${options} -q 1 -d 4`,
      ...lines,
    ].join('\n'),
  );
}

const READS = 'dd if=/dev/ublkb0 of=/dev/null bs=16k count=4 iflag=direct';
const WRITES = 'dd if=/dev/zero of=/dev/ublkb0 bs=16k count=4 oflag=direct';
const DEEP =
  'fio --name=j --filename=/dev/ublkb0 --direct=1 --ioengine=libaio --rw=randrw --bs=4k --iodepth=4 --number_ios=32';

/** Samples whose server makes a mistake on purpose, and what it breaks. */
const MISTAKES: Readonly<Record<string, readonly string[]>> = {
  'leak-overcommit.ublk': ['INV-42', 'INV-48'],
  'qcow2-link.ublk': ['INV-20'],
};

describe('samples', () => {
  it.each(readdirSync(SAMPLES).filter((name) => name.endsWith('.ublk')))('%s', (name) => {
    const { violations } = checkText(simulated(readFileSync(join(SAMPLES, name), 'utf8')));
    expect([...new Set(violations.map(({ rule }) => rule))].sort()).toEqual(MISTAKES[name] ?? []);
  });
});

describe('a correct simulated server', () => {
  it.each([
    ['zero copy', session([DEEP, READS, WRITES, 'ublk del -n 0'])],
    ['copy', session([DEEP, READS, WRITES, 'ublk del -n 0'], '', '6.1')],
    ['kernel 7.3', session([DEEP, READS, WRITES, 'ublk del -n 0'], '', '7.3')],
    ['NEED_GET_DATA', session([DEEP, READS, WRITES, 'ublk del -n 0'], '-g 1', '6.1')],
    [
      'killed',
      session([`${DEEP} &`, 'sleep 0.0005', 'kill -9 $(pgrep -n ublk)', 'wait', 'ublk del -n 0'], '', '6.1'),
    ],
    ['short reads', session(['#: fault read short=4096', READS, 'ublk del -n 0'], '', '6.1')],
    ['a failing device', session(['#: fault device error=EIO', READS, 'ublk del -n 0'], '')],
  ])('%s', (_, text) => {
    expect(checkText(text).violations).toEqual([]);
  });

  it('ublk-qcow2 breaks the rule of links as it was shipped, and not as it was meant', () => {
    const text = (link: string): string =>
      simulated(
        `#: kernel 6.1\n#: qcow2-link ${link}\nqemu-img create -f qcow2 d.qcow2 64M\nublk add -t qcow2 -f d.qcow2 -q 1 -d 4\nsleep 1\n${WRITES}\nublk del -n 0\n`,
      );
    expect(brokenRules(text('shipped'))).toEqual(['INV-20']);
    expect(brokenRules(text('intended'))).toEqual([]);
  });

  it.each(['', '-z'])('two devices with two queues at once %s', (options) => {
    const add = (n: number): string => `ublk add -t loop -n ${n} -f ${n}.img -q 2 -d 8 ${options}`;
    const fio = (n: number): string =>
      `fio --name=j --filename=/dev/ublkb${n} --direct=1 --ioengine=libaio --rw=randrw --bs=4k --iodepth=8 --number_ios=100 &`;
    const text = simulated(
      [
        '#: kernel 6.1+splice-zc',
        ...['truncate -s 16M 0.img', 'truncate -s 16M 1.img', add(0), add(1), fio(0), fio(1), 'wait'],
        ...['ublk del -n 0', 'ublk del -n 1'],
      ].join('\n'),
    );
    expect(checkText(text).violations).toEqual([]);
  });

  it('evaluates what only a simulated trace tells', () => {
    const { evaluated } = checkText(session([DEEP, READS, 'ublk del -n 0']));
    expect(evaluated).toEqual(
      expect.arrayContaining(['INV-02', 'INV-03', 'INV-04', 'INV-05', 'INV-36', 'INV-48']),
    );
  });
});

describe('a mistake of the simulated server', () => {
  it.each([
    ['commit-early', '-z', ['INV-42', 'INV-48', 'INV-59']],
    ['commit-early', '', ['INV-42']],
    ['commit-twice', '-z', ['INV-30']],
    ['commit-twice', '', ['INV-30']],
    ['no-fill', '-z', ['INV-48']],
    ['no-read-to-read', '-z', ['INV-57']],
    ['read-to-read-only', '-z', ['INV-57']],
  ])('%s %s', (mistake, options, rules) => {
    expect(brokenRules(session([`#: fault server ${mistake}`, READS, 'ublk del -n 0'], options))).toEqual(
      rules,
    );
  });

  it('no-commit', () => {
    expect(brokenRules(session(['#: fault server no-commit', `${READS} &`, 'sleep 3']))).toEqual(['INV-30']);
  });

  it.each([
    ['over-commit', ['INV-42', 'INV-48']],
    ['retry-same', ['INV-56']],
  ])('%s after a short splice', (mistake, rules) => {
    const text = session(['truncate -s 12k disk.img', `#: fault server ${mistake}`, READS, 'ublk del -n 0']);
    expect(brokenRules(text)).toEqual(rules);
  });
});

describe('an edit of a simulated trace breaks the rule', () => {
  const lines = (): Lines => new Lines(session([DEEP, 'ublk del -n 0']).split('\n'));

  it.each<[string, (t: Lines) => void, string[]]>([
    ['INV-01: an SQE nobody filled', (t) => t.drop(t.find(/io_uring_get_sqe: .*user_data 0x80/)), ['INV-01']],
    [
      'INV-02: SQEs taken in another order',
      (t) => {
        const data = (at: number): string => /user_data (\w+)/.exec(t.lines[at])?.[1] ?? '';
        const pair = t.find(/to_submit: 4, min_complete: 1/);
        const first = pair - 4;
        const second = t.find(/io_uring_get_sqe/, first + 1);
        const [a, b] = [data(first), data(second)];
        t.edit(first, a, b).edit(second, b, a);
      },
      ['INV-02'],
    ],
    [
      'INV-03: an SQE written over one that was not taken',
      (t) => t.edit(t.find(/io_uring_create: /, t.find(/io_uring_create: /) + 1), /sq size \d+/, 'sq size 2'),
      ['INV-03'],
    ],
    [
      'INV-04: more CQEs than the ring has entries',
      (t) => t.edit(t.find(/io_uring_create: /, t.find(/io_uring_create: /) + 1), /cq size \d+/, 'cq size 2'),
      ['INV-04'],
    ],
    [
      'INV-05: a CQE seen before it was filled',
      (t) => t.edit(t.find(/io_uring_cq_advance: .*head 4,/), 'head 4', 'head 90'),
      ['INV-05'],
    ],
    ['INV-24: a tag that is never freed', (t) => t.drop(t.find(/blk_mq_put_driver_tag/)), ['INV-24']],
    [
      'INV-34: a tag freed before its request has ended',
      (t) => t.move(t.find(/blk_mq_put_driver_tag/), t.find(/block_rq_complete: 259,0/)),
      ['INV-34'],
    ],
    [
      'INV-36: a device that goes LIVE too early',
      (t) => t.edit(t.find(/ublk_dev_state: .*LIVE/), 'queue_depth 4', 'queue_depth 5'),
      ['INV-36'],
    ],
    [
      'INV-48: bytes handed over that nothing filled',
      (t) => t.edit(t.find(/page_expose: .*filled 4096/), 'filled 4096', 'filled 512'),
      ['INV-48'],
    ],
    [
      'INV-43: a copy of another length than was committed',
      (t) => {
        const command = t.find(/ublk_ch_uring_cmd: .*op=0x21 .*result=4096/);
        const [head] = t.lines[command].split('ublk_ch_uring_cmd:');
        t.insert(
          command + 1,
          `${head}ublk_copy_user_pages: (ublk_copy_user_pages+0x0) tag=0 to_server=0 len=512`,
        );
      },
      ['INV-43'],
    ],
  ])('%s', (_, edit, rules) => {
    const text = lines();
    edit(text);
    expect(text.broken()).toEqual(rules);
  });
});

import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { complete, type Proposal } from '../../src/extension/session/complete';
import { hoverAt } from '../../src/extension/session/hover';
import { folds, outline } from '../../src/extension/session/outline';
import { COMMANDS, SETTINGS } from '../../src/session/options';
import { parseSession } from '../../src/session/parse';
import { english } from './english';

const samples = new URL('../../samples/', import.meta.url);

/** Proposals at the `|` of a text. */
function at(text: string): Proposal[] {
  const cut = text.indexOf('|');
  const before = text.slice(0, cut).split('\n');
  const { server } = parseSession(text.replace('|', ''), '').settings;
  return complete(text.replace('|', ''), before.length - 1, before.at(-1)!.length, server, english);
}

function labels(text: string): string[] {
  return at(text).map((proposal) => proposal.label);
}

/** The line after a proposal was taken. */
function taken(text: string, label: string): string {
  const proposal = at(text).find((each) => each.label === label);
  if (proposal === undefined) throw new Error(`no ${label} in ${labels(text).join(' ')}`);
  const line = text
    .split('\n')
    .find((each) => each.includes('|'))!
    .replace('|', '');
  return line.slice(0, proposal.start) + (proposal.insert ?? proposal.label) + line.slice(proposal.end);
}

describe('completion in a session', () => {
  it('knows the operations of sqe', () => {
    expect(labels('sqe |')).toEqual(expect.arrayContaining(['READ', 'SPLICE', 'NOP']));
    expect(taken('sqe RE|', 'READ')).toBe('sqe READ $0');
    expect(labels('truncate -s 1M f.img\nsqe READ |')).toContain('f.img');
    expect(hoverAt('sqe READ f.img 0 4k', 0, 5, 'ublksrv-2022-11', english)?.text).toMatch(
      /READ FILE OFFSET LENGTH/,
    );
  });

  it('begins with the commands that the simulator runs', () => {
    const all = COMMANDS.filter((row) => row.simulated !== false).map((row) => row.name);
    expect(labels('|')).toEqual(expect.arrayContaining(all));
    expect(labels('|')).not.toContain('ublk features');
    expect(labels('truncate -s 1M a & |')).toContain('fio');
    expect(labels('sudo |')).toContain('fio');
    expect(labels('taskset 1 d|')).toContain('dd');
  });

  it('knows the words of ublk and their options', () => {
    expect(labels('ublk |')).toEqual(['add', 'del', 'list', 'recover']);
    expect(labels('ublk add |')).toEqual(expect.arrayContaining(['-t', '--type', '-z', '--depth']));
    expect(labels('ublk add -t |')).toEqual(['null', 'loop', 'qcow2']);
    expect(labels('ublk add --type=|')).toEqual(['null', 'loop', 'qcow2']);
    expect(labels('ublk del -|')).toEqual(['-n', '--number', '-a', '--all']);
  });

  it('leaves out what the version lacks, what is not simulated and what is there already', () => {
    expect(labels('#: kernel 6.1+splice-zc\nublk add -|')).not.toContain('-r');
    expect(labels('#: kernel 6.1\nublk add -|')).toContain('-r');
    expect(labels('ublk add -|')).not.toContain('--usercopy');
    expect(labels('ublk add -t null -|')).not.toContain('--type');
    expect(labels('fio --name=a --|')).not.toContain('--verify=');
  });

  it('proposes values, files and disks of the session', () => {
    const text = 'truncate -s 64M disk.img\nublk add -t loop -f disk.img\n';
    expect(labels(`${text}fio --filename=|`)).toEqual(['/dev/ublkb0']);
    expect(labels(`${text}ublk add -f |`)).toEqual(['disk.img']);
    expect(labels(`${text}dd if=|`)).toEqual(
      expect.arrayContaining(['/dev/zero', '/dev/ublkb0', 'disk.img']),
    );
    expect(labels('fio --rw=|')).toContain('randread');
    expect(labels('dd oflag=direct,|')).toContain('dsync');
    expect(labels('kill |')).toContain('$(pgrep -n ublk)');
  });

  it('replaces the word at the cursor, and only the value behind =', () => {
    expect(taken('fio --rw=rand|', 'randwrite')).toBe('fio --rw=randwrite');
    expect(taken('fio --iod|', '--iodepth=')).toBe('fio --iodepth=$0');
    expect(taken('dd oflag=direct,d|', 'dsync')).toBe('dd oflag=direct,dsync');
    expect(taken('ublk add -t nul|', 'null')).toBe('ublk add -t null');
    expect(taken('ub|', 'ublk add')).toBe('ublk add');
  });

  it('goes on over continued lines', () => {
    expect(labels('fio --name=a \\\n  --rw=|')).toContain('randread');
    expect(labels('fio --name=a \\\n  |')).toContain('--iodepth=');
  });

  it('knows settings, faults and their keys', () => {
    expect(labels('#: |')).toEqual([...SETTINGS.map((row) => row.name), 'fault']);
    expect(labels('#: kernel |')).toEqual(['6.1', '6.1+splice-zc', '6.12', '6.18', '7.3']);
    expect(labels('#: fault |')).toEqual(expect.arrayContaining(['splice', 'device', 'server']));
    expect(labels('#: fault splice |')).toEqual(expect.arrayContaining(['tag', 'short', 'error']));
    expect(labels('#: fault splice tag=1 |')).not.toContain('tag');
    expect(labels('#: fault splice error=|')).toContain('EIO');
    expect(labels('#: fault server |')).toContain('commit-twice');
  });

  it('knows operations of a ring, what each of them takes, and names of the session', () => {
    expect(labels('sqe |')).toEqual(expect.arrayContaining(['READ', 'TIMEOUT', 'ASYNC_CANCEL', 'TEE']));
    expect(labels('sqe TIMEOUT 5ms --|')).toEqual(
      expect.arrayContaining(['--count', '--link', '--etime-success']),
    );
    expect(labels('sqe TIMEOUT 5ms --|')).not.toContain('--buffer');
    expect(labels('sqe READ a 0 4k --rw-flags |')).toContain('NOWAIT');
    expect(labels('buffer b 8k --fixed\nsqe READ_FIXED a 0 4k --buffer |')).toEqual(['b']);
    expect(labels('mkfifo p\nsqe READ |')).toEqual(expect.arrayContaining(['p', 'p.r', 'p.w']));
    expect(labels('ring --setup |')).toContain('DEFER_TASKRUN');
    expect(labels('reap |')).toEqual(['all']);
    expect(labels('open f --flags |')).toContain('DIRECT');
  });

  it('has nothing to say in a comment', () => {
    expect(labels('# ublk |')).toEqual([]);
    expect(labels('wait # |')).toEqual([]);
  });

  it('proposes settings that the parser takes', () => {
    for (const { label } of at('#: |')) {
      for (const value of labels(`#: ${label} |`)) {
        if (label === 'fault') continue;
        const { diagnostics } = parseSession(`#: ${label} ${value}\n`, '');
        expect(
          diagnostics.filter((each) => each.severity === 'error'),
          `${label} ${value}`,
        ).toEqual([]);
      }
    }
  });

  it('never throws, and replaces a part of the line that holds the cursor', () => {
    const piece = fc.constantFrom(
      'ublk ',
      'add ',
      '-t ',
      'fio ',
      '--rw=',
      '#: ',
      'fault ',
      '&',
      '\\\n',
      '\n',
      '"',
      "'",
      '$(',
      'x',
      ' ',
      '=',
      '# ',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.nat(), (pieces, n) => {
        const lines = pieces.join('').split('\n');
        const line = n % lines.length;
        const character = (lines[line]!.length * (n % 7)) % (lines[line]!.length + 1);
        for (const { start, end } of complete(lines.join('\n'), line, character, 'ublksrv-1.2', english)) {
          if (start > character || end < character || end > lines[line]!.length) return false;
        }
        hoverAt(lines.join('\n'), line, character, 'ublksrv-1.2', english);
        folds(lines.join('\n'));
        return true;
      }),
    );
  });
});

describe('hover in a session', () => {
  const hover = (text: string): string | undefined => {
    const cut = text.indexOf('|');
    const before = text.slice(0, cut).split('\n');
    return hoverAt(
      text.replace('|', ''),
      before.length - 1,
      before.at(-1)!.length,
      'ublksrv-2022-11',
      english,
    )?.text;
  };

  it('tells what commands, options, values and settings are', () => {
    expect(hover('ublk a|dd -t null')).toContain('Makes a disk');
    expect(hover('fio --io|depth=4')).toContain('Requests kept in flight');
    expect(hover('ublk add -q |2')).toContain('Hardware queues');
    expect(hover('#: se|ed 4')).toContain('Seed of every choice');
    expect(hover('#: fault server commit-|twice')).toContain('commits the request twice');
    expect(hover('ublk add -r| 1')).toContain('does not have it');
    expect(hover('sqe LINK_TIM|EOUT 5ms')).toContain('Limits the request right before it');
    expect(hover('sqe TEE p 4k q --splice-fl|ags GIFT')).toContain('belongs to `SPLICE` `TEE`');
    expect(hover('ri|ng --entries 8')).toContain('io_uring_setup');
    expect(hover('# not|hing')).toBeUndefined();
  });
});

describe('outline and folding of a session', () => {
  it('lists settings, commands and jobs of every sample by line', () => {
    for (const name of readdirSync(samples).filter((each) => each.endsWith('.ublk'))) {
      const text = readFileSync(new URL(name, samples), 'utf8');
      const items = outline(text, english);
      expect(items.map((item) => item.line)).toEqual(items.map((item) => item.line).sort((a, b) => a - b));
      expect(items.some((item) => item.name === 'ublk add' || item.name === 'sqe')).toBe(true);
      expect(items.some((item) => item.kind === 'setting' && item.name === 'kernel')).toBe(true);
    }
  });

  it('folds comment blocks, continued lines and a block below its comment', () => {
    expect(folds('# a\n# b\n\nfio \\\n --name=x\n')).toEqual([
      { start: 0, end: 1, comment: true },
      { start: 3, end: 4, comment: false },
    ]);
    expect(folds('# a\nsync\nwait\n\nwait\n')).toEqual([{ start: 0, end: 2, comment: false }]);
  });
});

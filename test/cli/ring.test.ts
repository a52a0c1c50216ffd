import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { cliUnderTest } from '../support/cli';

interface Answer {
  readonly program: string;
  readonly kernel: string;
  readonly outcomes: readonly { steps: readonly { cqes?: { user_data: string; res: number }[] }[] }[];
  readonly total?: number;
  readonly incomplete?: string;
  readonly order?: { orders?: number; pairs: readonly { first: string; second: string }[] };
  readonly schedule?: readonly object[];
  readonly forbidden?: { first: string; second: string; rules: string[] };
}

const cli = cliUnderTest();

/** A program of one submit call that takes all CQEs. */
function program(submit: readonly object[], entries = 8): string {
  const sqes = submit.map((sqe, i) => ({ user_data: String(i + 1), ...sqe }));
  return JSON.stringify({
    name: 'p',
    ring: { entries },
    files: { f: { kind: 'file', size: 6000 } },
    buffers: { b: { size: 8192 } },
    steps: [{ submit: sqes }, { reap: 'all' }],
  });
}

const read = (i: number, flags: readonly string[] = []): object => ({
  op: 'READ',
  file: 'f',
  off: i * 10,
  buf: 'b',
  buf_off: i * 10,
  len: 10,
  flags,
});
const LINKED = program([{ op: 'NOP', flags: ['IO_LINK'] }, read(0), read(1, ['ASYNC'])]);

async function ask(text: string, ...options: string[]): Promise<{ code: number | null; answer: Answer }> {
  const { code, stdout, stderr } = await cli.run(['ring', '-', ...options], { stdin: text });
  expect(stderr).toBe('');
  return { code, answer: JSON.parse(stdout) as Answer };
}

const orderOf = (outcome: Answer['outcomes'][number]): string[] =>
  outcome.steps.flatMap((step) => step.cqes ?? []).map((cqe) => cqe.user_data);

describe('ring', () => {
  beforeAll(() => {
    writeFileSync(join(cli.folder(), 'p.json'), LINKED);
  });

  test('--session prints a program as a session, which is the same program', async () => {
    const { code, stdout } = await cli.run(['ring', 'p.json', '--session']);
    expect(code).toBe(0);
    expect(stdout).toContain('sqe NOP --link --user-data 1\n');
    writeFileSync(join(cli.folder(), 'p.ublk'), stdout);
    const answer = async (file: string): Promise<Answer> =>
      JSON.parse((await cli.run(['ring', file, '--all'])).stdout) as Answer;
    expect(await answer('p.ublk')).toEqual(await answer('p.json'));
    const run = await cli.run(['run', 'p.ublk', '-o', 'p.ublktrace']);
    expect([run.code, run.stderr]).toEqual([0, expect.stringContaining('cqe user_data=0x1 res=0')]);
    const shown = await cli.run(['check', 'p.ublktrace']);
    expect(shown.code).toBe(0);
  });

  test('a session tells where it is wrong', async () => {
    const wrong = async (text: string, command: string): Promise<[number | null, string]> => {
      writeFileSync(join(cli.folder(), 'w.ublk'), text);
      const { code, stderr } = await cli.run([command, 'w.ublk']);
      return [code, stderr];
    };
    const opened = '#: kernel 6.18\nsqe NOP\nsqe 18 --addr 4096\nsubmit\n';
    for (const command of ['run', 'ring']) {
      expect(await wrong(opened, command)).toEqual([2, expect.stringMatching(/^w\.ublk:3:1: opcode 18/)]);
      expect(await wrong('sqe TIMEOUT -5\n', command)).toEqual([2, expect.stringMatching(/^w\.ublk:1:13: /)]);
      const ring = 'ring --entries 8 --cq-entries 4\nsqe NOP\nsubmit\n';
      expect(await wrong(ring, command)).toEqual([
        2,
        expect.stringMatching(/^w\.ublk:1:31: .*fewer CQ entries/),
      ]);
    }
    expect(await wrong('ublk add -t null\nsqe TIMEOUT 5ms\nsubmit\n', 'run')).toEqual([
      2,
      expect.stringMatching(
        /^w\.ublk:2:5: sqe: TIMEOUT is simulated in a session that has only files, pipes and a ring; line 1 has ublk/,
      ),
    ]);
  });

  test('help has the options of the contract', async () => {
    const { code, stdout } = await cli.run(['ring', '--help']);
    expect(code).toBe(0);
    for (const option of ['--kernel P', '--all', '--order', '-o, --output']) expect(stdout).toContain(option);
    expect(stdout).not.toContain('--profile');
  });

  test.each(['6.1', '6.12', '6.18', '7.3'])('--kernel %s answers for that kernel', async (kernel) => {
    const { code, answer } = await ask(LINKED, '--kernel', kernel);
    expect(code).toBe(0);
    expect(answer).toMatchObject({ program: 'p', kernel });
    expect(orderOf(answer.outcomes[0]!).sort()).toEqual(['1', '2', '3']);
  });

  test('-o does not replace the program, nor any file that a command reads', async () => {
    const session = '#: kernel 6.1\nublk add -t null\n';
    writeFileSync(join(cli.folder(), 'same.ublk'), session);
    symlinkSync('p.json', join(cli.folder(), 'other-name.json'));
    const refused = { code: 2, stdout: '' };
    const stderr = expect.stringMatching(/^\S+:1:1: the output would replace the file that is read\n$/);
    for (const args of [
      ['ring', 'p.json', '-o', './p.json'],
      ['ring', 'p.json', '-o', 'other-name.json'],
      ['run', 'same.ublk', '-o', 'same.ublk'],
    ])
      expect({ args, ...(await cli.run(args)) }).toMatchObject({ ...refused, stderr });
    expect(readFileSync(join(cli.folder(), 'p.json'), 'utf8')).toBe(LINKED);
    expect(readFileSync(join(cli.folder(), 'same.ublk'), 'utf8')).toBe(session);
  });

  test('the default kernel is 6.18; a file and stdin give the same bytes', async () => {
    const [file, stdin] = await Promise.all([
      cli.run(['ring', 'p.json', '--json']),
      cli.run(['ring', '-'], { stdin: LINKED }),
    ]);
    expect(JSON.parse(file.stdout)).toMatchObject({ kernel: '6.18' });
    expect(file).toEqual(stdin);
  });

  test.each([
    [['--kernel', '6.17'], /^ublk-trace: kernel '6\.17' is unknown.*6\.1, 6\.12, 6\.18, 7\.3\n$/],
    [['--order', '1,x'], /^ublk-trace: --order needs user_data separated by commas, such as .*, not 'x'\n$/],
    [['--order', '1,99'], /^ublk-trace: --order: no SQE has the user_data 99\n$/],
    [['--profile', '6.18'], /^ublk-trace: ring has no option '--profile'/],
  ])('%j is refused', async (options, message) => {
    const { code, stdout, stderr } = await cli.run(['ring', 'p.json', ...options]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });

  test.each([
    [
      'unknown op',
      program([{ op: 'REED' }]),
      /^<stdin>:1:\d{3}: unknown op "REED"; did you mean 'READ'\?\n$/,
    ],
    ['unknown file', program([{ ...read(0), file: 'g' }]), /^<stdin>:1:\d{3}: no file "g"/],
    [
      '70,000 SQEs',
      program(Array.from({ length: 70_000 }, () => ({ op: 'NOP' }))),
      /^<stdin>:1:\d+: the SQ has 8 entries, 70000 SQEs do not fit\n$/,
    ],
    [
      'a negative length',
      program([{ ...read(0), len: -1 }]),
      /^<stdin>:1:\d{3}: len must not be negative\n$/,
    ],
    ['a duplicate key', '{\n  "name": "a",\n  "name": "b"\n}', /^<stdin>:3:3: duplicate key "name"\n$/],
    ['no JSON', '{\n  "name": x\n}', /^<stdin>:2:11: expected a value/],
    ['nothing', '', /^<stdin>:1:1: /],
    ['no text', '\u0000\u0001\u0002', /^<stdin>:1:1: this is not a text file/],
  ])('%s is told with its place, exit 2', async (_name, text, message) => {
    const { code, stdout, stderr } = await cli.run(['ring', '-'], { stdin: text });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });

  test('a file that is not there', async () => {
    expect(await cli.run(['ring', 'none.json'])).toEqual({
      code: 2,
      stdout: '',
      stderr: 'none.json:1:1: no such file or folder\n',
    });
  });

  test('--order gives a schedule with the order, or the rule against it and exit 1', async () => {
    const possible = await ask(LINKED, '--order', '3,2');
    expect(possible.code).toBe(0);
    const order = orderOf(possible.answer.outcomes[0]!);
    expect(order.indexOf('3')).toBeLessThan(order.indexOf('2'));
    expect(possible.answer.schedule?.length).toBeGreaterThan(0);
    const forbidden = await ask(LINKED, '--order', '2,1');
    expect(forbidden.code).toBe(1);
    expect(forbidden.answer.forbidden).toMatchObject({ first: '1', second: '2', rules: ['chain-order'] });
  });

  test('--all gives every outcome, their number, and the rule of each pair', async () => {
    const { code, answer } = await ask(LINKED, '--all');
    expect(code).toBe(0);
    expect(answer.total).toBe(answer.outcomes.length);
    expect(answer.incomplete).toBeUndefined();
    expect(new Set(answer.outcomes.map((outcome) => orderOf(outcome).join())).size).toBe(answer.total);
    expect(answer.order?.pairs).toContainEqual({ first: '1', second: '2', guaranteed: ['chain-order'] });
    expect((await ask(LINKED)).answer.outcomes).toEqual(answer.outcomes.slice(0, 1));
  });

  test('8 independent requests have 8! orders, of which 1,000 are printed', async () => {
    const async = program(Array.from({ length: 8 }, (_, i) => read(i, ['ASYNC'])));
    const { answer } = await ask(async, '--all');
    expect(answer).toMatchObject({ total: 40_320, order: { orders: 40_320 } });
    expect(answer.incomplete).toBeUndefined();
    expect(answer.outcomes).toHaveLength(1000);
    expect(new Set(answer.outcomes.map((outcome) => orderOf(outcome).join())).size).toBe(1000);
  });

  test('-o writes the trace beside its name and renames it; a refused program leaves the old one', async () => {
    const folder = join(cli.folder(), 'o');
    mkdirSync(folder);
    const file = join(folder, 't.ublktrace');
    expect((await cli.run(['ring', 'p.json', '-o', file])).code).toBe(0);
    const trace = readFileSync(file, 'utf8');
    expect(trace.match(/io_uring_complete/g)).toHaveLength(3);
    expect((await cli.run(['ring', '-', '-o', file], { stdin: program([{ op: 'REED' }]) })).code).toBe(2);
    expect(readdirSync(folder)).toEqual(['t.ublktrace']);
    expect(readFileSync(file, 'utf8')).toBe(trace);
  });
});

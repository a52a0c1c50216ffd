import type { DebugProtocol } from '@vscode/debugprotocol';
import { describe, expect, test } from 'vitest';
import { compileFilter } from '../../src/debug/filter';
import { pathProblem } from '../../src/debug/state_schema';
import { readPath, statePaths } from '../../src/trace/state';
import { Client, testHost } from './client';

const PROGRAM = 'test/fixtures/dap/loop-zc.ublktrace.gz';

async function started(): Promise<Client> {
  const client = new Client(testHost());
  await client.start({ program: PROGRAM });
  return client;
}

async function value(client: Client, expression: string): Promise<string> {
  return (await client.ask<{ result: string }>('evaluate', { expression, context: 'watch' })).result;
}

async function breakpoint(
  client: Client,
  command: 'setDataBreakpoints' | 'setFunctionBreakpoints',
  args: object,
): Promise<DebugProtocol.Breakpoint> {
  const body = await client.ask<{ breakpoints: DebugProtocol.Breakpoint[] }>(command, {
    breakpoints: [args],
  });
  return body.breakpoints[0];
}

test('a known field without a value here is unknown, not false', async () => {
  const client = await started();
  for (const name of ['latency', 'tag', 'q', 'op'])
    expect(await value(client, name)).toBe('? (no request here)');
  expect(await value(client, 'opcode')).toBe('? (this event has no opcode)');
  expect((await client.send('evaluate', { expression: 'latncy' })).message).toContain("'latency'");
});

describe('paths of state variables', () => {
  test('every path of a state is one that may be', async () => {
    const { open } = await testHost().open(
      { program: PROGRAM },
      { progress: () => {}, cancelled: () => false },
    );
    for (let event = 0; event < open.length; event += 97)
      for (const path of statePaths(open.states.at(event))) expect(pathProblem(path)).toBeUndefined();
  });

  test.each([
    ['slot:0:0:nosuch', "a slot has no 'nosuch'"],
    ['slot:0:0:stat', "did you mean 'state'"],
    ['slot:0:state', 'write slot:QUEUE:TAG:state'],
    ['slto:0:0:state', "did you mean 'slot'"],
    ['disk:nvme:inFlight.count', 'write disk:MAJOR,MINOR'],
  ])('%s can never exist', async (dataId, says) => {
    const answer = await breakpoint(await started(), 'setDataBreakpoints', { dataId });
    expect(answer.verified).toBe(false);
    expect(answer.message).toContain(says);
  });

  test('one that never changes says so once that is known, and only that one', async () => {
    const client = await started();
    const dataIds = ['slot:0:99:state', 'ring:0:cq.tail'];
    const { breakpoints } = await client.ask<{ breakpoints: DebugProtocol.Breakpoint[] }>(
      'setDataBreakpoints',
      { breakpoints: dataIds.map((dataId) => ({ dataId })) },
    );
    expect(breakpoints.map(({ verified }) => verified)).toEqual([true, true]);
    const { body } = await client.event('breakpoint');
    expect(body).toMatchObject({
      reason: 'changed',
      breakpoint: { id: breakpoints[0].id, verified: false, message: 'never changes in this trace' },
    });
    expect((await client.move('continue')).reason).toBe('data breakpoint');
    expect(client.messages.filter((m) => JSON.stringify(m).includes('never changes')).length).toBe(1);
  });

  test('a field alone means the only thing that has it, else the answer tells how to write which', async () => {
    const client = await started();
    const { breakpoints } = await client.ask<{ breakpoints: DebugProtocol.Breakpoint[] }>(
      'setFunctionBreakpoints',
      { breakpoints: [{ name: 'cq.tail' }, { name: 'iod.op' }] },
    );
    const [ring, slot] = breakpoints;
    expect([ring.verified || ring.message?.startsWith('which cq.tail? write ring:')]).toEqual([true]);
    expect(slot).toMatchObject({ verified: false });
    expect(slot.message).toMatch(/^which iod\.op\? write slot:/);
    expect((await client.send('evaluate', { expression: 'iod.startSector' })).message).toMatch(/^which iod/);
  });

  test('conditions compare them as the state has them', async () => {
    const { open } = await testHost().open(
      { program: PROGRAM },
      { progress: () => {}, cancelled: () => false },
    );
    const test = compileFilter('slot:0:2:request == delivered', open.trace).events(open);
    const more = compileFilter('ring:0:cq.tail > 3', open.trace).events(open);
    let held = 0;
    for (let event = 0; event < open.length; event += 7) {
      const state = open.states.at(event);
      expect(test(event)).toBe(readPath(state, 'slot:0:2:request') === 'delivered');
      expect(more(event)).toBe(Number(readPath(state, 'ring:0:cq.tail') ?? 0) > 3);
      if (test(event)) held++;
    }
    expect(held).toBeGreaterThan(0);
    expect(() => compileFilter('slot:0:2:reqest == delivered')).toThrow("did you mean 'request'");
  });

  test('slot: is completed where no slot is yet', async () => {
    const client = await started();
    const { targets } = await client.ask<{ targets: { label: string }[] }>('completions', {
      text: 'slot:',
      column: 6,
    });
    expect(targets.map(({ label }) => label)).toContain('slot:0:0:state');
  });
});

test.each([
  ['opcode == SPLCE', 'SPLICE'],
  ['op == REED', 'READ'],
  ['path == splise', 'splice'],
  ['name == ublk_queue_rqq', 'ublk_queue_rq'],
  ['status != don', 'done'],
])('%s is refused', async (condition, meant) => {
  const client = await started();
  const answer = await breakpoint(client, 'setFunctionBreakpoints', { name: 'io_uring_complete', condition });
  expect(answer.verified).toBe(false);
  expect(answer.message).toContain(`did you mean '${meant}'`);
});

test('a value that is like none of a short list names the list', () => {
  expect(() => compileFilter('path == zerocopy')).toThrow(/it is one of copy, get-data/);
});

describe('log messages', () => {
  test.each([
    ['{latncy}', "did you mean 'latency'"],
    ['{slot:0:0:nosuch}', "a slot has no 'nosuch'"],
    ['{}', 'nothing to evaluate'],
    ['{op == }', 'expected a value'],
  ])('%s is wrong', async (logMessage, says) => {
    const answer = await breakpoint(await started(), 'setFunctionBreakpoints', {
      name: 'ublk_queue_rq',
      logMessage,
    });
    expect(answer.verified).toBe(false);
    expect(answer.message).toContain(says);
  });

  test('braces behind a backslash stand for themselves', async () => {
    const client = await started();
    const logMessage = 'a \\{tag\\} \\\\ {name}';
    const answer = await breakpoint(client, 'setFunctionBreakpoints', { name: 'ublk_queue_rq', logMessage });
    expect(answer.verified).toBe(true);
    await client.move('continue');
    expect(client.messages.some((m) => JSON.stringify(m).includes('a {tag} \\\\ ublk_queue_rq\\n'))).toBe(
      true,
    );
  });
});

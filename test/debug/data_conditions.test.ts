import { expect, test } from 'vitest';
import { readPath } from '../../src/trace/state';
import { Client, testHost } from './client';

const SAMPLE = { program: 'samples/loop-zc.ublk' };

test.each([
  ['setDataBreakpoints', 'slot:0:3:state', 'state == OWNED', 'OWNED'],
  ['setDataBreakpoints', 'slot:0:3:state', 'value == owned', 'OWNED'],
  ['setDataBreakpoints', 'slot:0:3:state', 'slot:0:3:state == OWNED', 'OWNED'],
  ['setDataBreakpoints', 'slot:0:3:state', '!(value != OWNED) && event > 0', 'OWNED'],
  ['setDataBreakpoints', 'ring:1:cq.tail', 'cq.tail == 17', 17],
  ['setFunctionBreakpoints', 'slot:0:3:state', 'value == OWNED', 'OWNED'],
])('%s: %s with %s stops where the watched variable becomes so', async (command, path, condition, wanted) => {
  const host = testHost();
  const { open } = await host.open(SAMPLE, { progress: () => {}, cancelled: () => false });
  const became = Array.from({ length: open.length }, (_, i) => i).filter(
    (i) => readPath(open.states.at(i), path) === wanted && readPath(open.states.at(i - 1), path) !== wanted,
  );
  expect(became.length).toBeGreaterThan(0);
  const client = new Client({ ...host, open: async () => ({ open }) });
  await client.start(SAMPLE);
  const breakpoint = { ...(command === 'setDataBreakpoints' ? { dataId: path } : { name: path }), condition };
  expect(await client.ask(command, { breakpoints: [breakpoint] })).toMatchObject({
    breakpoints: [{ verified: true }],
  });
  const stops: number[] = [];
  while ((await client.move('continue')).reason === 'data breakpoint')
    stops.push((await client.where()).event);
  expect(stops).toEqual(became);
});

test('another variable keeps its name, and what is no variable is refused with its column', async () => {
  const client = new Client(testHost());
  await client.start(SAMPLE);
  const answer = await client.ask('setDataBreakpoints', {
    breakpoints: [
      { dataId: 'slot:0:3:state', condition: 'ring:1:cq.tail > 5' },
      { dataId: 'slot:0:3:state', condition: 'stat == OWNED' },
      { dataId: 'slot:0:3:stat', condition: 'value == OWNED' },
    ],
  });
  expect(answer).toMatchObject({
    breakpoints: [
      { verified: true },
      { verified: false, message: expect.stringMatching(/^condition, column 1: unknown field 'stat'/) },
      { verified: false, message: expect.stringContaining("a slot has no 'stat'") },
    ],
  });
});

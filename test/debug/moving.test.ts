import { describe, expect, test, vi } from 'vitest';
import type { OpenTrace } from '../../src/debug/model';
import { Client, type Stop, testHost } from './client';

const SESSION = `#: kernel 6.1
truncate -s 16M disk.img
ublk add -t loop -f disk.img -q 1 -d 4
fio --name=j --filename=/dev/ublkb0 --direct=1 --ioengine=libaio --rw=randread --bs=4k --iodepth=4 --number_ios=200
`;
/** A data breakpoint on it makes a search replay the whole trace. */
const RARE = { dataId: 'device:0:state' };

/** A client whose search stands still in its first pause until it is let go. */
async function searching(): Promise<{ client: Client; open: OpenTrace; letGo: () => Promise<void> }> {
  const host = testHost({ texts: { 'long.ublk': SESSION } });
  const waiting: (() => void)[] = [];
  let held = false;
  let open: OpenTrace | undefined;
  const client = new Client({
    ...host,
    pause: () => (held ? new Promise((resolve) => waiting.push(resolve)) : host.pause()),
    open: async (args, work) => {
      const opened = await host.open(args, work);
      open = opened.open;
      return opened;
    },
  });
  await client.start({ program: 'long.ublk' });
  if (open === undefined) throw new Error('nothing was opened');
  await client.move('ublk-goto', { event: 3000 });
  await client.ask('setDataBreakpoints', { breakpoints: [RARE] });
  held = true;
  await client.ask('continue', { threadId: 1 });
  expect(waiting.length).toBeGreaterThan(0);
  const letGo = async (): Promise<void> => {
    held = false;
    for (const go of waiting.splice(0)) go();
    await new Promise((resolve) => setTimeout(resolve, 50));
  };
  return { client, open, letGo };
}

function stopsOf(client: Client, from: number): Stop[] {
  return client.messages
    .slice(from)
    .flatMap((m) => ('event' in m && m.event === 'stopped' && 'body' in m ? [m.body as Stop] : []));
}

describe('moving while a search runs', () => {
  test.each([
    ['next', { threadId: 1 }, 3001, 'step'],
    ['ublk-step', { kind: 'first', threadId: 1 }, 0, 'goto'],
    ['ublk-goto', { event: 40 }, 40, 'goto'],
    ['goto', { threadId: 1, targetId: 41 }, 41, 'goto'],
  ])('%s ends the search: one stop, and the cursor is where the person moved it', async (...row) => {
    const [command, args, event, reason] = row;
    const { client, letGo } = await searching();
    const said = client.messages.length;
    await client.ask(command, args);
    await letGo();
    expect(stopsOf(client, said)).toMatchObject([{ reason }]);
    expect((await client.where()).event).toBe(event);
  });

  test('a click in another view ends it too', async () => {
    const { client, open, letGo } = await searching();
    const said = client.messages.length;
    open.cursor.move(77, undefined, 'timeline');
    await letGo();
    expect(stopsOf(client, said)).toMatchObject([{ reason: 'goto', text: 'moved in another view' }]);
    expect((await client.where()).event).toBe(77);
  });

  test('the way back takes the place of the way there', async () => {
    const { client, letGo } = await searching();
    const said = client.messages.length;
    await client.ask('reverseContinue', { threadId: 1 });
    await letGo();
    const stops = stopsOf(client, said);
    expect(stops.length).toBe(1);
    expect((await client.where()).event).toBeLessThan(3000);
  });

  test('what follows the move searches again', async () => {
    const { client, letGo } = await searching();
    const said = client.messages.length;
    await client.ask('ublk-goto', { event: 40 });
    await client.ask('continue', { threadId: 1 });
    await letGo();
    expect(stopsOf(client, said)).toMatchObject([{ reason: 'goto' }, { reason: 'data breakpoint' }]);
    expect((await client.where()).event).not.toBe(40);
  });
});

describe('dear log messages and conditions', () => {
  /** What is said while a clock runs that goes on by 5 ms whenever it is read; `pause` between two of them. */
  async function said(slow: boolean, command: string, breakpoint: object): Promise<string[]> {
    const host = testHost({ texts: { 'long.ublk': SESSION } });
    const list: string[] = [];
    const client = new Client({
      ...host,
      pause: async () => {
        list.push('pause');
      },
    });
    await client.start({ program: 'long.ublk' });
    await client.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'ublk_queue_rq', ...breakpoint }] });
    if (command === 'reverseContinue') await client.move('ublk-step', { kind: 'last', threadId: 1 });
    client.session.onDidSendMessage((message) => {
      if ('event' in message && ['output', 'stopped'].includes(`${message.event}`))
        list.push(JSON.stringify('body' in message && message.body));
    });
    list.length = 0;
    let now = 0;
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => {
      if (slow) now += 5;
      return now;
    });
    try {
      await client.move(command);
    } finally {
      clock.mockRestore();
    }
    return list;
  }

  test.each([
    ['continue', { logMessage: '{slot:0:3:state}' }],
    ['reverseContinue', { logMessage: '{slot:0:3:state}' }],
    ['continue', { condition: 'slot:0:3:state == NOTHING' }],
    ['continue', { condition: 'slot:0:3:state ~ o', hitCondition: '>= 100' }],
  ])('%s with %o lets others run whenever time is up, and says the same', async (command, breakpoint) => {
    const quick = await said(false, command, breakpoint);
    const slow = await said(true, command, breakpoint);
    const words = (list: string[]): string[] => list.filter((each) => each !== 'pause');
    expect(words(slow)).toEqual(words(quick));
    expect(slow.filter((each) => each === 'pause').length).toBeGreaterThanOrEqual(200);
    const isLog = (each: string | undefined): boolean => each?.includes('"category":"console"') === true;
    expect(slow.some((each, k) => isLog(each) && isLog(slow[k + 1]))).toBe(false);
  });
});

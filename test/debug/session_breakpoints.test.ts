import type { DebugProtocol } from '@vscode/debugprotocol';
import { describe, expect, test } from 'vitest';
import { readPath } from '../../src/trace/state';
import { Client, testHost } from './client';
import { SAMPLE, started } from './sample';

describe('breakpoints', () => {
  test('the same stops forwards and backwards', async () => {
    const client = await started();
    await client.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'ublk_queue_rq' }] });
    await client.ask('setDataBreakpoints', { breakpoints: [{ dataId: 'slot:0:2:state' }] });
    const forward: number[] = [];
    for (;;) {
      const { reason } = await client.move('continue');
      if (reason === 'pause') break;
      forward.push((await client.where()).event);
    }
    const backward: number[] = [];
    for (;;) {
      const { reason } = await client.move('reverseContinue');
      if (reason === 'entry') break;
      backward.push((await client.where()).event);
    }
    expect(forward.length).toBeGreaterThan(20);
    expect(backward.reverse()).toEqual(forward);
  });

  test('data breakpoints stop at exactly the events that change the value', async () => {
    const host = testHost();
    const { open } = await host.open(SAMPLE, { progress: () => {}, cancelled: () => false });
    for (const path of [
      'slot:0:1:iod.startSector',
      'ring:1:cq.tail',
      'pipe:0:occupancy',
      'totals::splices',
    ]) {
      const wanted: number[] = [];
      for (let i = 0; i < open.length; i++) {
        if (readPath(open.states.at(i), path) !== readPath(open.states.at(i - 1), path)) wanted.push(i);
      }
      const client = new Client({ ...host, open: async () => ({ open }) });
      await client.start(SAMPLE);
      // the tree adds them as function breakpoints, which is all that the API of VS Code can add
      await client.ask('setFunctionBreakpoints', { breakpoints: [{ name: path }] });
      const stops: number[] = [];
      while ((await client.move('continue')).reason === 'data breakpoint')
        stops.push((await client.where()).event);
      expect(stops).toEqual(wanted);
      expect(stops.length).toBeGreaterThan(3);
      while ((await client.move('reverseContinue')).reason === 'data breakpoint')
        stops.push((await client.where()).event);
      expect(stops.slice(wanted.length)).toEqual(wanted.reverse());
    }
  });

  test('hit counts mean the same in both directions', async () => {
    const client = await started();
    await client.ask('setFunctionBreakpoints', {
      breakpoints: [{ name: 'ublk_queue_rq', hitCondition: '3' }],
    });
    const { reason } = await client.move('continue');
    expect(reason).toBe('function breakpoint');
    const { event } = await client.where();
    expect((await client.move('continue')).text).toBe('end of trace');
    await client.move('reverseContinue');
    expect((await client.where()).event).toBe(event);
  });

  test('wrong conditions, names and data ids are told', async () => {
    const client = await started();
    const ask = async (command: string, breakpoint: object): Promise<string> => {
      const { breakpoints } = await client.ask<{ breakpoints: DebugProtocol.Breakpoint[] }>(command, {
        breakpoints: [breakpoint],
      });
      expect(breakpoints[0].verified).toBe(false);
      return breakpoints[0].message ?? '';
    };
    expect(await ask('setFunctionBreakpoints', { name: 'ublk_queue_rq', condition: 'tga == 3' })).toContain(
      "column 1: unknown field 'tga'; did you mean 'tag'?",
    );
    expect(await ask('setFunctionBreakpoints', { name: 'ublk_queue' })).toContain('did you mean');
    expect(await ask('setFunctionBreakpoints', { name: 'ublk_queue_rq', hitCondition: 'x' })).toContain(
      'hit count',
    );
    expect(await ask('setDataBreakpoints', { dataId: 'nothing' })).toContain('no state variable');
  });

  test('a data breakpoint on any leaf stops where it changes', async () => {
    const client = await started();
    await client.move('ublk-goto', { event: 300 });
    const again = await client.ask<{ stackFrames: DebugProtocol.StackFrame[] }>('stackTrace', {
      threadId: 1,
    });
    const { scopes } = await client.ask<{ scopes: DebugProtocol.Scope[] }>('scopes', {
      frameId: again.stackFrames[0].id,
    });
    const slots = scopes.find((s) => s.name === 'Slots')!;
    const { variables } = await client.ask<{ variables: DebugProtocol.Variable[] }>('variables', slots);
    const slot = variables.find((v) => v.name === 'q0 tag 2')!;
    await client.ask('variables', slot);
    const info = await client.ask('dataBreakpointInfo', {
      variablesReference: slot.variablesReference,
      name: 'state',
    });
    expect(info).toMatchObject({ dataId: 'slot:0:2:state', canPersist: true });
    await client.ask('setDataBreakpoints', { breakpoints: [{ dataId: info.dataId }] });
    const before = await client.ask('evaluate', { expression: 'slot:0:2:state' });
    const stop = await client.move('continue');
    expect(stop.reason).toBe('data breakpoint');
    expect(await client.ask('evaluate', { expression: 'slot:0:2:state' })).not.toEqual(before);
  });
});

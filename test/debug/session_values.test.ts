import type { DebugProtocol } from '@vscode/debugprotocol';
import { describe, expect, test } from 'vitest';
import { started } from './sample';

describe('evaluate and memory', () => {
  test('bytes of the SQE are those that user space filled', async () => {
    const client = await started();
    await client.ask('setFunctionBreakpoints', {
      breakpoints: [{ name: 'io_uring_submit_sqe', condition: 'opcode == SPLICE' }],
    });
    const { threadId } = await client.move('continue');
    const sqe = (await client.scope('SQE', threadId, 2)) as Record<
      string,
      [string, Record<string, string>] | string
    >;
    expect(sqe.opcode).toBe('SPLICE');
    const [size, fields] = sqe.bytes as [string, Record<string, string>];
    expect(size).toBe('64 bytes');
    expect(fields['000 opcode']).toMatch(/^30 SPLICE/);
    expect(Object.keys(fields)).toContain('028 splice_flags');
    const { stackFrames } = await client.ask<{ stackFrames: DebugProtocol.StackFrame[] }>('stackTrace', {
      threadId,
    });
    const { scopes } = await client.ask<{ scopes: DebugProtocol.Scope[] }>('scopes', {
      frameId: stackFrames[0].id,
    });
    const { variables } = await client.ask<{ variables: DebugProtocol.Variable[] }>('variables', scopes[1]);
    const memoryReference = variables.find((v) => v.name === 'bytes')?.memoryReference;
    const { data } = await client.ask<{ data: string }>('readMemory', {
      memoryReference,
      offset: 0,
      count: 64,
    });
    const bytes = Buffer.from(data, 'base64');
    expect(bytes.length).toBe(64);
    expect(bytes[0]).toBe(30);
    const data32 = `0x${bytes.readBigUInt64LE(32).toString(16)}`;
    expect(sqe.user_data).toMatch(
      new RegExp(`^${data32} \\(tag \\d+, op (READ|WRITE), tgt 0, backend I/O\\)$`),
    );
    const beyond = await client.ask('readMemory', { memoryReference, offset: 60, count: 8 });
    expect(beyond).toMatchObject({ unreadableBytes: 4 });
  });

  test('changed values carry what they were', async () => {
    const client = await started();
    await client.ask('setDataBreakpoints', { breakpoints: [{ dataId: 'slot:0:2:state' }] });
    const { threadId } = await client.move('continue');
    const slots = (await client.scope('Slots', threadId, 1)) as Record<
      string,
      [string, Record<string, string>]
    >;
    expect(slots['q0 tag 2'][0]).toContain('changed');
    expect(slots['q0 tag 2'][1].state).toMatch(/ACTIVE \((was \S+|new)\)/);
  });

  test('completions of the console', async () => {
    const client = await started();
    const { targets } = await client.ask<{ targets: DebugProtocol.CompletionItem[] }>('completions', {
      text: 'op == R',
      column: 8,
    });
    expect(targets).toMatchObject([{ label: 'READ', start: 7, length: 1 }]);
    await client.move('ublk-goto', { event: 300 });
    const paths = await client.ask<{ targets: DebugProtocol.CompletionItem[] }>('completions', {
      text: 'slot:0:2:st',
      column: 12,
    });
    expect(paths.targets.map((t) => t.label)).toContain('slot:0:2:state');
    const labels = async (text: string): Promise<string[]> => {
      const args = { text, column: text.length + 1 };
      const { targets: found } = await client.ask<{ targets: DebugProtocol.CompletionItem[] }>(
        'completions',
        args,
      );
      return found.map((t) => t.label);
    };
    expect(await labels('sl')).toEqual(['slot:']);
    expect(await labels('op == READ && p')).toEqual(expect.arrayContaining(['path', 'pipe:', 'page:']));
    expect(await labels('latency > sl')).toEqual([]);
  });

  test('the console counts what a filter finds; errors name the column', async () => {
    const client = await started();
    const { result } = await client.ask('evaluate', {
      expression: 'op == READ && length >= 64k',
      context: 'repl',
    });
    expect(result).toMatch(/^false here; [1-9]\d* of \d+ requests, \d+ of \d+ events$/);
    await expect(client.ask('evaluate', { expression: 'tag ==', context: 'repl' })).rejects.toThrow(
      'column 7',
    );
  });
});

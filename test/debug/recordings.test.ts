import type { DebugProtocol } from '@vscode/debugprotocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { STEP_KINDS } from '../../src/debug/steps';
import { listRecordings } from '../support/oracle';
import { Client, testHost } from './client';

/** Expands everything below a reference; returns how many variables there are. */
async function expand(client: Client, variablesReference: number, depth: number): Promise<number> {
  const { variables } = await client.ask<{ variables: DebugProtocol.Variable[] }>('variables', {
    variablesReference,
  });
  let count = variables.length;
  expect(new Set(variables.map((v) => v.name)).size).toBe(count);
  for (const variable of variables) {
    if (variable.variablesReference > 0 && depth > 0) {
      count += await expand(client, variable.variablesReference, depth - 1);
    }
    if (variable.evaluateName === undefined) continue;
    // a path that is offered for watching has the value that is shown
    const { result } = await client.ask<{ result: string }>('evaluate', {
      expression: variable.evaluateName,
    });
    expect(variable.value === result || variable.value.startsWith(`${result} (`)).toBe(true);
  }
  return count;
}

test('any steps through any recording; every scope can be opened everywhere', async () => {
  const host = testHost();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...listRecordings()),
      fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(...STEP_KINDS)), {
        minLength: 1,
        maxLength: 4,
      }),
      async (name, steps) => {
        const client = new Client(host);
        await client.start({ program: `test/fixtures/oracle/${name}/trace.txt.gz` });
        await client.move('continue');
        const { event: last } = await client.where();
        for (const [at, kind] of steps) {
          await client.move('ublk-goto', { event: Math.floor(at * last) });
          const before = await client.where();
          const { threadId } = await client.move('ublk-step', { kind, threadId: before.threadId });
          const { threads } = await client.ask<{ threads: DebugProtocol.Thread[] }>('threads');
          expect(threads.map((t) => t.id)).toContain(threadId);
          const { stackFrames } = await client.ask<{ stackFrames: DebugProtocol.StackFrame[] }>(
            'stackTrace',
            { threadId },
          );
          expect(stackFrames.length).toBeGreaterThan(0);
          expect(stackFrames.every((f) => f.source !== undefined && f.line > 0)).toBe(true);
          const { scopes } = await client.ask<{ scopes: DebugProtocol.Scope[] }>('scopes', {
            frameId: stackFrames[0].id,
          });
          for (const { variablesReference } of scopes) {
            expect(await expand(client, variablesReference, 3)).toBeGreaterThan(0);
          }
        }
        await client.ask('disconnect');
      },
    ),
    { numRuns: 15 },
  );
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fuzzer, runInput } from '../support/fuzz';

test('2,000 damaged traces and sessions each end in a result or a clear error', async () => {
  const fuzzer = new Fuzzer();
  const failures: string[] = [];
  const seen = { read: 0, refused: 0 };
  for (let index = 0; index < 2000; index++) {
    const input = fuzzer.input(1, index);
    try {
      seen[await runInput(input)]++;
    } catch (error) {
      failures.push(
        `seed 1 input ${index} (${input.target}: ${input.mutations.join(', ')}): ${String(error)}`,
      );
    }
  }
  expect(failures).toEqual([]);
  // Both ends must be met, or the inputs are too tame or too wild to test anything.
  expect(seen.read).toBeGreaterThan(200);
  expect(seen.refused).toBeGreaterThan(200);
});

test('an input is made again from its seed and number', () => {
  const [a, b] = [new Fuzzer().input(7, 123), new Fuzzer().input(7, 123)];
  expect(a).toEqual(b);
  expect(new Fuzzer().input(8, 123).bytes).not.toEqual(a.bytes);
});

test('bytes without any sense are refused or read, too', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 6000 }),
      fc.constantFrom('trace', 'session'),
      async (bytes, target) => {
        await runInput({ target, bytes });
      },
    ),
    { numRuns: 200 },
  );
});

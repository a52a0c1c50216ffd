import { expect, test } from 'vitest';
import { cliUnderTest } from '../support/cli';

const conformance = cliUnderTest('src/cli/conformance.ts');

test.each(['--help', '-h'])('conformance %s says what it takes', async (option) => {
  const { code, stdout, stderr } = await conformance.run([option]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  for (const word of ['--live', '--runs N', '--write', '--help']) expect(stdout).toContain(`  ${word} `);
});

test('conformance refuses what it does not take', async () => {
  const { code, stderr } = await conformance.run(['--lives']);
  expect(code).toBe(2);
  expect(stderr).toContain('--lives');
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RING_COMMANDS, SQE_OPERANDS } from '../../src/session/option_ring';

const PAGE = readFileSync(join(__dirname, '../../docs/sessions.md'), 'utf8');

test('the page of rings names every command, every operation and every option that is no shorthand', () => {
  for (const { name, options } of RING_COMMANDS) {
    expect(PAGE).toContain(`\`${name}`);
    for (const option of options) {
      if (option.type === 'flag' && option.ops !== undefined) continue;
      if (
        ['direct', 'timeout', 'target', 'off', 'off-in', 'len', 'poll-events', 'buffer-select'].includes(
          option.name,
        )
      )
        continue;
      expect(PAGE, name).toContain(`--${option.long![0]}`);
    }
  }
  for (const op of SQE_OPERANDS.keys()) expect(PAGE).toContain(`\`${op}\``);
});

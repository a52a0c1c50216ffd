import { writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { diffLines, lifeScore } from './score';
test('life', () => {
  let out = '';
  for (const s of lifeScore('k6.1-life-loop-ublksrvold-q1d4')) {
    console.log("R", s.phase, s.role, s.equal, s.recorded.length, s.simulated.length);
    if (!s.equal) out += `\n# ${s.phase} ${s.role}\n${diffLines(s.recorded, s.simulated).join('\n')}\n`;
  }
  writeFileSync('/tmp/life.txt', out);
});

import { writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { diffLines, scoreOf } from './score';
test('x', () => {
  const names = (process.env.FID ?? '').split(',');
  let out = '';
  for (const name of names) {
    const s = scoreOf(name);
    out += `## ${name}\n${s.session}${s.output}\n`;
    const q1 = s.ios.filter((io) => io.depth === 1);
    const qn = s.ios.filter((io) => io.depth > 1);
    const line = `${name} qd1 ${q1.filter((io) => io.equal).length}/${q1.length} qdN ${qn.filter((io) => io.equal).length}/${qn.length}`;
    console.log(line);
    out += line + '\n';
    for (const io of s.ios) if (!io.equal) out += `\n# ${io.depth} ${io.recorded.op} ${io.recorded.offset}+${io.recorded.length} / ${io.simulated.op} ${io.simulated.offset}+${io.simulated.length}\n` + diffLines(io.recorded.events, io.simulated.events).join('\n') + '\n';
  }
  writeFileSync('/tmp/fid.txt', out);
}, 300000);

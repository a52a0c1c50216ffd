import { expect, test } from 'vitest';
import { ByteText } from '../../src/convert/byte_text';
import { fieldsJson } from '../../src/convert/event_json';
import { EventTexts } from '../../src/convert/event_text';
import { listRecordings, loadRecording, parseTrace } from '../support/oracle';

function same(trace: ReturnType<typeof parseTrace>['trace']): void {
  const texts = new EventTexts(trace);
  const out = new ByteText(16);
  for (let i = 0; i < trace.length; i++) {
    texts.args(out, i);
    expect(out.take()).toBe(JSON.stringify({ event: i, cpu: trace.cpu[i], ...fieldsJson(trace, i) }));
  }
}

test.each(listRecordings())('text of events equals that of their objects: %s', (name) => {
  same(parseTrace(loadRecording(name).text).trace);
});

test('fields that are called like a number, like the event or its CPU, twice, or like a prototype', () => {
  const lines = ['cpu=7 event=9', '2=a 1=b', 'a=1 a=2', '__proto__=1 b=-1', 'x=18446744073709551615 y="q"'];
  same(
    parseTrace(
      `# tracer: nop\n${lines
        .map((line, k) => `           iogen-586     [000] .....    33.39407${k}: some_probe: ${line}\n`)
        .join('')}`,
    ).trace,
  );
});

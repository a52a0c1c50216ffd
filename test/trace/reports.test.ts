import { describe, expect, it } from 'vitest';
import { listRecordings, loadRecording, parseTrace } from '../support/oracle';
import { requestsOf } from '../support/requests';

const names = listRecordings().filter((name) => loadRecording(name).report !== undefined);

describe('trace-cmd report', () => {
  it('is there for some recordings', () => {
    expect(names.length).toBe(7);
  });

  it.each(names)("%s gives the same requests as the kernel's own text", (name) => {
    const { text, report } = loadRecording(name);
    const { counts, trace } = parseTrace(report ?? '');
    expect(counts).toMatchObject({ damaged: 0, unknown: 0, lost: 0 });
    expect(trace.length).toBe(parseTrace(text).trace.length);
    expect(requestsOf(report ?? '')).toEqual(requestsOf(text));
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { openSession, openTraceText } from '../../src/debug/open';
import type { OpenTrace } from '../../src/debug/model';
import { finish } from '../../src/trace/slices';
import { buildTimeline, type Timeline } from '../../src/view/timeline';

const ROOT = join(__dirname, '..', '..');
const pause = (): Promise<void> => Promise.resolve();

/** A recording of a real kernel, by its folder in test/fixtures/oracle. */
export function recording(name: string): Promise<OpenTrace> {
  const bytes = gunzipSync(readFileSync(join(ROOT, 'test/fixtures/oracle', name, 'trace.txt.gz')));
  return openTraceText(`${name}/trace.txt`, [bytes], { pause });
}

/** A trace given as text. */
export function fromText(text: string): Promise<OpenTrace> {
  return openTraceText('given.ublktrace', [new TextEncoder().encode(text)], { pause });
}

/** A session, simulated. */
export function simulated(text: string): Promise<OpenTrace> {
  return openSession('given.ublk', text, { pause });
}

/** A session of samples/, simulated. */
export function sample(name: string): Promise<OpenTrace> {
  return simulated(readFileSync(join(ROOT, 'samples', name), 'utf8'));
}

/** The timeline of a trace, built in one go. */
export function timelineOf(open: OpenTrace): Timeline {
  return finish(buildTimeline(open));
}

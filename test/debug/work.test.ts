import { expect, test } from 'vitest';
import { checkSlices, checkTrace } from '../../src/check/check';
import { SharedWork } from '../../src/debug/work';
import { matchRequests, matchSlices } from '../../src/trace/requests';
import { finish, type Sliced } from '../../src/trace/slices';
import { loadRecording, parseTrace } from '../support/oracle';

const NAMES = ['k7.3-recovery-reissue-faultinject-kublk', 'k6.1-life-loop-ublksrvold-q1d4'];

function* counting(to: number, seen: number[]): Sliced<number> {
  for (let k = 1; k <= to; k++) {
    seen.push(k);
    yield k / to;
  }
  return to;
}

test('one who gives up leaves the work to the others, and nothing is done twice', async () => {
  const seen: number[] = [];
  const work = new SharedWork(counting(10, seen));
  const shares: number[] = [];
  const first = await work.wait({ pause: async () => {}, cancelled: () => seen.length >= 3 });
  expect(first).toBeUndefined();
  expect(work.value).toBeUndefined();
  const both = await Promise.all([
    work.wait({ pause: async () => {}, progress: (share) => shares.push(share) }),
    work.wait({ pause: async () => {} }),
  ]);
  expect(both).toEqual([10, 10]);
  expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(shares).toEqual([...shares].sort((a, b) => a - b));
  expect(work.finish()).toBe(10);
});

test('work that fails fails for everyone, also later', async () => {
  function* failing(): Sliced<never> {
    yield 0;
    throw new Error('broken');
  }
  const work = new SharedWork(failing());
  await expect(work.wait({ pause: async () => {} })).rejects.toThrow('broken');
  await expect(work.wait({ pause: async () => {} })).rejects.toThrow('broken');
  expect(() => work.finish()).toThrow('broken');
});

test.each(NAMES)('matching and checking in slices, with other work between them: %s', (name) => {
  const { trace } = parseTrace(loadRecording(name).text);
  const whole = matchRequests(trace);
  const sliced = matchSlices(trace);
  const beside = matchSlices(trace);
  let slices = 0;
  for (let step = sliced.next(); ; step = sliced.next()) {
    if (step.done === true) {
      expect(step.value.length).toBe(whole.length);
      for (let r = 0; r < whole.length; r++) expect(step.value.toJson(r)).toEqual(whole.toJson(r));
      break;
    }
    slices++;
    beside.next();
  }
  expect(slices).toBeGreaterThan(2);
  expect(finish(checkSlices(trace, whole))).toEqual(checkTrace(trace, whole));
});

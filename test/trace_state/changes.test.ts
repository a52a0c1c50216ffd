import { expect, test } from 'vitest';
import { ChangeIndex, type Leaf, pathReader, StateCache, STRETCH, statePaths } from '../../src/trace/state';
import { Recorder } from '../../src/trace/recorder';
import type { Trace } from '../../src/trace/trace';
import { loadRecording, parseTrace } from '../support/oracle';
import { reordered, simulatedRead } from './support';

const SOURCES = [
  'k6.1-life-loop-ublksrvold-q1d4',
  'k7.3-recovery-reissue-faultinject-kublk',
  'rfc-zc-short-backing',
  'k6.18-fuse-uring-q4-hp',
  'k6.1-iou-cq_overflow',
  'k7.3-iou-cqe_skip',
].map((name) => parseTrace(loadRecording(name).text).trace);
SOURCES.push(simulatedRead().trace);

/** The first stretch of a trace, or all of it again and again until there is one. */
const BASES = SOURCES.map((source) =>
  reordered(
    source,
    Array.from({ length: STRETCH }, (_, i) => i % source.length),
  ),
);

/** A path of each kind of field, with the first trace and up to three events that change it there. */
function changing(): { path: string; base: Trace; events: number[] }[] {
  const found = new Map<string, { path: string; base: Trace; events: number[] }>();
  for (const base of BASES) {
    const cache = new StateCache(base);
    const places = [STRETCH >> 3, STRETCH >> 1, STRETCH - 1];
    for (const path of new Set(places.flatMap((i) => statePaths(cache.at(i))))) {
      const kind = path.replace(/:.*:/, ':');
      const known = found.get(kind)?.events.length ?? 0;
      if (known >= 3) continue;
      const events = changes(cache, path).filter((e) => e > 0);
      if (events.length > known) found.set(kind, { path, base, events: events.slice(0, 3) });
    }
  }
  return [...found.values()];
}

/** The events that change the value at a path, by looking after each. */
function changes(cache: StateCache, path: string): number[] {
  const read = pathReader(path);
  const events: number[] = [];
  let last: Leaf | undefined = read(cache.seek(-1).view);
  for (let i = 0; i < cache.trace.length; i++) {
    const value = read(cache.seek(i).view);
    if (value !== last) events.push(i);
    last = value;
  }
  return events;
}

/** The index of changes says of a path what looking after each event says. */
function expectSame(trace: Trace, path: string): void {
  const cache = new StateCache(trace);
  cache.seek(trace.length - 1);
  const index = new ChangeIndex(cache);
  const found: number[] = [];
  for (let n = 0; n * STRETCH < trace.length; n++) found.push(...index.stretch([path], n)[0]);
  expect([path, found]).toEqual([path, changes(cache, path)]);
}

test('a stretch that ends as it began is not passed over when a value changed in it', () => {
  const kinds = changing();
  expect(kinds.length).toBeGreaterThan(80);
  for (const { path, base, events } of kinds) {
    // what happened around the changes, over and over: a stretch is a whole number of rounds
    const parts = events.flatMap((e) => [e - 1, e]);
    const order = Array.from({ length: STRETCH }, (_, i) => i);
    for (let n = 0; n < 2 * STRETCH; n++) order.push(parts[(n % 8) % parts.length]);
    expectSame(reordered(base, order), path);
  }
}, 120_000);

test('values that seldom change, and things that come and go in the middle of a stretch', () => {
  const recorder = new Recorder();
  const { emit, trace, stamp } = recorder;
  const text = (value: string): number => trace.strings.id(value);
  const req = trace.wide.ofBig(0xffff888000000200n);
  stamp.task = trace.taskId('ublk', 100);
  emit.io_uring_create(0x100, 5, 4, 8, 0x508);
  emit.io_uring_submit_sqe(0x100, req, 7, text('NOP'), 0, 0, 0);
  emit.io_uring_complete(0x100, req, 7, 0, 0, 0, 0);
  const rounds: (() => void)[] = [
    () => emit.ublk_dev_state(0, text('LIVE'), 1, 4, 2),
    () => emit.session_command(3, text('fio')),
    () => emit.session_command_done(3, 0),
    () => emit.io_uring_submit_sqe(0x100, req, 7, text('NOP'), 0, 0, 0),
    () => emit.io_uring_complete(0x100, req, 7, 0, 0, 0, 0),
    () => emit.io_uring_cqe_overflow(0x100, 7, 0, 0, 0x300),
    () => emit.io_uring_complete(0x100, 0x999, 8, 0, 0, 0, 0),
    () => emit.ublk_dev_state(0, text('QUIESCED'), 2, 8, 0),
  ];
  const fill = (): void => void emit.io_uring_complete(0x100, 0x999, 8, 0, 0, 0, 0);
  while (trace.length % STRETCH !== 0) fill();
  for (const round of rounds) round();
  while (trace.length % STRETCH !== 0) fill();
  // once in the middle of a stretch, never, and all the time
  while (trace.length % STRETCH < STRETCH / 2) fill();
  for (const round of rounds) round();
  while (trace.length % STRETCH !== 0) fill();
  for (let n = 0; n < STRETCH; n++) fill();
  for (let n = 0; n < STRETCH; n++) rounds[n % rounds.length]();
  const cache = new StateCache(trace);
  const around = Array.from({ length: 12 }, (_, k) => STRETCH - 1 + k);
  const paths = new Set(around.flatMap((i) => statePaths(cache.at(i))));
  expect([...paths]).toEqual(
    expect.arrayContaining([
      'device:0:state',
      'ring:0:cq.overflow',
      'command:3:text',
      'req:0:0xffff888000000200:state',
    ]),
  );
  for (const path of paths) expectSame(trace, path);
});

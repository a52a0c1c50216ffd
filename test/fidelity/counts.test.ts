import { describe, expect, it } from 'vitest';
import { parseSession } from '../../src/session/parse';
import { simulate } from '../../src/simulate';
import type { Trace } from '../../src/trace/trace';
import { loadRecording, parseTrace } from '../support/oracle';
import { type IoWindow, recordedWindows, simulatedWindows } from './sequence';

/** How often each thing happens for one client I/O. */
interface Counts {
  readonly sqes: number;
  readonly cqes: number;
  readonly enters: number;
  readonly punts: number;
  readonly taskWorkRuns: number;
  readonly copies: number;
  readonly rounds: number;
  readonly pages: number;
  readonly refused: number;
}

/** Request sizes and the counts of each, as they were observed (splice-zc.md, section 11). */
const TABLE: readonly (readonly [string, 'zc' | 'copy', 'read' | 'write', number, number, Counts])[] = [
  ['4k read', 'zc', 'read', 0, 4096, counts(2, 2, 2, 1, 0, 0, 1, 1, 0)],
  ['4k read', 'copy', 'read', 0, 4096, counts(2, 2, 2, 0, 1, 1, 0, 0, 0)],
  ['64k read', 'zc', 'read', 0, 65536, counts(2, 2, 2, 1, 0, 0, 1, 16, 0)],
  ['512k read', 'zc', 'read', 2097152, 524288, counts(2, 2, 2, 1, 0, 0, 8, 128, 7)],
  ['512k write', 'zc', 'write', 3145728, 524288, counts(2, 2, 2, 1, 0, 0, 8, 128, 7)],
  ['512k read', 'copy', 'read', 2097152, 524288, counts(2, 2, 2, 0, 1, 1, 0, 0, 0)],
  ['512k write', 'copy', 'write', 3145728, 524288, counts(2, 2, 2, 0, 1, 1, 0, 0, 0)],
  ['1M read', 'zc', 'read', 1048576, 1048576, counts(4, 4, 3, 2, 0, 0, 16, 256, 14)],
  ['1M read', 'copy', 'read', 1048576, 1048576, counts(4, 4, 3, 0, 2, 2, 0, 0, 0)],
];

describe('counts of one client I/O', () => {
  it.each(TABLE)('%s, %s: as observed on the RFC kernel', (_name, mode, op, offset, length, expected) => {
    const session = [
      '#: kernel 6.1+splice-zc',
      'dd if=/dev/urandom of=back.img bs=64k count=512',
      `ublk add -t loop -n 0 -d 32 -f back.img${mode === 'zc' ? ' -z' : ''}`,
      `iogen /dev/ublkb0 io.json list:1:r@16384+4096 list:1:${op === 'read' ? 'r' : 'w'}@${offset}+${length}`,
    ].join('\n');
    // two answers of the disk at the same moment would be handled in one round of the server
    const { trace } = simulate(parseSession(session, 'counts.ublk'), {
      override: (kind, n, index) =>
        kind === 'service-time' ? (index % 2) * (n - 1) : kind === 'early-irq' ? 1 : undefined,
    });
    const window = simulatedWindows(trace).at(-1);
    expect(window && countsOf(trace, window)).toEqual(expected);
  });

  it.each([
    ['rfc-zc-loop-direct-q1d32', 'zc'],
    ['rfc-copy-loop-direct-q1d32', 'copy'],
  ] as const)('%s has what the table says', (name, mode) => {
    const recording = loadRecording(name);
    const { trace } = parseTrace(recording.text);
    const windows = recordedWindows(recording.meta.expected_ios ?? []);
    for (const [, of, op, offset, length, expected] of TABLE) {
      const window = windows.find((w) => w.op === op && w.offset === offset && w.length === length);
      // the recorded 1M read differs in how the two answers fell together
      if (of !== mode || !window || length === 1048576) continue;
      expect(countsOf(trace, window)).toEqual(expected);
    }
  });
});

function counts(
  sqes: number,
  cqes: number,
  enters: number,
  punts: number,
  taskWorkRuns: number,
  copies: number,
  rounds: number,
  pages: number,
  refused: number,
): Counts {
  return { sqes, cqes, enters, punts, taskWorkRuns, copies, rounds, pages, refused };
}

/** Counts what happens between the submission of the I/O and its end. The COMMIT's own trail counts with it. */
function countsOf(trace: Trace, window: IoWindow): Counts {
  const seen = {
    sqes: 0,
    cqes: 0,
    enters: 0,
    punts: 0,
    taskWorkRuns: 0,
    copies: 0,
    rounds: 0,
    pages: 0,
    refused: 0,
  };
  for (let e = 0; e < trace.length; e++) {
    if (trace.ts[e] < window.from || trace.ts[e] > window.to) continue;
    switch (trace.nameOf(e)) {
      case 'io_uring_submit_sqe':
        seen.sqes++;
        break;
      case 'io_uring_complete':
        seen.cqes++;
        break;
      case 'sys_enter_io_uring_enter':
        seen.enters++;
        break;
      case 'io_uring_queue_async_work':
        seen.punts++;
        break;
      case 'io_uring_task_work_run':
        seen.taskWorkRuns++;
        break;
      case 'ublk_copy_user_pages':
      case 'ublk_copy_user_pages_isra_0':
        seen.copies++;
        break;
      case 'ublk_splice_read':
        seen.rounds++;
        break;
      case 'add_to_pipe':
        seen.pages++;
        break;
      case 'ublk_pipe_buf_release':
        if ((trace.num(e, 'len_left') ?? 0) > 0) seen.refused++;
        break;
      default:
        break;
    }
  }
  return { ...seen, pages: seen.pages - seen.refused };
}

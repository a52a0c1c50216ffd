import { gunzipSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OpenTrace } from '../../src/debug/model';
import { openSession, openTraceText } from '../../src/debug/open';
import { listRecordings } from '../support/oracle';

const FIXTURES = join(__dirname, '..', 'fixtures');

async function open(path: string): Promise<OpenTrace> {
  return openTraceText(path, [gunzipSync(readFileSync(join(FIXTURES, path)))], { pause: async () => {} });
}

function chain(trace: OpenTrace, event: number): string[] {
  return trace.causes.chain(event).map((e) => trace.trace.nameOf(e));
}

/** The last event with this name in a request with this operation. */
function find(trace: OpenTrace, name: string, op: string): number {
  for (let i = trace.length - 1; i >= 0; i--) {
    const row = trace.requests.requestOf(i);
    if (trace.trace.nameOf(i) === name && row >= 0 && trace.requests.op(row) === op) return i;
  }
  throw new Error(`no ${name} of a ${op}`);
}

describe('chain of causes', () => {
  test('a page put into the pipe goes back through the driver to the line of the session', async () => {
    const trace = await open('dap/loop-zc.ublktrace.gz');
    const event = find(trace, 'add_to_pipe', 'READ');
    expect(chain(trace, event)).toEqual([
      'add_to_pipe',
      'ublk_splice_read',
      'do_splice_to',
      'splice_direct_to_actor',
      'do_splice_direct_rc',
      'io_wq_submit_work',
      'io_uring_queue_async_work',
      'io_uring_submit_sqe',
      'io_uring_get_sqe',
      'io_uring_complete',
      'ublk_rq_task_work',
      'block_rq_issue',
      'ublk_queue_rq',
      'blk_mq_get_driver_tag',
      'block_rq_insert',
      'block_getrq',
      'block_bio_queue',
      'app_io_submit',
      'session_command',
    ]);
    const events = trace.causes.chain(event);
    expect(trace.sessionLines.lineOf(events.at(-1)!)).toBe(17);
    const rows = new Set(events.map((e) => trace.requests.requestOf(e)).filter((r) => r >= 0));
    expect([...rows]).toEqual([trace.requests.requestOf(event)]);
  });

  test('the end of an I/O was brought about by the COMMIT of its own request', async () => {
    const trace = await open('dap/loop-zc.ublktrace.gz');
    let seen = 0;
    for (let i = 0; i < trace.length; i++) {
      if (trace.trace.nameOf(i) !== 'app_io_done') continue;
      seen++;
      const events = trace.causes.chain(i);
      const names = events.map((e) => trace.trace.nameOf(e));
      expect(names.slice(0, 3)).toEqual(['app_io_done', 'block_rq_complete', 'ublk_ch_uring_cmd']);
      const submit = events[names.indexOf('app_io_submit')];
      expect(trace.trace.num(submit, 'id')).toBe(trace.trace.num(i, 'id'));
    }
    expect(seen).toBe(18);
  });

  test('a recording goes down to the bio', async () => {
    const trace = await open('oracle/k7.3-fio-libaio-randrw-kublk/trace.txt.gz');
    const names = chain(trace, find(trace, 'block_rq_complete', 'READ'));
    expect(names).toContain('io_uring_complete');
    expect(['block_bio_queue', 'block_getrq']).toContain(names.at(-1));
  });

  test('the disk below answers to the SQE that read it, not to the steps of the ublk disk', async () => {
    const trace = await open('oracle/k7.3-loop-zc-regbuf-kublk-q1d32/trace.txt.gz');
    expect(trace.causes.chain(28).slice(0, 8)).toEqual([28, 27, 26, 25, 22, 21, 15, 10]);
    expect(chain(trace, 28).slice(0, 7)).toEqual([
      'io_uring_complete',
      'block_rq_complete',
      'blk_mq_end_request',
      'block_rq_issue',
      'block_getrq',
      'block_bio_queue',
      'io_uring_submit_req',
    ]);
    expect(trace.trace.str(15, 'opcode')).toBe('READ_FIXED');
    const splice = await open('oracle/rfc-zc-overcommit-leak-buffered/trace.txt.gz');
    expect(chain(splice, 36).slice(0, 5)).toEqual([
      'blk_mq_end_request',
      'block_rq_issue',
      'block_getrq',
      'block_bio_queue',
      'generic_file_splice_read',
    ]);
  });

  test('no request of a disk is issued because of a step of another one, in every recording', async () => {
    let seen = 0;
    for (const name of listRecordings()) {
      const { trace, causes, requests } = await open(`oracle/${name}/trace.txt.gz`);
      for (let i = 0; i < trace.length; i++) {
        if (trace.nameOf(i) !== 'block_rq_issue' || requests.requestOf(i) < 0) continue;
        const disk = `${trace.num(i, 'major')},${trace.num(i, 'minor')}`;
        for (let at = causes.parent(i); at >= 0 && requests.requestOf(at) >= 0; at = causes.parent(at)) {
          if (trace.nameOf(at).startsWith('io_uring_') || !/^(block_|ublk_queue)/.test(trace.nameOf(at)))
            break;
          const other = trace.num(at, 'major');
          if (other === undefined) continue;
          seen++;
          expect(`${other},${trace.num(at, 'minor')}`, `${name} event ${i} from ${at}`).toBe(disk);
        }
      }
    }
    expect(seen).toBeGreaterThan(1000);
  });

  test.each(['get-data', 'killed-daemon', 'loop-zc', 'qcow2-link', 'short-splice'])(
    'every event of samples/%s.ublk goes back to a line of the session, in few steps',
    async (name) => {
      const path = join(__dirname, '..', '..', 'samples', `${name}.ublk`);
      const trace = await openSession(path, readFileSync(path, 'utf8'), { pause: async () => {} });
      const without = new Set<string>();
      let longest = 0;
      for (let i = 0; i < trace.length; i++) {
        const events = trace.causes.chain(i);
        longest = Math.max(longest, events.length);
        if (trace.sessionLines.lineOf(events.at(-1)!) === undefined) without.add(chain(trace, i).join(' < '));
      }
      expect([...without]).toEqual([]);
      expect(longest).toBeLessThan(64);
    },
  );

  test('what a killed server leaves goes back to the line that killed it; each question of recover to recover', async () => {
    const path = join(__dirname, '..', '..', 'samples', 'killed-daemon.ublk');
    const trace = await openSession(path, readFileSync(path, 'utf8'), { pause: async () => {} });
    const { trace: all, sessionLines, causes } = trace;
    const rootLine = (event: number): string => {
      const line = sessionLines.lineOf(causes.chain(event).at(-1)!) ?? 0;
      return readFileSync(path, 'utf8').split('\n')[line - 1]!;
    };
    const named = (name: string): number[] =>
      Array.from({ length: all.length }, (_, i) => i).filter((i) => all.nameOf(i) === name);
    const monitor = named('ublk_daemon_monitor_work').at(-1)!;
    expect(chain(trace, monitor)).toEqual(['ublk_daemon_monitor_work', 'ublk_ch_release', 'session_command']);
    expect(rootLine(monitor)).toMatch(/^kill -9/);
    const questions = named('ublk_ctrl_uring_cmd').filter((i) => all.num(i, 'op') === 0x10);
    expect(questions.length).toBeGreaterThan(20);
    for (const event of questions) {
      expect(chain(trace, event)).toEqual([
        'ublk_ctrl_uring_cmd',
        'io_wq_submit_work',
        'io_uring_queue_async_work',
        'io_uring_submit_sqe',
        'io_uring_get_sqe',
        'session_command',
      ]);
      expect(rootLine(event)).toBe('ublk recover -n 0');
    }
  });

  test('a chain that is too long to show still ends in its line of the session', async () => {
    const lines = [
      '            ublk-252     [000] .....     0.000000001: session_command: line 3, ublk add -t null',
    ];
    for (let k = 0; k < 200; k++) {
      const at = `            ublk-300     [000] .....     0.${String(1000 + k * 2).padStart(9, '0')}`;
      const what = `ring ffff888002001b00, req ffff888002001800, user_data 0x${k.toString(16)}`;
      lines.push(
        `${at}: io_uring_submit_sqe: ${what}, opcode URING_CMD, flags 0x0, non block 1, sq_thread 0`,
        `${at}: io_uring_complete: ${what}, result 0, cflags 0x0 extra1 0 extra2 0 `,
      );
    }
    const text = new TextEncoder().encode(`${lines.join('\n')}\n`);
    const trace = await openTraceText('long', [text], { pause: async () => {} });
    const events = trace.causes.chain(trace.length - 1);
    expect(events.length).toBeLessThan(200);
    expect(events.slice(0, 3)).toEqual([400, 399, 398]);
    expect(events.at(-1)).toBe(0);
    expect(trace.causes.chain(6)).toEqual([6, 5, 4, 3, 2, 1, 0]);
  });

  test('what an event caused has it as its cause', async () => {
    const trace = await open('dap/loop-zc.ublktrace.gz');
    let found = 0;
    for (let i = 0; i < trace.length; i++) {
      const next = trace.causes.caused(i);
      if (next < 0) continue;
      found++;
      expect(next).toBeGreaterThan(i);
      expect(trace.causes.parent(next)).toBe(i);
    }
    expect(found).toBeGreaterThan(trace.length / 3);
  });

  test('causes lie earlier, in every recording', async () => {
    const names = listRecordings();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (name, at) => {
          const trace = await open(`oracle/${name}/trace.txt.gz`);
          const event = Math.floor(at * (trace.length - 1));
          const events = trace.causes.chain(event);
          expect(events[0]).toBe(event);
          for (let k = 1; k < events.length; k++) expect(events[k]).toBeLessThan(events[k - 1]);
        },
      ),
      { numRuns: 40 },
    );
  });
});

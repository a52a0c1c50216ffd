import { describe, expect, it } from 'vitest';
import { parseSession } from '../../src/session/parse';
import { simulate } from '../../src/simulate';
import { errorsOf, run } from './support';

const NULL = '#: kernel 6.1\n#: part-scan off\nublk add -t null -q 1 -d 128\n';
const FIO = 'fio --name=j --filename=/dev/ublkb0 --direct=1 --ioengine=libaio';

/** Ends well or with a clear message, and says nothing of a hang. */
function ends(text: string): string {
  expect(errorsOf(text)).toEqual([]);
  const result = simulate(parseSession(text, 'test.ublk'), { drain: () => undefined, facts: false });
  expect(result.output).not.toContain('hangs');
  return result.output;
}

describe('absurd sessions', () => {
  it('keep to the memory of the machine', () => {
    const loop =
      '#: part-scan off\n#: memory 64M\ntruncate -s 1T disk.img\nublk add -t loop -f disk.img -q 1 -d 1024\n';
    expect(ends(`${loop}${FIO} --rw=randwrite --bs=1M --iodepth=1024 --number_ios=2000`)).toContain(
      'bytes of memory',
    );
    expect(ends(`${loop}${FIO} --rw=randwrite --bs=4k --iodepth=32 --number_ios=40000`)).toContain(
      'bytes of memory',
    );
    expect(ends(`${loop}dd if=/dev/zero of=/dev/ublkb0 bs=1G count=1 oflag=direct`)).toContain(
      'bytes of memory',
    );
  });

  it('read more through the page cache than there is memory', () => {
    const text =
      '#: part-scan off\n#: memory 16M\ntruncate -s 64M disk.img\nublk add -t loop -f disk.img --buffered_io -d 8\n';
    expect(ends(`${text}dd if=/dev/ublkb0 of=/dev/null bs=1M count=48`)).not.toContain('bytes of memory');
  });

  it('do not loop over what is not there', () => {
    const start = Date.now();
    const huge =
      '#: part-scan off\n#: block-size 512\ntruncate -s 7T disk.img\nublk add -t loop -f disk.img -d 4\n';
    ends(
      `${huge}blkdiscard /dev/ublkb0\nblkdiscard -z -o 1M -l 6T /dev/ublkb0\n${FIO} --rw=randread --bs=512 --number_ios=100\nublk del -n 0`,
    );
    expect(ends('truncate -s 16T disk.img')).toContain('File too large');
    // far beyond what it takes, far below a loop over 7 TiB
    expect(Date.now() - start).toBeLessThan(20_000);
  });

  it('have many queues, tags and jobs', () => {
    ends(
      '#: cpus 64\nublk add -t null -q 32 -d 1024\nfio --name=j --filename=/dev/ublkb0 --numjobs=64 --number_ios=4\nublk del -n 0',
    );
    expect(errorsOf('fio --name=j --filename=/dev/ublkb0 --numjobs=1000').length).toBe(1);
  });

  it('that never end are refused or stopped', () => {
    expect(ends('dd if=/dev/zero of=/dev/null')).toContain('are simulated');
    expect(ends('truncate -s 7T disk.img\ndd if=disk.img of=/dev/null bs=1')).toContain('are simulated');
    expect(ends('dd if=/dev/null of=a.img')).toContain('0 bytes copied');
    const endless = '#: max-events 20000\n';
    for (const command of [
      `${FIO} --rw=randread --time_based --runtime=100d`,
      'iogen /dev/ublkb0 o.json w:seq:512:9007199254740991:1:9007199254740480',
    ]) {
      expect(ends(`${endless}${NULL}${command}`)).toContain('stopped after 20000 events');
    }
  });
});

describe('long runs', () => {
  /** LONG=1 asks for the million that takes a minute. */
  const IOS = process.env.LONG ? 1_000_000 : 50_000;

  it('hold no events when they are drained', { timeout: 600_000 }, () => {
    let most = 0;
    const before = process.memoryUsage();
    const session = parseSession(
      `${NULL}${FIO} --rw=randread --bs=4k --iodepth=128 --number_ios=${IOS}`,
      'test.ublk',
    );
    const result = simulate(session, {
      drain: (trace) => {
        most = Math.max(most, trace.length);
      },
    });
    const after = process.memoryUsage();
    expect([result.clientIos, result.exitCode]).toEqual([IOS, 0]);
    expect(result.events).toBeGreaterThan(IOS * 20);
    expect(most).toBeLessThan(40000);
    const growth = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
    expect(growth).toBeLessThan(300 << 20);
  });

  it('stop at the limit of events', () => {
    const result = run(`#: max-events 5000\n${NULL}${FIO} --rw=randread --iodepth=8`, {}, false);
    expect(result.output).toContain('stopped after 5000 events');
    expect(result.events).toBeLessThan(5200);
    expect(result.exitCode).toBe(1);
  });
});

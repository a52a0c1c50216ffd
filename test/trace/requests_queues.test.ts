import { expect, test } from 'vitest';
import { parseSession } from '../../src/session/parse';
import { simulate } from '../../src/simulate';
import { matchRequests } from '../../src/trace/requests';

const SESSION = (zero: string) => `truncate -s 16M b.img
ublk add -t loop -f b.img ${zero} -q 2 -d 4
fio --name=a --filename=/dev/ublkb0 --direct=1 --ioengine=libaio --rw=randread --bs=4k --iodepth=8 --number_ios=12 --numjobs=2
ublk del -n 0
`;

test.each(['-z', ''])('two queues with the same tags in flight are kept apart (%s)', (zero) => {
  for (let seed = 1; seed <= 12; seed++) {
    const session = parseSession(SESSION(zero), 's.ublk', { seed: BigInt(seed) });
    const ios: number[] = [];
    const { trace } = simulate(session, { observe: (io) => ios.push(io.offset) });
    const table = matchRequests(trace);
    const rows = Array.from({ length: table.length }, (_, r) => table.toJson(r));
    expect(rows.every((row) => row.offset !== null && row.result === 4096 && row.sqes.length === 1)).toBe(
      true,
    );
    const scan = 3;
    expect(rows).toHaveLength(ios.length + scan);
    expect(
      rows
        .slice(scan)
        .map((row) => row.offset)
        .toSorted(),
    ).toEqual(ios.toSorted());
  }
});

import { expect, test } from 'vitest';
import { formatDiagnostic } from '../../src/session/diagnostics';
import { parseSession } from '../../src/session/parse';

test('fsync FILE and fsync -d FILE are the commands of busybox', () => {
  const session = parseSession('fsync /dev/ublkb0\nfsync -d a b\n', 's.ublk');
  expect(session.diagnostics).toEqual([]);
  expect(session.commands).toMatchObject([
    { kind: 'sync', mode: 'fsync', paths: ['/dev/ublkb0'] },
    { kind: 'sync', mode: 'fdatasync', paths: ['a', 'b'] },
  ]);
});

test('fsync without a file is refused where it stands', () => {
  const { diagnostics } = parseSession('\nfsync\n', 's.ublk');
  expect(diagnostics.map((diagnostic) => formatDiagnostic('s.ublk', diagnostic))).toEqual([
    's.ublk:2:1: fsync: needs a FILE',
  ]);
});

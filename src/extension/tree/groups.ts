import type { RequestTable } from '../../trace/requests';
import type { Translate } from '../translate';
import type { Grouping } from './nodes';

/** One value that groups requests. */
export interface Level {
  readonly by: string;
  readonly key: (row: number) => number | string;
  readonly label: (key: number | string) => string;
}

/** The levels of an arrangement for these requests; the device only where there are several. */
export function levelsOf(requests: RequestTable, grouping: Grouping, t: Translate): readonly Level[] {
  const device: Level = {
    by: 'device',
    key: (row) => requests.device[row]!,
    label: (key) => requests.devices[Number(key)] ?? t('unknown device'),
  };
  const queue: Level = {
    by: 'queue',
    key: (row) => requests.queue[row]!,
    label: (key) => (Number(key) < 0 ? t('queue unknown') : t('queue {0}', key)),
  };
  const tag: Level = {
    by: 'tag',
    key: (row) => requests.tag[row]!,
    label: (key) => (Number(key) < 0 ? t('tag unknown') : t('tag {0}', key)),
  };
  const devices = severalDevices(requests) ? [device] : [];
  switch (grouping) {
    case 'tag':
      return [...devices, queue, tag];
    case 'queue':
      return [...devices, queue];
    case 'time':
      return [];
    case 'op':
      return [{ by: 'op', key: (row) => requests.op(row), label: String }];
    case 'status':
      return [
        {
          by: 'status',
          key: (row) => requests.status[row]!,
          label: (key) => [t('open'), t('done'), t('failed'), t('requeued')][Number(key)] ?? '?',
        },
      ];
    case 'path':
      return [{ by: 'path', key: (row) => requests.path(row), label: (key) => t('path {0}', key) }];
  }
}

/** Splits rows by a level's key; groups in order of their keys, rows in the order given. */
export function groupRows(rows: Uint32Array, level: Level): { key: number | string; rows: Uint32Array }[] {
  const sizes = new Map<number | string, number>();
  const keys = Array.from({ length: rows.length }, (_, i) => level.key(rows[i]!));
  for (const key of keys) sizes.set(key, (sizes.get(key) ?? 0) + 1);
  const groups = new Map<number | string, { rows: Uint32Array; used: number }>();
  for (const [key, size] of sizes) groups.set(key, { rows: new Uint32Array(size), used: 0 });
  for (const [i, key] of keys.entries()) {
    const group = groups.get(key)!;
    group.rows[group.used++] = rows[i]!;
  }
  return [...groups]
    .map(([key, group]) => ({ key, rows: group.rows }))
    .sort((a, b) =>
      typeof a.key === 'number' && typeof b.key === 'number'
        ? a.key - b.key
        : String(a.key) < String(b.key)
          ? -1
          : 1,
    );
}

function severalDevices(requests: RequestTable): boolean {
  for (let row = 1; row < requests.length; row++)
    if (requests.device[row] !== requests.device[0]) return true;
  return false;
}

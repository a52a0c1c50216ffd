import { expect, it } from 'vitest';
import { StackIndex } from '../../src/debug/stack';
import { eventNames } from '../../src/trace/schema';
import { eventsDoc } from '../support/events_doc';
import { stackTexts } from '../support/stack';

const doc = eventsDoc(new StackIndex(stackTexts()));

it('docs/events.md is up to date (update it with -u)', async () => {
  await expect(doc).toMatchFileSnapshot('../../docs/events.md');
});

it('has one row of six cells for each event', () => {
  const rows = doc.split('\n').filter((line) => line.startsWith('| `'));
  expect(rows.map((row) => row.split('`')[1]).sort()).toEqual([...eventNames()].sort());
  for (const row of rows) expect(row.split(/(?<!\\)\|/).length).toBe(8);
});

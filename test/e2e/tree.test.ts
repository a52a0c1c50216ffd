import { describe, expect, it } from 'vitest';
import { beforeTests } from './opened';
import type { Workbench } from './workbench';

describe('tree of requests', () => {
  let workbench: Workbench;
  beforeTests((opened) => {
    workbench = opened;
  });

  it('welcomes with one button, which runs the sample', async () => {
    await workbench.container(/ublk Trace/i);
    await workbench.page.getByRole('button', { name: 'Run the Sample' }).click();
    await workbench.row('loop-zc.ublk, ').waitFor();
  });

  it('leads from the trace by queue, tag and request to events', async () => {
    await workbench.expand(workbench.row('queue 0'));
    await workbench.expand(workbench.row('tag 0'));
    await workbench.expand(workbench.row('#1 WRITE 4 KiB'));
    const event = workbench.row('ublk_queue_rq').first();
    expect(await event.getAttribute('aria-level')).toBe('5');
  });

  it('shows the text of the trace at an event', async () => {
    await workbench.row('ublk_queue_rq').first().click();
    await workbench.tab('loop-zc.ublk.ublktrace').waitFor();
    const current = workbench.page
      .locator('.editor-instance .view-line', { hasText: 'ublk_queue_rq' })
      .first();
    await current.waitFor();
    await workbench.shots('tree');
  });
});

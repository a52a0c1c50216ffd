import { describe, expect, it } from 'vitest';
import { beforeTests } from './opened';
import type { Workbench } from './workbench';

describe('walkthrough', () => {
  let workbench: Workbench;
  beforeTests((opened) => {
    workbench = opened;
  });

  it('has five steps, marked when done', async () => {
    const { page } = workbench;
    await workbench.command('Welcome: Open Walkthrough...');
    await workbench.pick('Follow a Request', 'Follow a Request through ublk and io_uring');
    const steps = page.locator('.getting-started-step');
    await expect.poll(() => steps.count()).toBe(5);
    await workbench.shots('walkthrough');
    const first = page.getByRole('checkbox', { name: /Run the sample/ });
    expect(await first.getAttribute('aria-checked')).toBe('false');
    await steps.first().getByRole('button', { name: 'Run the Sample', exact: true }).click();
    await workbench.row('loop-zc.ublk, ').waitFor();
    await workbench.tab('Welcome').click();
    await expect.poll(() => first.getAttribute('aria-checked')).toBe('true');
  });
});

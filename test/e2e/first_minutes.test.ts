import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pictureFailures } from './failures';
import { launchBrowser, Workbench } from './workbench';

describe('first five minutes', () => {
  let browser: Browser;
  let workbench: Workbench;
  pictureFailures(() => workbench);

  beforeAll(async () => {
    browser = await launchBrowser();
    workbench = await Workbench.open(browser);
  });

  afterAll(async () => {
    await browser?.close();
  });

  it('colours a session', async () => {
    await workbench.openFile('loop-zc.ublk');
    const line = workbench.page.locator('.view-line', { hasText: 'truncate -s 64M disk.img' });
    // Without a grammar a line is one token.
    await expect.poll(() => line.locator('span[class*="mtk"]').count()).toBeGreaterThan(1);
    await workbench.shot('session-dark');
  });
});

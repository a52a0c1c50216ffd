import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { launchBrowser, Workbench } from './workbench';

/** Opens a window before the tests of this block, keeps a picture of it whenever one fails, and closes it after them. */
export function beforeTests(use: (workbench: Workbench) => void | Promise<void>): void {
  let browser: Browser | undefined;
  let workbench: Workbench | undefined;

  beforeAll(async () => {
    browser = await launchBrowser();
    workbench = await Workbench.open(browser);
    await use(workbench);
  });

  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') await workbench?.shot(`failed-${task.name.replace(/\W+/g, '-')}`);
  });

  afterAll(async () => {
    await browser?.close();
  });
}

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { beforeTests } from './opened';
import type { Workbench } from './workbench';

const workspace = process.env.E2E_WORKSPACE ?? '';
const launchFile = join(workspace, '.vscode', 'launch.json');

/** Titles of our buttons in the debug toolbar, in their order. */
const BUTTONS = [
  'Step Over Backwards',
  'Step Out Backwards',
  'Previous Event of This Request',
  'Next Event of This Request',
  'First Event of This Request',
  'Last Event of This Request',
  'Next Life of This Tag',
  'Go to Event...',
];

describe('a window that is reloaded', () => {
  let workbench: Workbench;
  beforeTests((opened) => {
    workbench = opened;
  });

  const button = (name: string): Locator =>
    workbench.page.locator('.debug-toolbar').getByRole('button', { name: new RegExp(`^${name}`) });

  async function reload(): Promise<void> {
    await workbench.page.reload();
    // The palette lists only the commands that are known when it opens.
    await workbench.container(/ublk Trace/i);
    await workbench.row('loop-zc.ublk, ').waitFor();
  }

  it('has traces, pins, filter and cursor again', async () => {
    const { page } = workbench;
    await workbench.container(/ublk Trace/i);
    await page.getByRole('button', { name: 'Run the Sample' }).click();
    await workbench.row('loop-zc.ublk, ').waitFor();
    await workbench.command('ublk Trace: Filter Requests...');
    const input = page.locator('.quick-input-widget input.input:visible');
    await input.fill('op == WR');
    // Completion: the value is proposed, and taken by Enter.
    await page.locator('.quick-input-list .monaco-list-row', { hasText: 'WRITE' }).first().waitFor();
    await input.press('Enter');
    await expect.poll(() => input.inputValue()).toMatch(/^op == WRITE/);
    await page
      .locator('.quick-input-list .monaco-list-row.focused', { hasText: 'Show requests with op == WRITE' })
      .waitFor();
    await input.press('Enter');
    const message = page.getByText(/^Filter: op == WRITE \(\d+ of \d+ requests\)/);
    await message.waitFor();
    // The rows move down below the message.
    const trace = workbench.row('loop-zc.ublk, ');
    await expect
      .poll(async () => {
        const [above, below] = [await message.boundingBox(), await trace.boundingBox()];
        return above !== null && below !== null && below.y >= above.y + above.height;
      })
      .toBe(true);
    // A click that meets the rows while they move folds the trace.
    const [queue, tag] = [workbench.row('queue 0'), workbench.row('tag 0')];
    const unfolded = async (): Promise<string | null> => {
      if ((await queue.count()) === 0) await workbench.expand(trace);
      if ((await tag.count()) === 0) await workbench.expand(queue);
      await workbench.expand(tag);
      return tag.getAttribute('aria-expanded', { timeout: 2000 });
    };
    await expect.poll(() => unfolded().catch(() => null)).toBe('true');
    const request = workbench.row('#1 WRITE 4 KiB').first();
    await workbench.menu(request, 'Pin');
    await workbench.row('Pinned, 1').waitFor();
    await request.click();
    await workbench.tab('loop-zc.ublk.ublktrace').waitFor();
    await workbench.stored(/"pins":\[\{/, /"cursor":\{.*"name":"block_getrq"/);
    await workbench.stored(/op == WRITE/);

    await reload();
    await workbench.row('Pinned, 1').waitFor();
    await page.getByText(/^Filter: op == WRITE \(/).waitFor();
    const selected = page.locator('[role=treeitem][aria-selected=true]', { hasText: 'block_getrq' });
    await selected.waitFor();
    await selected.click();
    await workbench.tab('loop-zc.ublk.ublktrace').waitFor();
    await page.locator('.editor-instance .view-line', { hasText: 'block_getrq' }).first().waitFor();
    await workbench.command('ublk Trace: Clear Filter');
  });

  it('can be debugged again after it was reloaded in the middle of debugging', async () => {
    const { page } = workbench;
    await workbench.command('ublk Trace: Debug the Sample');
    await page.locator('.debug-top-stack-frame-line').first().waitFor();
    await page.keyboard.press('F10');
    await reload();
    await workbench.command('ublk Trace: Debug the Sample');
    await page.locator('.debug-top-stack-frame-line').first().waitFor();
    await expect.poll(() => page.locator('.notification-toast .codicon-error').count()).toBe(0);
  });

  it('has every step as a button of its own behind the stock ones', async () => {
    const { page } = workbench;
    await button('Continue').waitFor();
    const labels = await page
      .locator('.debug-toolbar .action-label')
      .evaluateAll((items) => items.map((item) => item.getAttribute('aria-label') ?? ''));
    const names = labels.map((label) => label.replace(/ \(.*\)$/, ''));
    const first = names.indexOf(BUTTONS[0]!);
    expect(names.slice(first, first + BUTTONS.length)).toEqual(BUTTONS);
    expect(first).toBeGreaterThan(names.indexOf('Stop'));
    const icons = await page
      .locator('.debug-toolbar .action-label')
      .evaluateAll((items) =>
        items.map((item) => `${item.getAttribute('class')} ${item.getAttribute('style')}`),
      );
    expect(new Set(icons).size).toBe(icons.length);
    await workbench.shots('toolbar');
  });

  it('moves by these buttons', async () => {
    const { page } = workbench;
    await workbench.container(/^Run and Debug/i);
    await workbench.fold('Watch', 'Call Stack', 'Breakpoints');
    await workbench.expand(workbench.row('Scope Request'));
    const event = async (): Promise<number> => {
      const label = await workbench
        .row('event, value ')
        .getAttribute('aria-label', { timeout: 1000 })
        .catch(() => null);
      return Number(/^event, value (\d+)/.exec(label ?? '')?.[1] ?? -1);
    };
    await expect.poll(event).toBeGreaterThanOrEqual(0);
    const seen: number[] = [];
    for (const name of ['Last Event', 'Previous Event', 'First Event', 'Next Event']) {
      const before = await event();
      await button(name).click();
      await expect.poll(event).not.toBe(before);
      await expect.poll(event).toBeGreaterThanOrEqual(0);
      seen.push(await event());
    }
    const [last, previous, first, next] = seen;
    expect(previous).toBeLessThan(last!);
    expect(first).toBeLessThan(next!);
    await button('Go to Event').click();
    const input = page.locator('.quick-input-widget input.input:visible');
    await input.fill('826');
    await input.press('Enter');
    await expect.poll(event).toBe(826);
    await button('Step Out Backwards').click();
    await expect.poll(event).toBeLessThan(826);
  });

  it('keeps the toolbar in reach in a narrow window', async () => {
    const { page } = workbench;
    await page.setViewportSize({ width: 700, height: 800 });
    const box = await page.locator('.debug-toolbar').boundingBox();
    expect(box!.x).toBeGreaterThanOrEqual(0);
    expect(box!.x + box!.width).toBeLessThanOrEqual(700);
    await workbench.shot('toolbar-narrow');
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.keyboard.press('Shift+F5');
    await page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
  });
});

describe('configurations', () => {
  let workbench: Workbench;
  const forgetConfigurations = () => rmSync(dirname(launchFile), { recursive: true, force: true });
  beforeAll(forgetConfigurations);
  afterAll(forgetConfigurations);
  beforeTests((opened) => {
    workbench = opened;
  });

  const rows = (text: string | RegExp): Locator =>
    workbench.page.locator('.quick-input-list .monaco-list-row', { hasText: text });

  it('are offered for every session and trace of the folder', async () => {
    const { page } = workbench;
    await workbench.openFile('loop-zc.ublk');
    await workbench.command('Debug: Select and Start Debugging');
    await rows('ublk Trace...').first().click();
    for (const name of ['loop-zc.ublk', 'loop-copy.ublk', 'null-qd8.ublk'])
      await rows(`Debug ${name}`).first().waitFor();
    await rows('Debug null-qd8.ublk').first().click();
    await page.locator('.debug-top-stack-frame-line').first().waitFor();
    await page.keyboard.press('Shift+F5');
    await page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
  });

  it('begin a launch.json that debugs the open file', async () => {
    const { page } = workbench;
    await workbench.command('Debug: Add Configuration...');
    await workbench.tab('launch.json').waitFor();
    await expect
      .poll(() => (existsSync(launchFile) ? readFileSync(launchFile, 'utf8') : ''))
      .toMatch(/"type": "ublk-trace"/);
    expect(readFileSync(launchFile, 'utf8').split(`"program": "\${file}"`)).toHaveLength(2);
    // The file that debugs is the one in the editor.
    await workbench.openFile('null-qd8.ublk');
    await page.keyboard.press('F5');
    await page.locator('.debug-top-stack-frame-line').first().waitFor();
  });
});

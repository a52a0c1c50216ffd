import { describe, expect, it } from 'vitest';
import { beforeTests } from './opened';
import type { Workbench } from './workbench';

describe('first five minutes', () => {
  let workbench: Workbench;
  beforeTests((opened) => {
    workbench = opened;
  });

  /** Number of the event that the Variables view shows; -1 while it shows none. */
  async function event(): Promise<number> {
    const label = await workbench
      .row('event, value ')
      .getAttribute('aria-label', { timeout: 1000 })
      .catch(() => null);
    return Number(/^event, value (\d+)/.exec(label ?? '')?.[1] ?? -1);
  }

  /** Does something that moves the debugger, and waits until Variables shows another event. */
  async function move(act: () => Promise<void>): Promise<number> {
    const before = await event();
    await act();
    await expect.poll(event).not.toBe(before);
    await expect.poll(event).toBeGreaterThanOrEqual(0);
    return event();
  }

  it('colours a session', async () => {
    await workbench.openFile('loop-zc.ublk');
    const line = workbench.page.locator('.view-line', { hasText: 'truncate -s 64M disk.img' });
    // Without a grammar a line is one token.
    await expect.poll(() => line.locator('span[class*="mtk"]').count()).toBeGreaterThan(1);
    await workbench.shots('session');
  });

  it('stops on entry with F5', async () => {
    await workbench.page.locator('.view-line', { hasText: 'truncate -s 64M disk.img' }).click();
    await workbench.page.keyboard.press('F5');
    await workbench.page.locator('.debug-top-stack-frame-line').first().waitFor();
    await workbench.container(/^Run and Debug/i);
    await workbench.page.getByText('start of trace').first().waitFor();
    await workbench.fold('Watch', 'Call Stack', 'Loaded Scripts', 'Breakpoints');
    await workbench.expand(workbench.row('Scope Request'));
    await expect.poll(event).toBe(0);
  });

  it('steps over twice, and back', async () => {
    const { keyboard } = workbench.page;
    const first = await move(() => keyboard.press('F10'));
    const second = await move(() => keyboard.press('F10'));
    expect(second).toBeGreaterThan(first);
    const stepBack = workbench.page.locator('.debug-toolbar').getByRole('button', { name: /^Step Back/ });
    expect(await move(() => stepBack.click())).toBe(first);
  });

  it('steps to an event of one request, and the tree follows', async () => {
    await workbench.container(/ublk Trace/i);
    await workbench.expand(workbench.row('Other events'), false);
    await workbench.expand(workbench.row('queue 0'));
    await workbench.expand(workbench.row('tag 0'));
    await workbench.expand(workbench.row('#1 WRITE 4 KiB'));
    const row = workbench.row('ublk_queue_rq').first();
    await row.hover();
    await row.getByRole('button', { name: 'Step To' }).click();
    // VS Code opens the file first and focuses the frame then: a key before that steps the thread that was focused before.
    const shown = async (file: string): Promise<void> => {
      await expect.poll(() => workbench.activeTab()).toBe(file);
      await workbench.page.locator('.debug-top-stack-frame-line').first().waitFor();
    };
    await shown('ublk_drv.c');
    const selected = workbench.page.locator('[role=treeitem][aria-selected=true]');
    for (const [next, file] of [
      ['block_rq_issue', 'blk-mq.c'],
      ['ublk_rq_task_work', 'ublk_drv.c'],
    ] as const) {
      await workbench.page.keyboard.press('F10');
      await shown(file);
      await expect.poll(() => selected.getAttribute('aria-label')).toMatch(`${next}, `);
      expect(await selected.getAttribute('aria-level')).toBe('5');
    }
    await workbench.shots('tree-follows');
  });

  it('keeps SQE open while stepping through files of pseudo-code', async () => {
    await workbench.container(/^Run and Debug/i);
    const scope = workbench.row('Scope SQE');
    await workbench.expand(scope);
    const files = new Set<string>();
    for (let steps = 0; files.size < 3 && steps < 30; steps++) {
      await move(() => workbench.page.keyboard.press('F10'));
      // VS Code draws it closed for a moment before it fetches the new children.
      await expect.poll(() => scope.getAttribute('aria-expanded')).toBe('true');
      if (await workbench.row('opcode, value SPLICE').isVisible()) files.add(await workbench.activeTab());
    }
    expect(files.size).toBe(3);
    await workbench.showPane('Call Stack');
    const threads = workbench.page.locator('.debug-call-stack .monaco-list-row');
    await threads.filter({ hasText: 'q0 tag 0 WRITE 4 KiB' }).first().waitFor();
    await workbench.shots('debug');
  });
});

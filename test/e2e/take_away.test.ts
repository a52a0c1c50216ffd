import type { Page } from 'playwright-core';
import { afterEach, describe, expect, it } from 'vitest';
import { beforeTests } from './opened';
import { Views } from './views';
import type { Workbench } from './workbench';

describe('what is taken away', () => {
  let workbench: Workbench;
  let views: Views;
  beforeTests(async (opened) => {
    workbench = opened;
    await workbench.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    views = new Views(workbench);
  });

  afterEach(() => {
    expect(views.refused.splice(0)).toEqual([]);
  });

  /** What the clipboard holds: types, and the beginning of the bytes of the first. */
  async function clipboard(): Promise<{ types: string[]; head: number[]; size: number }> {
    return (await views.frame()).evaluate(`navigator.clipboard.read().then(async ([item]) => {
      const bytes = new Uint8Array(await (await item.getType(item.types[0])).arrayBuffer());
      return { types: [...item.types], head: [...bytes.slice(0, 8)], size: bytes.length };
    })`);
  }

  async function choose(name: RegExp): Promise<void> {
    const frame = await views.frame();
    await frame.getByRole('button', { name: 'Save or copy the picture' }).click();
    await frame.getByRole('menuitem', { name }).click();
  }

  it('copies a picture of each face, and the sequence as text', async () => {
    await workbench.openFile('loop-zc.ublk');
    await workbench.command('ublk Trace: Show Timeline');
    await views.drawn();
    for (const face of ['Timeline', 'Machine', 'Sequence'] as const) {
      await views.face(face);
      await (await views.frame()).evaluate(`navigator.clipboard.writeText('nothing yet')`);
      await choose(/^Copy as PNG/);
      await expect.poll(async () => (await clipboard()).types).toEqual(['image/png']);
      const { head, size } = await clipboard();
      expect(head).toEqual([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
      expect(size).toBeGreaterThan(5000);
    }
    await choose(/^Copy as Mermaid/);
    await expect
      .poll(async () => (await views.frame()).evaluate('navigator.clipboard.readText()'))
      .toMatch(/^sequenceDiagram/);
  });

  it('goes on where it was in a window of its own', async () => {
    const frame = await views.frame();
    await views.face('Machine');
    await frame.locator('.status .what').click();
    await views.step('.');
    const before = await views.status();
    const opened = workbench.page.context().waitForEvent('page');
    await workbench.command('View: Move Editor into New Window');
    const window: Page = await opened;
    const status = async (): Promise<string> => {
      for (const each of window.frames()) {
        const what = each.locator('.status .what');
        if (await what.isVisible().catch(() => false)) return (await what.textContent()) ?? '';
      }
      return '';
    };
    await expect.poll(status).toBe(before);
    const moved = window.frames();
    const tabs = await Promise.all(
      moved.map((each) => each.getByRole('tab', { name: 'Machine', selected: true }).count()),
    );
    expect(tabs.reduce((sum, count) => sum + count, 0)).toBe(1);
    await window.close();
  });
});

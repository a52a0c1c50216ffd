import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { beforeTests } from './opened';
import { Views } from './views';
import type { Workbench } from './workbench';

const workspace = process.env.E2E_WORKSPACE ?? '';
const recording = join(workspace, 'autobuf.ublktrace');

describe('views of a trace', () => {
  let workbench: Workbench;
  let views: Views;
  beforeAll(() => {
    cpSync(join(workspace, 'recordings', '7.3-auto-buf-reg.ublktrace'), recording);
  });
  afterAll(() => {
    rmSync(recording, { force: true });
  });
  beforeTests((opened) => {
    workbench = opened;
    views = new Views(workbench);
  });

  afterEach(() => {
    expect(views.refused.splice(0)).toEqual([]);
  });

  const openFile = async (name: string): Promise<void> => {
    await workbench.container(/^Explorer/i);
    await workbench.openFile(name);
  };

  const closeAll = async (): Promise<void> => {
    await workbench.command('View: Close All Editors');
    await expect.poll(() => workbench.page.locator('.tabs-container .tab').count()).toBe(0);
  };

  it('opens the timeline by the button of the title bar', async () => {
    await openFile('loop-zc.ublk');
    const button = workbench.page.locator('.editor-actions').getByRole('button', { name: /^Show Timeline/ });
    await button.click();
    // a view that nobody has moved in begins with the first request
    await expect.poll(() => views.status()).toMatch(/block_bio_queue.*q0 tag \d/);
    expect(await views.findings()).toEqual([]);
    await workbench.shot('timeline-beside');
  });

  it('moves by a click and by keys, zooms, fits, searches and selects', async () => {
    const { page } = workbench;
    await closeAll();
    await workbench.command('ublk Trace: Show Timeline');
    await expect.poll(() => views.event()).toBeGreaterThan(0);
    await views.drawn();
    await views.clickSpan();
    await expect.poll(() => views.status()).toMatch(/q0 tag \d/);
    const first = await views.event();
    const next = await views.step(']');
    expect(next).toBeGreaterThan(first);
    expect(await views.step('[')).toBe(first);
    expect(await views.step('.')).toBe(first + 1);
    expect(await views.step(',')).toBe(first);
    await views.redrawn(() => page.keyboard.press('w'));
    await views.redrawn(() => page.keyboard.press('s'));
    await views.redrawn(() => page.keyboard.press('d'));
    await views.redrawn(() => page.keyboard.press('f'));

    await page.keyboard.press('/');
    const frame = await views.frame();
    const box = frame.getByRole('textbox', { name: 'Search events' });
    await box.fill('name == add_to_pipe');
    await box.press('Enter');
    await expect.poll(() => views.status()).toContain('add_to_pipe');
    await box.press('Escape');

    const surface = (await frame.locator('.surface').first().boundingBox())!;
    await page.keyboard.down('Shift');
    await page.mouse.move(surface.x + surface.width * 0.4, surface.y + 100);
    await page.mouse.down();
    await page.mouse.move(surface.x + surface.width * 0.6, surface.y + 105, { steps: 4 });
    await page.mouse.move(surface.x + surface.width * 0.9, surface.y + 105, { steps: 4 });
    await page.mouse.up();
    await page.keyboard.up('Shift');
    await frame.locator('.percentiles').waitFor();
    await workbench.shot('timeline-selection');
    await page.keyboard.press('Escape');
    await frame.locator('.measured').waitFor({ state: 'hidden' });
  });

  it('shows each face in each theme, changed while it is open, with nothing serious for axe', async () => {
    const { page } = workbench;
    await workbench.command('View: Toggle Primary Side Bar Visibility');
    for (const face of ['Timeline', 'Sequence', 'Machine'] as const) {
      await views.face(face);
      if (face === 'Timeline') await page.keyboard.press('Shift+F');
      expect(await views.findings()).toEqual([]);
      await workbench.shots(`view-${face.toLowerCase()}`);
    }
    await workbench.command('View: Toggle Primary Side Bar Visibility');
    await views.face('Timeline');
  });

  it('has pins, cursor, zoom and face again after a reload', async () => {
    const { page } = workbench;
    await views.clickSpan();
    await expect.poll(() => views.status()).toMatch(/q0 tag \d/);
    await page.keyboard.press('p');
    await workbench.container(/ublk Trace/i);
    await workbench.row('Pinned, 1').waitFor();
    await views.face('Machine');
    const before = await views.status();
    await workbench.stored(new RegExp(`"event":${await views.event()}\\b`), /"face":"machine"/);
    await workbench.stored(/"pins":\[\{/);
    await page.reload();
    await workbench.page.locator('.activitybar').getByRole('tab').first().waitFor();
    await expect.poll(() => views.status()).toBe(before);
    const frame = await views.frame();
    const machine = frame.getByRole('tab', { name: 'Machine' });
    await expect.poll(() => machine.getAttribute('aria-selected')).toBe('true');
    await workbench.container(/ublk Trace/i);
    await workbench.row('Pinned, 1').waitFor();
    await views.face('Timeline');
    await frame.locator('.status .what').click();
    await page.keyboard.press('p');
    await workbench.row('Pinned, 1').waitFor({ state: 'hidden' });
  });

  it('goes on where it was in another group', async () => {
    await closeAll();
    await openFile('loop-zc.ublk');
    await workbench.command('ublk Trace: Show Sequence');
    await views.drawn();
    const frame = await views.frame();
    await frame.locator('.status .what').click();
    await views.step('.');
    const before = await views.status();
    await workbench.command('View: Move Editor into Left Group');
    await expect.poll(() => workbench.page.locator('.editor-group-container').count()).toBe(1);
    await expect.poll(() => views.status()).toBe(before);
    const moved = await views.frame();
    await expect
      .poll(() => moved.getByRole('tab', { name: 'Sequence' }).getAttribute('aria-selected'))
      .toBe('true');
  });

  it('compares a session with and without -z', async () => {
    await closeAll();
    await openFile('loop-zc.ublk');
    await workbench.page.getByRole('button', { name: 'Compare with and without -z' }).first().click();
    const frame = await views.frame();
    const totals = frame.getByRole('table', { name: 'Totals of both traces' });
    await totals.waitFor();
    const rows = await totals.locator('tbody tr').allTextContents();
    expect(rows[0]).toMatch(/without -z.*KiB/);
    expect(rows[1]).toMatch(/with -z0 B/);
    expect(await totals.getByRole('columnheader').allTextContents()).toEqual([
      'Trace',
      'Bytes copied',
      'SQEs',
      'CQEs',
      'Punts to io-wq',
      'Requests',
      'Length',
    ]);
    const [upper, lower] = await frame.locator('.timeline').all();
    expect((await upper!.boundingBox())!.y).toBeLessThan((await lower!.boundingBox())!.y);
    expect(await views.findings()).toEqual([]);
    await workbench.tab('loop-zc.ublk').first().click({ button: 'middle' });
    await workbench.command('View: Toggle Primary Side Bar Visibility');
    await frame.getByRole('button', { name: 'Show or hide the explanation' }).click();
    await workbench.shots('view-compare');
    await workbench.command('View: Toggle Primary Side Bar Visibility');
  });

  it('moves the debugger, the tree and the text, and is moved by them, with a trace file open', async () => {
    const { page } = workbench;
    await closeAll();
    await openFile('autobuf.ublktrace');
    await workbench.page
      .locator('.editor-actions')
      .getByRole('button', { name: /^Show Timeline/ })
      .click();
    await expect.poll(() => views.event()).toBeGreaterThanOrEqual(0);
    await page.locator('.view-line', { hasText: 'block_bio_queue' }).first().click();
    await page.keyboard.press('F5');
    await page.locator('.debug-top-stack-frame-line').first().waitFor();
    await page.keyboard.press('F10');
    await expect.poll(() => views.event()).toBe(1);
    const frame = await views.frame();
    await frame.locator('.status').click();
    await views.step('.');
    expect(await views.event()).toBe(2);
    const name = /^Event 2: (\w+)/.exec(await views.status())?.[1] ?? 'none';
    const line = page.locator('.editor-instance .view-line', { hasText: name }).first();
    await line.waitFor();
    await workbench.container(/ublk Trace/i);
    const selected = page.locator('[role=treeitem][aria-selected=true]');
    await expect.poll(() => selected.first().getAttribute('aria-label')).toMatch(`${name}, `);
    await workbench.container(/^Run and Debug/i);
    await workbench.fold('Watch', 'Call Stack', 'Loaded Scripts', 'Breakpoints');
    await workbench.expand(workbench.row('Scope Request'));
    await workbench.row('event, value 2').waitFor();
    expect(await workbench.activeTab()).not.toBe('');
    await page.keyboard.press('Shift+F5');
    await page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
  });

  it('opens as an editor of its own by Reopen With', async () => {
    await closeAll();
    await openFile('autobuf.ublktrace');
    await workbench.command('View: Reopen Editor With...');
    const { page } = workbench;
    await page.locator('.quick-input-list .monaco-list-row', { hasText: 'ublk Timeline' }).first().click();
    await expect.poll(() => views.event()).toBeGreaterThanOrEqual(0);
    expect(await workbench.activeTab()).toBe('autobuf.ublktrace');
    await workbench.shot('custom-editor');
  });

  it('steps one tag through the machine', async () => {
    const { page } = workbench;
    await closeAll();
    await openFile('loop-zc.ublk');
    await workbench.command('ublk Trace: Show Machine');
    await expect.poll(() => views.event()).toBeGreaterThanOrEqual(0);
    await workbench.tab('loop-zc.ublk').first().click({ button: 'middle' });
    await workbench.command('View: Toggle Primary Side Bar Visibility');
    await page.setViewportSize({ width: 1120, height: 760 });
    const frame = await views.frame();
    await frame.locator('.status .what').click();
    await page.keyboard.press('/');
    const box = frame.getByRole('textbox', { name: 'Search events' });
    await box.fill('name == ublk_queue_rq && op == WRITE');
    await box.press('Enter');
    await expect.poll(() => views.status()).toContain('ublk_queue_rq');
    await box.press('Escape');
    if (await frame.locator('.side').isVisible()) await page.keyboard.press('i');
    await frame.locator('.side').waitFor({ state: 'hidden' });
    for (let step = 0; step < 18; step++) {
      await views.drawn();
      await workbench.shot(`step-${String(step).padStart(2, '0')}`);
      await views.step(']');
    }
  });
});

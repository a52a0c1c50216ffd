import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import AxeBuilder from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Face } from '../../src/webview/protocol_data';
import type { Spec } from './harness/host';
import { buildPage, launch, type OpenOptions, openView, settled } from './harness/page';

const root = fileURLToPath(new URL('../../', import.meta.url));
const SAMPLE: Spec = {
  name: 'loop-zc.ublk',
  session: readFileSync(join(root, 'samples/loop-zc.ublk'), 'utf8'),
};
const RECORDING: Spec = {
  name: 'recording',
  text: gunzipSync(
    readFileSync(join(root, 'test/fixtures/oracle/k7.3-loop-copy-kublk-q1d32/trace.txt.gz')),
  ).toString(),
};

let browser: Browser;
let file: string;
const pages: Page[] = [];
const errors: string[] = [];

/** Opens a face with the cursor on an event of a request. */
async function open(
  face: Face,
  event: number,
  request: number,
  options: OpenOptions = {},
  spec = SAMPLE,
): Promise<Page> {
  const cursor = { event, request, time: 0, text: '', label: '' };
  const state = {
    version: 1,
    uri: 'x',
    face,
    cursor,
    from: 0,
    to: 1e6,
    pins: [],
    scroll: 0,
    sidePanel: false,
  } as const;
  const page = await openView(browser, file, [spec], {
    state,
    ...options,
    onError: (text) => errors.push(text),
  });
  pages.push(page);
  await page.locator('.sequence-line, .machine-part').first().waitFor();
  await settled(page);
  return page;
}

async function findings(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).options({ preload: false }).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`),
    );
}

const asked = (page: Page, name: string): Promise<unknown[]> =>
  page.evaluate(
    (wanted) => window.harness.asked.filter((ask) => ask.ask === wanted).map((ask) => ask.with),
    name,
  );

beforeAll(async () => {
  const executable = process.env.E2E_BROWSER;
  if (!executable) throw new Error('E2E_BROWSER is not set: run npm run test:e2e');
  file = await buildPage();
  browser = await launch(executable);
});

afterAll(async () => {
  await browser?.close();
});

afterEach(async () => {
  await Promise.all(pages.splice(0).map((page) => page.context().close()));
  expect(errors.splice(0)).toEqual([]);
});

describe.each(['sequence', 'machine'] as const)('the %s face', (face) => {
  it.each(['dark', 'light', 'high-contrast', 'high-contrast-light'] as const)(
    'has nothing serious for axe in %s',
    async (theme) => {
      const page = await open(face, 796, 12, { theme });
      expect(await findings(page)).toEqual([]);
    },
  );

  it('holds at 400 pixels and for a recording', async () => {
    const page = await open(face, 300, 5, { viewport: { width: 400, height: 700 } }, RECORDING);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(400);
    const drawing = await page.locator(`.${face} svg.drawing`).last().boundingBox();
    expect(drawing?.width).toBeLessThanOrEqual(400);
    expect(await findings(page)).toEqual([]);
  });

  it('says so where there are no events', async () => {
    const empty = { name: 'empty.ublk', session: '# nothing\n' };
    const state = {
      version: 1,
      uri: 'x',
      face,
      cursor: { event: -1, request: -1, time: 0, text: '', label: '' },
      from: 0,
      to: 1,
      pins: [],
      scroll: 0,
      sidePanel: false,
    } as const;
    const page = await openView(browser, file, [empty], { state, onError: (text) => errors.push(text) });
    pages.push(page);
    await page
      .getByText(/No events\.|the trace has no events/)
      .first()
      .waitFor();
    await page.keyboard.press('.');
    await settled(page);
  });
});

describe('the sequence', () => {
  it('moves the cursor by key and by click, and follows it beyond the rows at hand', async () => {
    const page = await open('sequence', 796, -1);
    await page.locator('#line-797').click();
    await expect.poll(() => page.locator('#line-797').getAttribute('aria-selected')).toBe('true');
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => page.locator('#line-798').getAttribute('aria-selected')).toBe('true');
    await page.keyboard.press('Escape');
    await page.keyboard.press('End');
    const selected = () => page.locator('[role=option][aria-selected=true]').textContent();
    await expect.poll(() => page.locator('[role=option]').last().getAttribute('aria-selected')).toBe('true');
    expect(await selected()).not.toBe('');
    await expect.poll(() => page.locator('[role=option]').last().isVisible()).toBe(true);
    await page.getByText(/events before/).waitFor({ state: 'attached' });
  });

  it('has the focus on its lines and the machine on its parts after a change of face by key', async () => {
    const page = await open('machine', 796, 12);
    await page.keyboard.press('2');
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.getAttribute('role')))
      .toBe('listbox');
    await page.keyboard.press('3');
    const part = () => page.evaluate(() => document.activeElement?.getAttribute('data-part'));
    await expect.poll(part).not.toBeNull();
    const first = await part();
    await page.keyboard.press('ArrowDown');
    await expect.poll(part).not.toBe(first);
    await page.keyboard.press('w');
    expect(await page.locator('.status .notice').textContent()).toContain('Timeline');
  });

  it('shows only the focused request when asked', async () => {
    const page = await open('sequence', 796, 12);
    await page.keyboard.press('o');
    await page.locator('#line-1008').waitFor({ state: 'attached' });
    expect(await page.locator('#line-797').count()).toBe(0);
    await page.keyboard.press('ArrowDown');
    await expect
      .poll(() => page.locator('[role=option][aria-selected=true]').getAttribute('id'))
      .toBe('line-804');
  });

  it('scrolls through all events', async () => {
    const page = await open('sequence', 0, -1);
    for (let k = 0; k < 40 && (await page.locator('#line-600').count()) === 0; k++) {
      await page.locator('.sequence-scroll').evaluate((box) => box.scrollBy(0, 2500));
      await settled(page);
    }
    expect(await page.locator('#line-600').count()).toBe(1);
  });
});

describe('the machine', () => {
  it('tells what happened, marks what changed and says what it was', async () => {
    const page = await open('machine', 796, 12);
    expect(await page.locator('.machine h2').textContent()).toMatch(
      /posts the CQE of COMMIT_AND_FETCH tag 1/,
    );
    const slot = page.locator('[data-part="slot:0:1"]');
    expect(await slot.getAttribute('aria-label')).toMatch(/OWNED, .*changed.*was ACTIVE/);
    const values = page.getByRole('region', { name: 'Values of q0 tag 1' });
    expect(await values.textContent()).toContain('was ACTIVE');
  });

  it('is walked by arrow keys, and B breaks when a part or a value changes', async () => {
    const page = await open('machine', 796, 12);
    await page.locator('.machine-part[tabindex="0"]').focus();
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('data-part') ?? '');
    expect(await focused()).toBe('slot:0:1');
    await page.keyboard.press('b');
    await page.keyboard.press('ArrowLeft');
    await expect.poll(focused).toBe('slot:0:0');
    await page.keyboard.press('Enter');
    await page.getByRole('region', { name: 'Values of q0 tag 0' }).waitFor();
    await page.locator('[data-path="slot:0:0:request"]').click();
    await expect
      .poll(() => asked(page, 'breakWhen'))
      .toEqual([
        { trace: 0, path: 'slot:0:1:state' },
        { trace: 0, path: 'slot:0:0:request' },
      ]);
  });

  it('follows steps, and keeps in view what was picked', async () => {
    const page = await open('machine', 920, 12);
    await page.locator('[data-part="pipe:1"]').click();
    await page.keyboard.press(']');
    await expect
      .poll(() => page.locator('.machine .by').first().textContent())
      .toMatch(/^ublk_splice_read_ret/);
    await page.getByRole('region', { name: /Values of pipe 1/ }).waitFor();
  });

  it('does not move where motion is not wanted', async () => {
    const page = await open('machine', 796, 12, { reducedMotion: 'reduce' });
    const name = await page
      .locator('.machine-flash')
      .first()
      .evaluate((flash) => getComputedStyle(flash).animationName);
    expect(name).toBe('none');
  });
});

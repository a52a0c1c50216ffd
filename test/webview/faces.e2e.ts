import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import AxeBuilder from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PROTOCOL_VERSION, type SavedView } from '../../src/webview/protocol';
import type { Face } from '../../src/webview/protocol_data';
import type { Spec } from './harness/host';
import { buildPage, launch, type OpenOptions, openView, settled } from './harness/page';

const root = fileURLToPath(new URL('../../', import.meta.url));
const SAMPLE: Spec = {
  name: 'loop-zc.ublk',
  session: readFileSync(join(root, 'samples/loop-zc.ublk'), 'utf8'),
};
const COPY: Spec = {
  name: 'loop-copy.ublk',
  session: readFileSync(join(root, 'samples/loop-copy.ublk'), 'utf8'),
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

function stateAt(face: Face, event: number, request: number): SavedView {
  return {
    version: PROTOCOL_VERSION,
    uri: 'x',
    face,
    cursor: { event, request, time: 0, text: '', label: '' },
    from: 0,
    to: 1e6,
    scroll: 0,
    sidePanel: false,
  };
}

/** Keeps a picture to look at where the run keeps its pictures. */
async function shot(page: Page, name: string): Promise<void> {
  const folder = process.env.E2E_SHOTS;
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** Opens a face with the cursor on an event of a request. */
async function open(
  face: Face,
  event: number,
  request: number,
  options: OpenOptions = {},
  spec = SAMPLE,
): Promise<Page> {
  const state = stateAt(face, event, request);
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

describe('the picture of a face', () => {
  it('is handed out after the face was turned to by key', async () => {
    const page = await open('sequence', 796, 12);
    const button = page.getByRole('button', { name: 'Save or copy the picture' });
    const names = { 1: 'timeline', 2: 'sequence', 3: 'machine' } as const;
    for (const key of [3, 2, 1, 2, 1, 3] as const) {
      await page.keyboard.press(String(key));
      await expect.poll(() => button.isDisabled()).toBe(false);
      await button.click();
      await page.getByRole('menuitem', { name: 'Save as SVG …' }).click();
      const saved = (): Promise<string | undefined> => page.evaluate(() => window.harness.saved.at(-1)?.name);
      await expect.poll(saved).toBe(`loop-zc-${names[key]}.svg`);
    }
  });
});

describe('the machine in a small window', () => {
  it('brings what each step changed into view, unless a part is kept there', async () => {
    const page = await open('machine', 796, 12, {
      viewport: { width: 820, height: 600 },
      reducedMotion: 'reduce',
    });
    const box = page.locator('.machine-scroll');
    /** Whether a changed part is in view; true where nothing that is drawn changed. */
    const inView = (): Promise<boolean> =>
      box.evaluate((frame) => {
        const { top, left } = frame.getBoundingClientRect();
        const marked = [...frame.querySelectorAll('.machine-part:has(.machine-flash)')];
        const inside = (part: Element): boolean => {
          const { x, y, right } = part.getBoundingClientRect();
          return x >= left - 1 && y >= top - 1 && y + 12 <= top + frame.clientHeight && right > left;
        };
        return marked.length === 0 || marked.some(inside);
      });
    const asked = (): Promise<number> =>
      page.evaluate(() => window.harness.asked.filter((ask) => ask.ask === 'machine').length);
    for (let k = 0; k < 14; k++) {
      const before = await asked();
      await page.keyboard.press(']');
      await expect.poll(asked).toBeGreaterThan(before);
      await expect.poll(inView, { message: `step ${k}` }).toBe(true);
    }
    const share = await page.evaluate(() => {
      const height = (name: string): number =>
        document.querySelector(name)?.getBoundingClientRect().height ?? 0;
      return height('.machine-scroll') / height('.machine');
    });
    expect(share).toBeGreaterThan(0.5);
    await page.locator('.machine-part').first().click();
    const kept = await box.evaluate((frame) => frame.scrollTop);
    const before = await asked();
    await page.keyboard.press(']');
    await expect.poll(asked).toBeGreaterThan(before);
    await settled(page);
    expect(await box.evaluate((frame) => frame.scrollTop)).toBe(kept);
  });
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

  it('is zoomed by keys and by the wheel, fits, and comes back at its size', async () => {
    const page = await open(face, 796, 12);
    const drawing = page.locator(`.${face} svg.drawing`).last();
    /** Pixels on the screen per unit of the drawing. */
    const size = (): Promise<number> =>
      drawing.evaluate((svg: SVGSVGElement) => svg.width.baseVal.value / svg.viewBox.baseVal.width);
    expect(await size()).toBe(1);
    for (const key of ['+', 'w', '+']) await page.keyboard.press(key);
    await expect.poll(size).toBeCloseTo(2, 5);
    expect(await page.locator('.status .notice').textContent()).toContain('200 %');
    await page.keyboard.press('-');
    await expect.poll(size).toBeCloseTo(1.5, 5);
    await drawing.hover({ position: { x: 20, y: 20 } });
    await page.keyboard.down('Control');
    await page.mouse.wheel(0, -100);
    await page.keyboard.up('Control');
    await expect.poll(size).toBeCloseTo(2, 5);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(1440);
    expect(await findings(page)).toEqual([]);
    await page.waitForTimeout(400);
    const state = (await page.evaluate(() => window.harness.state))!;
    const again = await openView(browser, file, [SAMPLE], { state, onError: (text) => errors.push(text) });
    pages.push(again);
    const kept = again.locator(`.${face} svg.drawing`).last();
    await kept.waitFor();
    expect(
      await kept.evaluate((svg: SVGSVGElement) => svg.width.baseVal.value / svg.viewBox.baseVal.width),
    ).toBeCloseTo(2, 5);
    await page.keyboard.press('f');
    await expect.poll(size).toBeLessThanOrEqual(1);
    for (const key of ['w', 'w', 'PageDown', 's', 'ArrowRight']) await page.keyboard.press(key);
  });

  it.each([
    ['side by side', { width: 1440, height: 820 }, 2],
    ['one above the other', { width: 760, height: 900 }, 2],
    ['one at a time without room for both', { width: 600, height: 480 }, 1],
  ] as const)('shows two traces %s, and keys act on one of them', async (_, viewport, drawn) => {
    const state = stateAt(face, 300, -1);
    const page = await openView(browser, file, [COPY, SAMPLE], {
      state,
      viewport,
      onError: (text) => errors.push(text),
    });
    pages.push(page);
    const drawings = page.locator(`.pane .${face}:visible`);
    await expect.poll(() => drawings.count()).toBe(drawn);
    await page.locator('.sequence-line, .machine-part').first().waitFor();
    await settled(page);
    const boxes = await Promise.all((await page.locator('.pane').all()).map((pane) => pane.boundingBox()));
    const [one, two] = boxes.map((box) => box!) as [
      NonNullable<(typeof boxes)[0]>,
      NonNullable<(typeof boxes)[0]>,
    ];
    if (viewport.width > 1000) expect(two.x).toBeGreaterThanOrEqual(one.x + one.width);
    else expect(two.y).toBeGreaterThanOrEqual(one.y + one.height);
    const current = page.locator('.pane .trace-name[aria-current=true]');
    expect(await current.textContent()).toMatch(/^loop-copy\.ublk/);
    await page.keyboard.press('x');
    await expect.poll(() => current.textContent()).toMatch(/^loop-zc\.ublk/);
    const before = (await asked(page, 'step')).length;
    await page.keyboard.press('.');
    await expect
      .poll(async () => (await asked(page, 'step')).slice(before))
      .toEqual([{ trace: 1, step: 'next' }]);
    await page.locator('.pane .trace-name button').first().click();
    await expect.poll(() => current.textContent()).toMatch(/^loop-copy\.ublk/);
    await settled(page);
    expect(await findings(page)).toEqual([]);
    await shot(page, `${face}-pair-${viewport.width}`);
  });

  it('says so where there are no events', async () => {
    const empty = { name: 'empty.ublk', session: '# nothing\n' };
    const state = stateAt(face, -1, -1);
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
    await page.keyboard.press('Shift+F');
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

describe('what the pointer rests on', () => {
  it('is explained in the sequence: the event, its function and kernel, why and what comes next', async () => {
    const page = await open('sequence', 300, -1);
    const line = page.locator('.sequence-line[aria-selected="true"]');
    await line.hover({ position: { x: 30, y: 10 } });
    const tip = page.getByRole('tooltip');
    await expect.poll(() => tip.textContent()).toMatch(/simulated 6\.1[\s\S]*Next: /);
    const said = (await line.getAttribute('aria-label'))!;
    const title = (await tip.locator('strong').textContent())!;
    expect(said.startsWith(title)).toBe(true);
    await shot(page, 'sequence-tip');
    expect(await findings(page)).toEqual([]);
    await page.mouse.move(2, 2);
    await expect.poll(() => tip.count()).toBe(0);
  });

  it('is told of a part of the machine: its state, what changed it, its values', async () => {
    const page = await open('machine', 300, -1);
    const part = page.locator('.machine-part:has(.machine-flash)').first();
    await part.hover();
    const tip = page.getByRole('tooltip');
    await expect.poll(() => tip.textContent()).toMatch(/Changed by this event: /);
    expect(await tip.locator('dt').count()).toBeGreaterThan(0);
    await shot(page, 'machine-tip');
    expect(await findings(page)).toEqual([]);
    const other = page
      .locator('.machine-part:not(:has(.machine-flash))', { hasText: /FREE|ACTIVE|OWNED/ })
      .first();
    await other.hover();
    await expect.poll(() => tip.textContent()).toMatch(/Changed last by event \d+: /);
    await page.keyboard.press('.');
    await expect.poll(() => tip.count()).toBe(0);
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

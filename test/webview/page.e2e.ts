import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import AxeBuilder from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SavedView } from '../../src/webview/protocol';
import { buildPage, launch, type OpenOptions, openView, settled } from './harness/page';
import type { Spec } from './harness/host';

const root = fileURLToPath(new URL('../../', import.meta.url));

function sample(name: string): Spec {
  return { name: `${name}.ublk`, session: readFileSync(join(root, 'samples', `${name}.ublk`), 'utf8') };
}

let browser: Browser;
let file: string;
const pages: Page[] = [];
const errors: string[] = [];

async function open(specs: readonly Spec[] = [sample('loop-zc')], options: OpenOptions = {}): Promise<Page> {
  const page = await openView(browser, file, specs, { ...options, onError: (text) => errors.push(text) });
  pages.push(page);
  await settled(page);
  return page;
}

const status = (page: Page): Promise<string | null> => page.locator('.status .what').textContent();
const state = (page: Page): Promise<SavedView | undefined> => page.evaluate(() => window.harness.state);

/** Serious findings of axe, one line each. */
async function findings(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).options({ preload: false }).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`),
    );
}

/** A point of the canvas over a span, found as a person finds it: by the pointer's shape. */
async function pointOnSpan(page: Page): Promise<{ x: number; y: number }> {
  const box = await page.locator('.surface').first().boundingBox();
  if (box === null) throw new Error('no timeline');
  for (let y = box.y + 70; y < box.y + 240; y += 5) {
    for (let x = box.x + 220; x < box.x + box.width - 20; x += 40) {
      await page.mouse.move(x, y);
      const cursor = await page
        .locator('.surface')
        .first()
        .evaluate((surface) => surface.style.cursor);
      if (cursor === 'pointer') return { x, y };
    }
  }
  throw new Error('no span found');
}

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

describe('for everyone', () => {
  it.each(['dark', 'light', 'high-contrast', 'high-contrast-light'] as const)(
    'axe finds nothing serious in %s',
    async (theme) => {
      const page = await open(undefined, { theme });
      expect(await findings(page)).toEqual([]);
      const { x, y } = await pointOnSpan(page);
      await page.mouse.click(x, y);
      await page.keyboard.press('t');
      await page.keyboard.press('/');
      await settled(page);
      expect(await findings(page)).toEqual([]);
      await page.keyboard.press('Escape');
      await page.keyboard.press('?');
      expect(await findings(page)).toEqual([]);
    },
  );

  it('holds at 400 pixels, at twice the pixels, with forced colours and without motion', async () => {
    const narrow = await open(undefined, { viewport: { width: 400, height: 700 } });
    expect(await narrow.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(400);
    await narrow.locator('.status').waitFor();
    const forced = await open(undefined, {
      forcedColors: 'active',
      reducedMotion: 'reduce',
      deviceScaleFactor: 2,
    });
    await forced.keyboard.press('f');
    const canvas = forced.locator('canvas');
    const [wide, shown] = await canvas.evaluate((node) => [
      (node as HTMLCanvasElement).width,
      node.clientWidth,
    ]);
    expect(wide).toBe(shown! * 2);
    // axe does not know forced colours; the drawing must take the system's.
    const [drawn, system] = await canvas.evaluate((node) => {
      const { data } = (node as HTMLCanvasElement).getContext('2d')!.getImageData(3, 90, 1, 1);
      document.body.style.backgroundColor = 'Canvas';
      return [`rgb(${data[0]}, ${data[1]}, ${data[2]})`, getComputedStyle(document.body).backgroundColor];
    });
    expect(drawn).toBe(system);
  });

  it('says each step politely, and has the events around it in a table', async () => {
    const page = await open();
    await page.keyboard.press('.');
    await expect.poll(() => status(page)).toMatch(/^Event 1: /);
    expect(await page.locator('.status .what').getAttribute('aria-live')).toBe('polite');
    const row = page.getByRole('table', { name: 'Events around the cursor' }).locator('[aria-current=true]');
    await expect.poll(() => row.textContent()).toMatch(/^1/);
  });

  it('changes its theme while it is open', async () => {
    const page = await open();
    const corner = () =>
      page.locator('canvas').evaluate((node) => {
        const { data } = (node as HTMLCanvasElement).getContext('2d')!.getImageData(3, 45, 1, 1);
        return data[0];
      });
    await expect.poll(corner).toBe(0x1f);
    await page.evaluate(() => window.harness.theme('light'));
    await expect.poll(corner).toBe(0xff);
  });
});

describe('the timeline', () => {
  it('moves the cursor by a click, steps along the request, and explains each event', async () => {
    const page = await open();
    const { x, y } = await pointOnSpan(page);
    await page.mouse.click(x, y);
    await expect.poll(() => status(page)).toMatch(/q0 tag \d/);
    const first = await status(page);
    await page.keyboard.press(']');
    await expect.poll(() => status(page)).not.toBe(first);
    await page.keyboard.press('[');
    await expect.poll(() => status(page)).toBe(first);
    const name = /^Event \d+: (\w+)/.exec(first ?? '')?.[1];
    await expect.poll(() => page.locator('.side h2').textContent()).toBe(name);
    await page.locator('.side .link').first().click();
    await expect.poll(() => status(page)).not.toBe(first);
  });

  it('zooms and moves by keys and wheel, and fits again', async () => {
    const page = await open();
    const width = async () => {
      const view = await state(page);
      return view === undefined ? 0 : view.to - view.from;
    };
    await page.keyboard.press('f');
    await expect.poll(width).toBeGreaterThan(1e8);
    const whole = await width();
    await page.keyboard.press('w');
    await expect.poll(width).toBeCloseTo(whole * 0.75, -3);
    await page.mouse.move(700, 300);
    await page.keyboard.down('Control');
    await page.mouse.wheel(0, -300);
    await page.keyboard.up('Control');
    await expect.poll(width).toBeLessThan(whole * 0.5);
    const from = (await state(page))!.from;
    await page.keyboard.press('d');
    await expect.poll(async () => (await state(page))!.from).toBeGreaterThan(from);
    await page.keyboard.press('f');
    await expect.poll(width).toBe(whole);
  });

  it('measures a range of time', async () => {
    const page = await open();
    await page.keyboard.down('Shift');
    await page.mouse.move(400, 150);
    await page.mouse.down();
    await page.mouse.move(650, 160, { steps: 4 });
    await page.mouse.move(900, 160, { steps: 4 });
    await page.mouse.up();
    await page.keyboard.up('Shift');
    const table = page.locator('.percentiles');
    await table.waitFor();
    expect(await table.locator('thead').textContent()).toMatch(/p50.*p90.*p99/);
    await page.locator('.ranked .link').first().click();
    await expect.poll(() => status(page)).toMatch(/q0 tag \d/);
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('.measured').count()).toBe(0);
  });

  it('pins the tag of the focused request', async () => {
    const page = await open();
    const { x, y } = await pointOnSpan(page);
    await page.mouse.click(x, y);
    await settled(page);
    await page.keyboard.press('p');
    const notice = (): Promise<string | null> => page.locator('.status .notice').textContent();
    await expect.poll(notice).toMatch(/^Pinned ublkb0\/0\/\d\.$/);
    await page.keyboard.press('p');
    await expect.poll(notice).toMatch(/^Unpinned ublkb0\/0\/\d\.$/);
  });

  it('searches, and says what is wrong with a filter', async () => {
    const page = await open();
    await page.keyboard.press('/');
    const box = page.getByRole('textbox', { name: 'Search events' });
    await box.fill('tag === 3');
    await box.press('Enter');
    await expect.poll(() => page.locator('#search-message').textContent()).not.toBe('');
    expect(await box.getAttribute('aria-invalid')).toBe('true');
    await box.fill('name == ublk_queue_rq');
    await box.press('Enter');
    await expect.poll(() => status(page)).toContain('ublk_queue_rq');
    await box.press('Escape');
    expect(await box.count()).toBe(0);
  });

  it('closes a group by its button', async () => {
    const page = await open();
    const heading = page.getByRole('button', { name: 'Clients', exact: true });
    expect(await heading.getAttribute('aria-expanded')).toBe('true');
    await heading.focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => heading.getAttribute('aria-expanded')).toBe('false');
  });
});

describe('the frame', () => {
  it('comes back after a reload with cursor, zoom and panel', async () => {
    const page = await open();
    const { x, y } = await pointOnSpan(page);
    await page.mouse.click(x, y);
    await page.keyboard.press('w');
    await settled(page);
    await page.keyboard.press('i');
    await expect.poll(async () => (await state(page))?.sidePanel).toBe(false);
    await settled(page);
    const kept = (await state(page))!;
    const again = await open(undefined, { state: kept });
    await expect.poll(() => status(again)).toBe(kept.cursor.text);
    await settled(again);
    const now = (await state(again)) ?? kept;
    expect([now.from, now.to, now.sidePanel]).toEqual([kept.from, kept.to, false]);
  });

  it('shows an error of the host in words, and goes on', async () => {
    const page = await open();
    await page.evaluate(() => {
      window.harness.failNext = { name: 'step', message: 'The trace was closed.' };
    });
    await page.keyboard.press('.');
    await expect.poll(() => page.getByRole('alert').textContent()).toContain('The trace was closed.');
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('alert').count()).toBe(0);
    await page.keyboard.press('.');
    await expect.poll(() => status(page)).toMatch(/^Event 1: /);
  });

  it('follows a trace that is replaced, and a trace without events', async () => {
    const page = await open();
    await page.evaluate((spec) => window.harness.replace([spec]), sample('null-qd8'));
    await settled(page);
    await expect.poll(async () => (await state(page))?.uri).toContain('null-qd8');
    await page.evaluate(() => window.harness.replace([{ name: 'empty.ublk', session: '#: kernel 6.1\n' }]));
    await page.getByText('This trace has no events yet.').waitFor();
    expect(await findings(page)).toEqual([]);
  });

  it('hands out what it draws as SVG and PNG in colours of paper', async () => {
    const page = await open(undefined, { theme: 'high-contrast' });
    for (const item of ['Save as SVG …', 'Save as PNG …']) {
      await page.getByRole('button', { name: 'Save or copy the picture' }).click();
      await page.getByRole('menuitem', { name: item }).click();
    }
    await expect.poll(() => page.evaluate(() => window.harness.saved.length)).toBe(2);
    const saved = await page.evaluate(() =>
      window.harness.saved.map(
        ({ name, data }) => [name, typeof data === 'string' ? data : [...data.slice(0, 8)]] as const,
      ),
    );
    const svg = saved.find(([name]) => name === 'loop-zc-timeline.svg')?.[1];
    expect(svg).toMatch(/^<svg .*fill="#ffffff".*tag 3/s);
    const png = saved.find(([name]) => name === 'loop-zc-timeline.png')?.[1];
    expect(png).toEqual([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  });

  it('shows two traces one above the other, with their totals', async () => {
    const page = await open([sample('loop-copy'), sample('loop-zc')]);
    expect(await page.locator('.timeline').count()).toBe(2);
    const totals = page.getByRole('table', { name: 'Totals of both traces' });
    expect(await totals.getByRole('columnheader').allTextContents()).toContain('Bytes copied');
    expect(await totals.getByRole('row').count()).toBe(3);
    expect(await findings(page)).toEqual([]);
  });

  it('shows a table of all events, whose arrows move the cursor', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'Show or hide the table of events' }).click();
    const grid = page.getByRole('region', { name: 'Events; arrows move the cursor' });
    await grid.focus();
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => status(page)).toMatch(/^Event 1: /);
    await page.keyboard.press('End');
    await expect.poll(() => grid.locator('tr.current').getAttribute('aria-rowindex')).not.toBe('3');
  });

  it('has the current row of the table in sight, below its head', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'Show or hide the table of events' }).click();
    const grid = page.getByRole('region', { name: 'Events; arrows move the cursor' });
    const inSight = (): Promise<boolean> =>
      grid.evaluate((box) => {
        const row = box.querySelector('tr.current')?.getBoundingClientRect();
        const head = box.querySelector('thead')!.getBoundingClientRect();
        const bottom = box.getBoundingClientRect().top + box.clientHeight;
        return row !== undefined && row.top >= head.bottom - 1 && row.bottom <= bottom + 1;
      });
    await grid.focus();
    for (const key of [
      'PageDown',
      'PageDown',
      'PageDown',
      'PageUp',
      'PageUp',
      'End',
      'PageUp',
      'PageUp',
      'Home',
    ]) {
      const before = await status(page);
      await page.keyboard.press(key);
      await expect.poll(() => status(page)).not.toBe(before);
      await expect.poll(inSight, { message: key }).toBe(true);
    }
  });

  it('explains what the pointer rests on', async () => {
    const page = await open();
    const { x, y } = await pointOnSpan(page);
    await page.mouse.move(x, y);
    const tip = page.getByRole('tooltip');
    await expect.poll(() => tip.textContent()).toMatch(/Next: /);
    const asked = () =>
      page.evaluate(() => window.harness.asked.filter(({ ask }) => ask === 'explain').length);
    const before = await asked();
    await page.locator('.surface').hover({ position: { x: 20, y: 100 } });
    await expect.poll(() => tip.textContent()).toMatch(/^tag \d/);
    await page.mouse.move(x, y);
    await expect.poll(() => tip.textContent()).toMatch(/Next: /);
    expect(await asked()).toBe(before);
  });

  it('brings the lane of the current event into view', async () => {
    const page = await open(undefined, { viewport: { width: 1000, height: 420 } });
    const scroller = page.locator('.scroller');
    await scroller.focus();
    const top = (): Promise<number> => scroller.evaluate((box) => box.scrollTop);
    await scroller.evaluate((box) => box.scrollTo(0, box.scrollHeight));
    await settled(page);
    const below = await top();
    await page.keyboard.press('.');
    await expect.poll(() => status(page)).toMatch(/^Event 1: /);
    await expect.poll(top).toBeLessThan(below);
  });

  it('takes every letter that is typed after / for the search', async () => {
    const page = await open();
    await page.locator('.scroller').focus();
    await page.evaluate(() => {
      const type = (key: string) =>
        document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
      type('/');
      // before anything can be drawn
      type('i');
    });
    await page.keyboard.type('tag == 1');
    expect(await page.getByRole('textbox', { name: 'Search events' }).inputValue()).toBe('tag == 1');
    expect(await page.locator('aside.side').count()).toBe(1);
  });

  it('turns the keys to the other trace of a comparison, by key and by focus', async () => {
    const page = await open([sample('loop-copy'), sample('loop-zc')]);
    const acting = page.locator('.trace-name[aria-current=true]');
    expect(await acting.textContent()).toContain('loop-copy');
    await page.keyboard.press('x');
    await expect.poll(() => acting.textContent()).toContain('loop-zc');
    expect(await page.locator('.status .request').textContent()).toContain('loop-zc');
    await page.keyboard.press('.');
    await page.locator('.scroller').first().focus();
    await expect.poll(() => acting.textContent()).toContain('loop-copy');
    await expect.poll(() => status(page)).toMatch(/^Event 0: /);
  });
});

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Frame, Page } from 'playwright-core';
import { expect } from 'vitest';
import type { Workbench } from './workbench';

/** The script of axe, which its Playwright package brings along; that package itself wants a window that it can open pages in. */
const AXE = readFileSync(
  createRequire(createRequire(import.meta.url).resolve('@axe-core/playwright')).resolve(
    'axe-core/axe.min.js',
  ),
  'utf8',
);

interface Report {
  readonly violations: readonly {
    readonly id: string;
    readonly impact?: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}

/** The webviews of a window: their frames are found by what they hold, because VS Code lays them over the editors. */
export class Views {
  /** What the policy of a page refused, and errors of our script. */
  readonly refused: string[] = [];
  private readonly page: Page;

  constructor(workbench: Workbench) {
    this.page = workbench.page;
    this.page.on('console', (message) => {
      const text = message.text();
      const ours = message.location().url.includes('/dist/webview/');
      if (/Content Security Policy/.test(text) && this.isOurs(message.location().url))
        this.refused.push(text);
      else if (ours && message.type() === 'error') this.refused.push(text);
    });
    this.page.on('pageerror', (error) => {
      if (error.stack?.includes('/dist/webview/')) this.refused.push(error.stack);
    });
  }

  private isOurs(url: string): boolean {
    return /ublk-trace|fake\.html|\/webview\//.test(url);
  }

  /** The views that are on the screen, in no order. */
  async frames(): Promise<Frame[]> {
    const frames: Frame[] = [];
    for (const frame of this.page.frames()) {
      const there = await frame
        .locator('footer.status')
        .isVisible()
        .catch(() => false);
      if (there) frames.push(frame);
    }
    return frames;
  }

  /** The only view on the screen. */
  async frame(): Promise<Frame> {
    await expect.poll(async () => (await this.frames()).length).toBe(1);
    return (await this.frames())[0]!;
  }

  /** Sentence of the current event; empty while no view has one. */
  async status(): Promise<string> {
    const [frame] = await this.frames();
    const text = frame?.locator('.status .what').textContent({ timeout: 2000 });
    return (await text?.catch(() => null)) ?? '';
  }

  /** Number of the current event; -1 while no view has one. */
  async event(): Promise<number> {
    return Number(/^Event ([\d,]+)/.exec(await this.status())?.[1]?.replaceAll(',', '') ?? -1);
  }

  /** Presses a key and waits until the view is at another event. */
  async step(key: string): Promise<number> {
    const before = await this.event();
    await this.page.keyboard.press(key);
    await expect.poll(() => this.event()).not.toBe(before);
    return this.event();
  }

  /** Shows a face by its tab. */
  async face(name: 'Timeline' | 'Sequence' | 'Machine'): Promise<void> {
    const tab = (await this.frame()).getByRole('tab', { name });
    await tab.click();
    await expect.poll(() => tab.getAttribute('aria-selected')).toBe('true');
    await this.drawn();
  }

  /** Waits until the face on the screen has drawn something. */
  async drawn(): Promise<void> {
    const frame = await this.frame();
    await frame.locator('.surface canvas:visible, svg.drawing:visible').first().waitFor();
    await expect.poll(() => frame.locator('[aria-busy=true]').count()).toBe(0);
  }

  /** Clicks a span of the timeline, found as a person finds it: by the shape of the pointer. */
  async clickSpan(): Promise<void> {
    const surface = (await this.frame()).locator('.surface').first();
    const box = (await surface.boundingBox())!;
    const find = async (): Promise<boolean> => {
      for (let y = box.y + 60; y < box.y + Math.min(box.height, 400); y += 6) {
        for (let x = box.x + 220; x < box.x + box.width - 20; x += 45) {
          await this.page.mouse.move(x, y);
          if (
            (await surface.evaluate(
              (node) => (node as unknown as { style: { cursor: string } }).style.cursor,
            )) !== 'pointer'
          )
            continue;
          await this.page.mouse.click(x, y);
          return true;
        }
      }
      return false;
    };
    await expect.poll(find).toBe(true);
  }

  /** Width of the visible range as the canvas says it: a picture that changes when it does. */
  async picture(): Promise<string> {
    const canvas = (await this.frame()).locator('.surface canvas').first();
    return canvas.evaluate((node) => (node as unknown as { toDataURL(): string }).toDataURL());
  }

  /** Does something that must change what is drawn. */
  async redrawn(act: () => Promise<void>): Promise<void> {
    const before = await this.picture();
    await act();
    await expect.poll(() => this.picture()).not.toBe(before);
  }

  /** Findings of axe in the view that are serious or worse. */
  async findings(): Promise<string[]> {
    const frame = await this.frame();
    await frame.evaluate(AXE);
    const { violations } = (await frame.evaluate('axe.run({ preload: false })')) as Report;
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)}`));
  }
}

import { join } from 'node:path';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';
import { expect } from 'vitest';

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run npm run test:e2e`);
  return value;
}

/** Colour themes that pictures are taken in, by the end of the picture's name, and their mark on the page. The last one stays. */
const THEMES = [
  ['light', 'Light Modern', 'vs'],
  ['high-contrast', 'Dark High Contrast', 'hc-black'],
  ['dark', 'Dark Modern', 'vs-dark'],
] as const;

/** All that VS Code keeps in the browser's storage, one text a value. */
const STORED = `(async () => {
  const wait = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const values = [];
  for (const { name } of await indexedDB.databases()) {
    if (!name.startsWith('vscode-web-state-db-')) continue;
    const database = await wait(indexedDB.open(name));
    values.push(...await wait(database.transaction('ItemTable').objectStore('ItemTable').getAll()));
    database.close();
  }
  return values.filter((value) => typeof value === 'string');
})()`;

/** Chromium as root has no sandbox. */
export function launchBrowser(): Promise<Browser> {
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath: setting('E2E_BROWSER'), args });
}

/** One VS Code window, driven as a person would: by keys, and by what is on the screen. */
export class Workbench {
  private constructor(readonly page: Page) {}

  /** Opens a window with the samples in it. */
  static async open(browser: Browser): Promise<Workbench> {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    page.setDefaultTimeout(60_000);
    const url = `${setting('E2E_URL')}/?folder=${encodeURIComponent(setting('E2E_WORKSPACE'))}`;
    const workbench = new Workbench(page);
    const start = async (): Promise<void> => {
      await page.goto(url);
      await workbench.explorerFile('loop-zc.ublk').waitFor();
    };
    // Only the start is tried again: a page may come before its server's extension host does.
    await start().catch(start);
    return workbench;
  }

  /** A file's row in the explorer. */
  explorerFile(name: string): Locator {
    return this.page.locator('.explorer-folders-view').getByRole('treeitem', { name });
  }

  /** Opens a file of the explorer in an editor, and waits until its text is there. */
  async openFile(name: string): Promise<void> {
    await this.explorerFile(name).dblclick();
    await this.tab(name).waitFor();
    await this.page.locator('.editor-instance .view-line').first().waitFor();
  }

  /** An editor's tab. */
  tab(name: string): Locator {
    return this.page.locator('.tabs-container').getByRole('tab', { name });
  }

  /** A row of any tree on the screen, by the beginning of what a screen reader says. */
  row(start: string | RegExp): Locator {
    const name =
      typeof start === 'string' ? new RegExp(`^${start.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`) : start;
    return this.page.getByRole('treeitem', { name });
  }

  /** Shows or hides a row's children. A click may be lost; one that is slow to show must not be followed by another. */
  async expand(row: Locator, open = true): Promise<void> {
    await row.waitFor();
    const wanted = String(open);
    const state = (): Promise<string | null> => row.getAttribute('aria-expanded', { timeout: 2000 });
    for (let tries = 0; tries < 3 && (await state()) !== wanted; tries++) {
      await row.locator('.monaco-tl-twistie').click();
      await expect
        .poll(state, { timeout: 10_000 })
        .toBe(wanted)
        .catch(() => undefined);
    }
    expect(await state()).toBe(wanted);
  }

  /** Chooses an item of a row's context menu, again where that did nothing: a menu takes no click in its first 100 ms. */
  async menu(row: Locator, name: string): Promise<void> {
    await row.click({ button: 'right' });
    const item = this.page.getByRole('menuitem', { name, exact: true });
    await item.waitFor();
    const chosen = async (): Promise<boolean> => {
      await item.click({ timeout: 2000 }).catch(() => undefined);
      return item.isHidden();
    };
    await expect.poll(chosen).toBe(true);
  }

  /** Shows a container of the activity bar. Forced, because its own badge lies over the icon. */
  async container(name: RegExp): Promise<void> {
    const tab = this.page.locator('.activitybar').getByRole('tab', { name });
    await tab.waitFor();
    if ((await tab.getAttribute('aria-selected')) !== 'true') await tab.click({ force: true });
    await expect.poll(() => tab.getAttribute('aria-selected')).toBe('true');
  }

  /** Folds views of the side bar, to make room for the others. */
  async fold(...titles: readonly string[]): Promise<void> {
    for (const title of titles) await this.showPane(title, false);
  }

  /** Unfolds a view of the side bar, or folds it. */
  async showPane(title: string, open = true): Promise<void> {
    const header = this.page.locator('.pane-header', { hasText: title }).first();
    if ((await header.getAttribute('aria-expanded')) !== String(open)) await header.click();
    await expect.poll(() => header.getAttribute('aria-expanded')).toBe(String(open));
  }

  /** Waits until a value that VS Code has stored matches all patterns: it stores every few seconds, and a reload gets what was stored. */
  async stored(...patterns: readonly RegExp[]): Promise<void> {
    const found = async (): Promise<boolean> => {
      const values = (await this.page.evaluate(STORED)) as readonly string[];
      // Values are JSON in JSON.
      return values
        .map((value) => value.replaceAll('\\', ''))
        .some((value) => patterns.every((pattern) => pattern.test(value)));
    };
    await expect.poll(found).toBe(true);
  }

  /** Name of the file in the active editor. */
  async activeTab(): Promise<string> {
    const tab = this.page.locator('.tabs-container .tab.active').first();
    return (await tab.getAttribute('data-resource-name')) ?? '';
  }

  /** Runs a command by its title in the palette, "Category: Title". */
  async command(title: string): Promise<void> {
    await this.page.keyboard.press('F1');
    try {
      await this.pick(`>${title}`, title, 20_000);
    } catch {
      // Another quick pick took the focus away while the palette opened.
      await this.page.keyboard.press('Escape');
      await this.page.keyboard.press('F1');
      await this.pick(`>${title}`, title);
    }
  }

  /** Types into the open quick pick and chooses the row that begins with `label`. */
  async pick(text: string, label: string, timeout?: number): Promise<void> {
    const widget = this.page.locator('.quick-input-widget');
    const input = widget.locator('input.input:visible');
    await input.fill(text, { timeout });
    await widget
      .locator('.monaco-list-row')
      .filter({ has: this.page.locator('.label-name', { hasText: new RegExp(`^${label}$`) }) })
      .first()
      .click({ timeout });
  }

  /** Keeps a picture of the window in out/shots. */
  async shot(name: string): Promise<void> {
    // Nothing in the middle of the status bar shows a hover.
    await this.page.mouse.move(720, 895);
    await this.page.screenshot({ path: join(setting('E2E_SHOTS'), `${name}.png`), animations: 'disabled' });
  }

  /** Keeps a picture in each theme, named NAME-dark and so on. */
  async shots(name: string): Promise<void> {
    for (const [suffix, title, mark] of THEMES) {
      await this.command('Preferences: Color Theme');
      await this.page.locator('.quick-input-widget input[placeholder*="Color Theme"]').waitFor();
      await this.pick(title, title);
      await this.page.locator(`.monaco-workbench.${mark}`).waitFor();
      await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
      await this.shot(`${name}-${suffix}`);
    }
  }
}

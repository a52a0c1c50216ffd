import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run npm run test:e2e`);
  return value;
}

/** The folder that VS Code has open: a copy of samples/. */
export const workspaceFolder = (): string => setting('E2E_WORKSPACE');

/** Changes user settings of the running VS Code, which watches the file. */
export function changeSettings(changes: Readonly<Record<string, unknown>>): void {
  const file = setting('E2E_SETTINGS');
  const before: unknown = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, `${JSON.stringify({ ...(before as object), ...changes }, undefined, 2)}\n`);
}

export function launchBrowser(): Promise<Browser> {
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath: setting('E2E_BROWSER'), args });
}

/** One VS Code window, driven as a person would: by keys, and by what is on the screen. */
export class Workbench {
  private constructor(readonly page: Page) {}

  static async open(browser: Browser, folder = workspaceFolder()): Promise<Workbench> {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    page.setDefaultTimeout(30_000);
    await page.goto(`${setting('E2E_URL')}/?folder=${encodeURIComponent(folder)}`);
    const workbench = new Workbench(page);
    await workbench.explorerFile('loop-zc.ublk').waitFor();
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

  /** Runs a command by its title in the palette. */
  async command(title: string): Promise<void> {
    await this.page.keyboard.press('F1');
    const input = this.page.locator('.quick-input-widget input.input').first();
    await input.waitFor();
    await input.fill(`>${title}`);
    await this.page
      .locator('.quick-input-list .monaco-list-row')
      .filter({ hasText: title })
      .first()
      .waitFor();
    await this.page.keyboard.press('Enter');
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  }

  /** Keeps a picture of the window in out/shots. */
  async shot(name: string): Promise<void> {
    // Above the status bar's middle, where nothing shows a hover.
    await this.page.mouse.move(720, 895);
    await this.page.screenshot({ path: join(setting('E2E_SHOTS'), `${name}.png`), animations: 'disabled' });
  }

  close(): Promise<void> {
    return this.page.close();
  }
}

import { legible, over } from './colours';
import { PAPER, type ThemeColours } from './palette';

/** The hues that a theme has for charts. */
const CHARTS = ['blue', 'green', 'orange', 'purple', 'red', 'yellow'] as const;
type Chart = (typeof CHARTS)[number];

/** Reads the theme that VS Code has put on the page; forced colours of the system win over it. */
export function readTheme(page: Document): ThemeColours {
  const { body } = page;
  const style = getComputedStyle(body);
  const raw = (name: string): string => style.getPropertyValue(`--vscode-${name}`).trim();
  const fontFamily = raw('font-family') || PAPER.fontFamily;
  const fontSize = Number.parseFloat(raw('font-size')) || PAPER.fontSize;
  if (matchMedia('(forced-colors: active)').matches) {
    return { ...forcedColours(page), fontFamily, fontSize };
  }
  const highContrast =
    body.classList.contains('vscode-high-contrast') || body.classList.contains('vscode-high-contrast-light');
  return { ...themeColours(raw, highContrast), fontFamily, fontSize };
}

/**
 * The drawing's colours from the variables of a theme, by name without `--vscode-`; '' stands for one that is absent.
 * A hue is opaque and tells itself from the background: VS Code's own orange is that of find matches, meant to lie
 * under text.
 */
export function themeColours(
  raw: (name: string) => string,
  highContrast: boolean,
): Omit<ThemeColours, 'fontFamily' | 'fontSize'> {
  const first = (fallback: string, ...names: string[]): string => {
    for (const name of names) {
      const value = raw(name);
      if (value !== '') return value;
    }
    return fallback;
  };
  const background = over(first(PAPER.background, 'editor-background'), PAPER.background);
  const foreground = over(first(PAPER.foreground, 'editor-foreground', 'foreground'), background);
  const hue = (name: Chart): string => legible(first(PAPER[name], `charts-${name}`), background);
  return {
    highContrast,
    background,
    foreground,
    muted: first(PAPER.muted, 'descriptionForeground'),
    border: first(PAPER.border, 'contrastBorder', 'editorGroup-border', 'panel-border'),
    focus: first(PAPER.focus, 'focusBorder'),
    selection: first(PAPER.selection, 'editor-selectionBackground'),
    blue: hue('blue'),
    green: hue('green'),
    orange: hue('orange'),
    purple: hue('purple'),
    red: hue('red'),
    yellow: hue('yellow'),
  };
}

/** Gives the style sheets the same hues as `--hue-…`, and keeps them when the theme changes. */
export function putHues(page: Document): void {
  const sheet = new CSSStyleSheet();
  page.adoptedStyleSheets.push(sheet);
  const put = (): void => {
    const theme = readTheme(page);
    sheet.replaceSync(`:root{${CHARTS.map((name) => `--hue-${name}:${theme[name]}`).join(';')}}`);
  };
  put();
  watchTheme(page, put);
}

/** The few colours that a system with forced colours has, as numbers: canvas mixes them. */
function forcedColours(page: Document): Omit<ThemeColours, 'fontFamily' | 'fontSize'> {
  const probe = page.createElement('span');
  probe.hidden = true;
  page.body.append(probe);
  const system = (name: string): string => {
    probe.style.color = name;
    return getComputedStyle(probe).color;
  };
  const text = system('CanvasText');
  const mark = system('Highlight');
  const link = system('LinkText');
  const colours = {
    highContrast: true,
    background: system('Canvas'),
    foreground: text,
    muted: text,
    border: text,
    focus: mark,
    selection: mark,
    blue: link,
    green: text,
    orange: text,
    purple: link,
    red: mark,
    yellow: text,
  };
  probe.remove();
  return colours;
}

/** Calls back when the theme, the font or the pixel ratio changes; returns what stops that. */
export function watchTheme(page: Document, changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  // VS Code changes the class of the body and the style of the root, in this order.
  observer.observe(page.body, { attributes: true, attributeFilter: ['class', 'data-vscode-theme-id'] });
  observer.observe(page.documentElement, { attributes: true, attributeFilter: ['style', 'class'] });
  const forced = matchMedia('(forced-colors: active)');
  forced.addEventListener('change', changed);
  return () => {
    observer.disconnect();
    forced.removeEventListener('change', changed);
  };
}

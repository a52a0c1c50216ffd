import { over } from './colours';
import { PAPER, type ThemeColours } from './palette';

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
  const first = (fallback: string, ...names: string[]): string => {
    for (const name of names) {
      const value = raw(name);
      if (value !== '') return value;
    }
    return fallback;
  };
  const background = over(first(PAPER.background, 'editor-background'), PAPER.background);
  const foreground = over(first(PAPER.foreground, 'editor-foreground', 'foreground'), background);
  return {
    highContrast:
      body.classList.contains('vscode-high-contrast') ||
      body.classList.contains('vscode-high-contrast-light'),
    background,
    foreground,
    muted: first(PAPER.muted, 'descriptionForeground'),
    border: first(PAPER.border, 'contrastBorder', 'editorGroup-border', 'panel-border'),
    focus: first(PAPER.focus, 'focusBorder'),
    selection: first(PAPER.selection, 'editor-selectionBackground'),
    blue: first(PAPER.blue, 'charts-blue'),
    green: first(PAPER.green, 'charts-green'),
    orange: first(PAPER.orange, 'charts-orange'),
    purple: first(PAPER.purple, 'charts-purple'),
    red: first(PAPER.red, 'charts-red'),
    yellow: first(PAPER.yellow, 'charts-yellow'),
    fontFamily,
    fontSize,
  };
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

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SIMULATED_KERNELS, SIMULATED_SERVERS } from '../../src/session/ast';

const root = join(__dirname, '..', '..');

interface Menu {
  readonly command?: string;
  readonly when?: string;
  readonly group?: string;
}

interface Debugger {
  readonly configurationAttributes: {
    readonly launch: {
      readonly required: readonly string[];
      readonly properties: Record<string, { readonly enum?: readonly string[] }>;
    };
  };
  readonly initialConfigurations: readonly Record<string, unknown>[];
  readonly configurationSnippets: readonly { readonly body: Record<string, unknown> }[];
}

interface Manifest {
  readonly contributes: {
    readonly commands: readonly {
      readonly command: string;
      readonly icon?: string | { readonly light: string; readonly dark: string };
    }[];
    readonly menus: Record<string, readonly Menu[]>;
    readonly keybindings: readonly { readonly command: string; readonly key: string }[];
    readonly debuggers: readonly [Debugger];
    readonly viewsWelcome: readonly { readonly contents: string }[];
  };
}

const { contributes } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
const texts = JSON.parse(readFileSync(join(root, 'package.nls.json'), 'utf8')) as Record<string, string>;

/** The steps of the time-travel debugger beyond those that VS Code has buttons for. */
const STEPS = [
  'reverseOver',
  'reverseOut',
  'previousEvent',
  'nextEvent',
  'firstEvent',
  'lastEvent',
  'nextLife',
  'goToEvent',
].map((name) => `ublkTrace.${name}`);

describe('launch configurations', () => {
  it('know every property that the adapter reads', () => {
    const adapter = readFileSync(join(root, 'src/extension/debug/adapter.ts'), 'utf8');
    const read =
      /const \{([^}]+)\} = args;/
        .exec(adapter)?.[1]
        .split(',')
        .map((name) => name.trim()) ?? [];
    expect(read).toContain('zeroCopy');
    const { properties } = contributes.debuggers[0].configurationAttributes.launch;
    expect(Object.keys(properties)).toEqual(expect.arrayContaining(read));
  });
});

describe('step commands', () => {
  it('are buttons of the debug toolbar, in one block behind the stock ones, for our sessions only', () => {
    const bar = contributes.menus['debug/toolBar']!.filter(({ command }) => STEPS.includes(command ?? ''));
    expect(bar.map(({ command }) => command)).toEqual(STEPS);
    for (const { when, group } of bar) {
      expect(when).toBe("debugType == 'ublk-trace'");
      expect(Number(/^navigation@(\d+)$/.exec(group ?? '')?.[1])).toBeGreaterThan(200);
    }
  });

  it('have keys of their own, and icons of their own for light and dark', () => {
    const keys = STEPS.map((step) => contributes.keybindings.find(({ command }) => command === step)?.key);
    expect(keys).not.toContain(undefined);
    expect(new Set(keys).size).toBe(STEPS.length);
    const icons = STEPS.flatMap((step) => {
      const icon = contributes.commands.find(({ command }) => command === step)?.icon;
      return typeof icon === 'object' ? [icon.light, icon.dark] : [];
    });
    expect(icons.length).toBe(2 * STEPS.length);
    const drawn = icons.map((icon) => readFileSync(join(root, icon), 'utf8'));
    expect(new Set(drawn).size).toBe(icons.length);
  });
});

describe('debug configurations', () => {
  const [debug] = contributes.debuggers;
  const { required, properties } = debug.configurationAttributes.launch;
  const bodies = [...debug.initialConfigurations, ...debug.configurationSnippets.map(({ body }) => body)];

  it('offer the kernels and servers that are simulated', () => {
    expect(properties.kernel?.enum).toEqual(SIMULATED_KERNELS);
    expect(properties.server?.enum).toEqual(SIMULATED_SERVERS);
  });

  it.each(bodies)('begin with properties that there are: $name', (body) => {
    const { type, request, name, ...own } = body;
    expect([type, request, typeof name]).toEqual(['ublk-trace', 'launch', 'string']);
    for (const key of required) expect(own).toHaveProperty(key);
    for (const key of Object.keys(own)) expect(properties).toHaveProperty(key);
    // `^"..."` is a snippet's way to write JSON as it stands.
    const program = String(body.program).replace(/^\^"(.*)"$/, '$1');
    expect(program).toMatch(/^(\\?\$\{file\}|\\\$\{workspaceFolder\}\/\$\{1:[\w.]+\})$/);
  });
});

describe('what is shown', () => {
  it('is a welcome with one button', () => {
    for (const { contents } of contributes.viewsWelcome) {
      const text = texts[contents.slice(1, -1)] ?? '';
      // A link alone in its line is drawn as a button.
      expect(text.split('\n').filter((line) => /^\[[^\]]+\]\([^)]+\)$/.test(line))).toHaveLength(1);
    }
  });
});

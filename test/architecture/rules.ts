/** The one-way arrows between the rooms of src/, as pure functions over file texts. */
import { builtinModules } from 'node:module';
import { posix } from 'node:path';

/** Rooms in order: a room may import itself and the rooms before it. */
const ROOMS = [
  'uapi',
  'trace',
  'session',
  'kernel',
  'ring',
  'server',
  'simulate',
  'convert',
  'check',
  'explore',
  'debug',
  'view',
  'extension',
  'webview',
  'cli',
  'bench',
] as const;

/** Folders that may use Node built-ins; everything else must also run in a browser. */
const NODE_FOLDERS = ['src/extension/node/', 'src/cli/', 'src/bench/'];

/** Longest allowed source file, in lines. */
export const MAX_LINES = 400;

/** One import of a file: its specifier as written, and whether only types come through it. */
export interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

/** A source file: path from the repository root with forward slashes, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/**
 * Lists what a TypeScript text imports: static imports, re-exports, side-effect imports, `import()` and
 * `require()` of a literal. Static forms are looked for at line starts only, which skips comments.
 */
export function importsOf(text: string): Import[] {
  const found: Import[] = [];
  const statics =
    /^[ \t]*(?:import|export)\b\s*(type\s+)?(?:[\w*{][^'";=()]*?\sfrom|[{*][^'";=()]*?from)\s*(['"])([^'"\n]+)\2/gm;
  for (const m of text.matchAll(statics)) found.push({ specifier: m[3]!, typeOnly: m[1] !== undefined });
  for (const m of text.matchAll(/^[ \t]*import\s*(['"])([^'"\n]+)\1/gm)) {
    found.push({ specifier: m[2]!, typeOnly: false });
  }
  for (const m of text.matchAll(/\b(?:import|require)\s*\(\s*(['"`])([^'"`\n]+)\1/g)) {
    found.push({ specifier: m[2]!, typeOnly: false });
  }
  return found;
}

/** The room of a path under src/ (`src/simulate.ts` is the room `simulate`), or undefined outside src/. */
function roomOf(path: string): string | undefined {
  return /^src\/([^/]+?)(?:\.tsx?)?(?:\/|$)/.exec(path)?.[1];
}

/** Resolves a relative specifier against the known paths; a target nobody knows keeps its bare path. */
function resolve(from: string, specifier: string, known: ReadonlySet<string>): string {
  const bare = posix.normalize(posix.join(posix.dirname(from), specifier));
  const tries = [bare, `${bare}.ts`, `${bare}.tsx`, `${bare}/index.ts`];
  return tries.find((path) => known.has(path)) ?? bare;
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith('node:') || builtinModules.includes(specifier);
}

function packageViolation(path: string, room: string, specifier: string): string | undefined {
  if (room === 'uapi') return `uapi imports nothing outside itself, not ${specifier}`;
  if (specifier === 'vscode' && room !== 'extension') return 'only extension imports vscode';
  if (isBuiltin(specifier) && !NODE_FOLDERS.some((folder) => path.startsWith(folder))) {
    return `${specifier} is a Node built-in, and this code must run in a browser too`;
  }
  return undefined;
}

function roomViolation(room: string, target: string, typeOnly: boolean): string | undefined {
  const to = roomOf(target);
  if (to === room) return undefined;
  const order: readonly string[] = ROOMS;
  if (to === undefined || !order.includes(to)) return `${target} is in no room`;
  if (room === 'webview') {
    return to === 'trace' && typeOnly ? undefined : `webview imports only types of trace, not ${target}`;
  }
  // The protocol is shared by both ends of the message channel, so it is the one door into webview.
  const talks = room === 'extension' || room === 'view';
  if (talks && /^src\/webview\/protocol(_\w+)?(\.ts)?$/.test(target)) return undefined;
  if (to === 'extension') return `${target} brings vscode along: nothing imports extension`;
  return order.indexOf(to) < order.indexOf(room) ? undefined : `${room} comes before ${to} (${target})`;
}

/** Every broken arrow, one line each: `path: what is wrong`. Empty when the house stands. */
export function arrowViolations(files: readonly SourceFile[]): string[] {
  const known = new Set(files.map((file) => file.path));
  const order: readonly string[] = ROOMS;
  return files.flatMap(({ path, text }) => {
    const room = roomOf(path);
    if (room === undefined || !order.includes(room)) return [`${path}: is in no room`];
    return importsOf(text).flatMap(({ specifier, typeOnly }) => {
      const wrong = specifier.startsWith('.')
        ? roomViolation(room, resolve(path, specifier, known), typeOnly)
        : packageViolation(path, room, specifier);
      return wrong === undefined ? [] : [`${path}: ${wrong}`];
    });
  });
}

/** Files longer than {@link MAX_LINES}. */
export function lengthViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const lines = text.replace(/\n$/, '').split('\n').length;
    return lines > MAX_LINES ? [`${path}: ${lines} lines, at most ${MAX_LINES}`] : [];
  });
}

/** Import cycles between files, type imports included, each as `a -> b -> a`; one per closing edge. */
export function importCycles(files: readonly SourceFile[]): string[] {
  const known = new Set(files.map((file) => file.path));
  const edges = new Map(
    files.map(({ path, text }) => {
      const relative = importsOf(text).filter((entry) => entry.specifier.startsWith('.'));
      const targets = relative.map((entry) => resolve(path, entry.specifier, known));
      return [path, [...new Set(targets)].filter((target) => known.has(target))] as const;
    }),
  );
  const done = new Set<string>();
  const trail: string[] = [];
  const cycles: string[] = [];
  const visit = (path: string): void => {
    const at = trail.indexOf(path);
    if (at >= 0) {
      cycles.push([...trail.slice(at), path].join(' -> '));
      return;
    }
    if (done.has(path)) return;
    trail.push(path);
    for (const target of edges.get(path) ?? []) visit(target);
    trail.pop();
    done.add(path);
  };
  for (const path of edges.keys()) visit(path);
  return cycles;
}

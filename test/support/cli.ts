import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll } from 'vitest';

const ROOT = join(__dirname, '..', '..');

/** How a run of the program ended. */
export interface CliResult {
  /** Exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly stdin?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** Closes stdout after so many bytes, as `| head` does. */
  readonly readOnly?: number;
}

/** The built command line, and an empty folder to run it in. Call it once per test file, at the top. */
export function cliUnderTest(entry = 'src/cli/main.ts'): {
  run(args: readonly string[], options?: CliOptions): Promise<CliResult>;
  folder(): string;
} {
  // The bundle finds package.json one folder up, so it has to lie in a folder of the root.
  const bundle = join(ROOT, 'dist', `cli.test-${process.pid}.js`);
  let folder = '';
  beforeAll(async () => {
    mkdirSync(join(ROOT, 'dist'), { recursive: true });
    folder = mkdtempSync(join(tmpdir(), 'ublk-cli-'));
    await build({
      absWorkingDir: ROOT,
      entryPoints: [entry],
      outfile: bundle,
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      logLevel: 'error',
    });
  });
  afterAll(() => {
    rmSync(bundle, { force: true });
    rmSync(folder, { recursive: true, force: true });
  });
  return { run: (args, options = {}) => runNode([bundle, ...args], folder, options), folder: () => folder };
}

function runNode(args: readonly string[], cwd: string, options: CliOptions): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env.PATH, ...options.env };
    const child = spawn(process.execPath, args, { cwd, env, stdio: 'pipe' });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (options.readOnly !== undefined && stdout.length >= options.readOnly) child.stdout.destroy();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    // The program may refuse before it has read all of its input.
    child.stdin.on('error', () => {});
    child.stdin.end(options.stdin ?? '');
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ranFirst } from './first';
import { SCENES } from './scenes';
import type { Figure } from './measure';
import { jsonLine, table } from './report';
import { QUICK, USUAL } from './workloads';

/** Drawing is timed in a browser, by a script of its own. */
const WEBVIEW = 'webview';
const NAMES = [...SCENES.map((scene) => scene.name), WEBVIEW];

const HELP = `usage: npm run bench -- [--only NAME] [--quick] [--full]
Prints a JSON line per figure; a table goes to stderr when it is a terminal.
  --only NAME  only this bench (may be given more than once): ${NAMES.join(', ')}
  --quick      small sizes and one run: shows that everything runs, the figures mean nothing
  --full       also reads 10 M events
`;

interface Options {
  readonly only: readonly string[];
  readonly quick: boolean;
  readonly full: boolean;
}

/** Reads the command line; a string is what is wrong with it. */
function readOptions(args: readonly string[]): Options | string {
  const only: string[] = [];
  let quick = false;
  let full = false;
  for (let k = 0; k < args.length; k++) {
    const arg = args[k]!;
    if (arg === '--quick') quick = true;
    else if (arg === '--full') full = true;
    else if (arg === '--only') {
      const name = args[++k];
      if (name === undefined || !NAMES.includes(name)) {
        return `--only takes one of ${NAMES.join(', ')}`;
      }
      only.push(name);
    } else return `no option '${arg}'`;
  }
  if (quick && full) return 'bench takes --quick or --full, not both';
  return { only, quick, full };
}

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(HELP);
    return 0;
  }
  const options = readOptions(args);
  if (typeof options === 'string') {
    process.stderr.write(`bench: ${options}\n`);
    return 2;
  }
  const { only, quick, full } = options;
  const plan = quick ? { warmups: 0, runs: 1 } : { warmups: 2, runs: 5 };
  const figures: Figure[] = [];
  for (const scene of SCENES) {
    if (only.length > 0 && !only.includes(scene.name)) continue;
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${scene.name} ...`);
    for await (const figure of scene.run({ plan, full, sizes: quick ? QUICK : USUAL })) {
      figures.push(figure);
      process.stdout.write(`${jsonLine(figure)}\n`);
    }
  }
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${table(figures)}`);
  return only.length === 0 || only.includes(WEBVIEW) ? benchWebview(quick) : 0;
}

/** Runs the bench of the webview, which prints its own lines; its exit status. */
function benchWebview(quick: boolean): number {
  const script = join(__dirname, '..', 'scripts', 'bench_webview.mjs');
  const { status } = spawnSync(process.execPath, [script, ...(quick ? ['--quick'] : [])], {
    stdio: 'inherit',
  });
  return status ?? 1;
}

if (!ranFirst()) {
  void main(process.argv.slice(2)).then((code) => {
    process.exitCode = code;
  });
}

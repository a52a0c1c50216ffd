import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { type Figure, spread } from './measure';
import type { Setting } from './setting';

/** What VS Code allows itself to wait for an extension before users notice, ms. */
const GOAL_MS = 40;
/** A process starts unevenly, and each run is short. */
const RUNS_FACTOR = 4;

/**
 * Program of a process of its own that loads a bundle and calls its activate(), and prints the two times. `vscode` is an object of which
 * everything can be asked, so what is timed is our own work and not that of VS Code.
 */
const PROGRAM = `
  const Module = require('node:module');
  const answers = {
    get: (target, key) =>
      key === Symbol.toPrimitive ? () => '' : key === Symbol.iterator ? function* () {} : key === 'then' ? undefined
      : key === 'prototype' ? target.prototype : anything,
    set: () => true,
    apply: () => anything,
    construct: () => anything,
  };
  const anything = new Proxy(function () {}, answers);
  const vscode = Object.create(anything);
  const load = Module._load;
  Module._load = function (name, ...rest) {
    return name === 'vscode' ? vscode : load.call(this, name, ...rest);
  };
  const start = performance.now();
  const { activate } = require(process.argv[1]);
  const loaded = performance.now();
  activate({ subscriptions: [], extensionUri: anything });
  process.stdout.write(JSON.stringify([loaded - start, performance.now() - loaded]));
  process.exit(0);
`;

const BUNDLES = [
  ['Node', 'extension.js'],
  ['browser', 'browser.js'],
] as const;

/** How long loading and activating the built extension takes, wall-clock time of a new process. */
export function* activationFigures({ plan }: Setting): Generator<Figure> {
  const samples = BUNDLES.map(() => ({ load: [] as number[], activate: [] as number[] }));
  for (let run = -plan.warmups; run < plan.runs * RUNS_FACTOR; run++) {
    for (const [k, [, file]] of BUNDLES.entries()) {
      // Beside the bundle of the benchmarks.
      const printed = execFileSync(process.execPath, ['-e', PROGRAM, join(__dirname, file)], {
        encoding: 'utf8',
      });
      const [load, activate] = JSON.parse(printed) as [number, number];
      if (run < 0) continue;
      samples[k]!.load.push(load);
      samples[k]!.activate.push(activate);
    }
  }
  for (const [k, [name]] of BUNDLES.entries()) {
    const { load, activate } = samples[k]!;
    const common = { unit: 'ms', better: 'lower', runs: load.length } as const;
    yield { bench: `load the bundle for ${name}`, ...common, ...spread(load) };
    yield { bench: `activate() of the bundle for ${name}`, ...common, ...spread(activate), goal: GOAL_MS };
  }
}

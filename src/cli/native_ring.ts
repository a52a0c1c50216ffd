/** Running ring programs on the kernel of this machine, by a small C program that is built when first needed. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { release, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { nativeOutcome, nativeText } from '../ring/native_text';
import { type Outcome, outcomeKey } from '../ring/outcome';
import type { RingProgram } from '../ring/program';
import type { SeenOutcome } from '../ring/compare';

/** Exit code of the runner where the kernel gives no io_uring. */
const NO_URING = 3;
const EXT4 = 0xef53;
const SOURCE = join('tools', 'ring', 'run_ring.c');
/** Longest time of one run: a program may hang for two seconds in its last step, and sleep before. */
const RUN_MS = 60_000;

/** This machine cannot run ring programs; the message says why. */
export class NoNativeRing extends Error {
  override readonly name = 'NoNativeRing';
}

/** The kernel of this machine as something that runs ring programs. */
export class NativeRing {
  private constructor(
    private readonly dir: string,
    private readonly runner: string,
    /** Release of the kernel. */
    readonly kernel: string,
    /** What makes this machine another one than those of the recordings; empty where nothing does. */
    readonly remark: string,
  ) {}

  /** Builds the runner in a folder of its own. @throws NoNativeRing */
  static build(): NativeRing {
    if (process.platform !== 'linux')
      throw new NoNativeRing(`io_uring is a part of Linux, this is ${process.platform}`);
    const source = sourcePath();
    const compiler = ['cc', 'gcc', 'clang'].find(
      (name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0,
    );
    if (compiler === undefined) throw new NoNativeRing('there is no C compiler (cc, gcc or clang)');
    const dir = mkdtempSync(join(tmpdir(), 'ublk-ring-'));
    const runner = join(dir, 'run_ring');
    const built = spawnSync(compiler, ['-O2', '-o', runner, source], { encoding: 'utf8' });
    if (built.status !== 0) {
      rmSync(dir, { recursive: true, force: true });
      throw new NoNativeRing(`${compiler} could not build ${source}: ${built.stderr.split('\n')[0] ?? ''}`);
    }
    const ext4 = statfsSync(dir).type === EXT4;
    const remark = ext4
      ? ''
      : `files lie in ${tmpdir()}, which is not ext4: buffered writes may go other ways there`;
    return new NativeRing(dir, runner, release(), remark);
  }

  /** Removes the runner. */
  dispose(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** Runs a program several times; the outcomes, most frequent first. @throws NoNativeRing, Error */
  async run(program: RingProgram, runs: number): Promise<SeenOutcome[]> {
    const seen = new Map<string, { count: number; outcome: Outcome }>();
    for (let i = 0; i < runs; i++) {
      const outcome = await this.runOnce(program);
      const key = outcomeKey(outcome);
      const known = seen.get(key);
      if (known) known.count++;
      else seen.set(key, { count: 1, outcome });
    }
    return [...seen.values()].sort((a, b) => b.count - a.count);
  }

  private async runOnce(program: RingProgram): Promise<Outcome> {
    const dir = await mkdtemp(join(this.dir, 'run-'));
    await mkdir(dir, { recursive: true });
    try {
      const { code, out, said } = await this.spawn(dir, nativeText(program));
      if (code === NO_URING) throw new NoNativeRing(unavailable(said));
      if (code !== 0)
        throw new Error(`${program.name}: the runner failed: ${said.trim() || `exit code ${code}`}`);
      return nativeOutcome(program, out, (name) => readFileSync(join(dir, name)));
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  }

  private spawn(dir: string, input: string): Promise<{ code: number; out: string; said: string }> {
    return new Promise((resolve, reject) => {
      const child = spawn(this.runner, [dir], { timeout: RUN_MS });
      const out: Buffer[] = [];
      const said: Buffer[] = [];
      child.stdout.on('data', (piece: Buffer) => out.push(piece));
      child.stderr.on('data', (piece: Buffer) => said.push(piece));
      child.stdin.on('error', () => undefined);
      child.on('error', reject);
      child.on('close', (code) =>
        resolve({
          code: code ?? -1,
          out: Buffer.concat(out).toString(),
          said: Buffer.concat(said).toString(),
        }),
      );
      child.stdin.end(input);
    });
  }
}

/** Why the kernel gives no ring, in words. */
function unavailable(said: string): string {
  if (/not implemented/i.test(said)) return 'this kernel has no io_uring (ENOSYS)';
  if (/not permitted|denied/i.test(said)) {
    return 'io_uring is not allowed here (EPERM: kernel.io_uring_disabled, seccomp of a container, or a security module)';
  }
  return `io_uring is not available: ${said.trim()}`;
}

/** The runner's source, beside the bundle or beside the sources. */
function sourcePath(): string {
  for (let dir = __dirname; ; dir = dirname(dir)) {
    const path = join(dir, SOURCE);
    if (existsSync(path)) return path;
    if (dirname(dir) === dir) throw new NoNativeRing(`${SOURCE} is not there`);
  }
}

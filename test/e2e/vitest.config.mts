import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/e2e/**/*.test.ts', 'test/webview/**/*.e2e.ts'],
    pool: 'forks',
    // The tests share one VS Code, whose settings and folder they change.
    fileParallelism: false,
    // A window under load can swallow one click; a test that fails twice has found something.
    retry: 1,
    testTimeout: 240_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 60_000 } },
  },
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sessions } from './arbitraries';
import { wrongData } from './history';
import { fileBytes, madeUp, run } from './support';

describe('what clients read and what the file holds', () => {
  it('is what was written, or was there before', () => {
    fc.assert(
      fc.property(sessions(), ({ text, fileSize, contentSeed }) => {
        const content = contentSeed === undefined ? undefined : madeUp(fileSize, contentSeed);
        const result = run(text, { realFile: (path) => (path === 'disk.img' ? content : undefined) });
        expect([result.output, result.exitCode]).toEqual([expect.not.stringContaining('hangs'), 0]);
        expect(wrongData(result, content ?? new Uint8Array(fileSize), fileBytes(result, 'disk.img'))).toEqual(
          [],
        );
      }),
      { numRuns: Number(process.env.RUNS ?? 120) },
    );
  });
});

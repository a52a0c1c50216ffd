import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Printer } from '../../src/trace/print';
import { EVENTS, eventNames } from '../../src/trace/schema';
import { Trace } from '../../src/trace/trace';
import { parseTrace } from '../support/oracle';

const u64 = fc.oneof(
  fc.constantFrom(
    0n,
    1n,
    9n,
    10n,
    0x7fffffffn,
    0x80000000n,
    0xffffffffn,
    1n << 63n,
    (1n << 64n) - 1n,
    (1n << 53n) + 1n,
  ),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
);
/** Text fields hold what kernels print there: no blanks, and nothing that a literal behind them may start with. */
const word = fc.stringMatching(/^[A-Z][A-Za-z0-9_]{0,12}$/);

describe('print and parse', () => {
  for (const name of eventNames()) {
    EVENTS[name].text.forEach((_, form) => {
      it(`${name} form ${form} comes back as it was`, () => {
        const trace = new Trace();
        const shape = trace.shapes.of(name, form);
        const { formats } = shape.template;
        const values = fc.tuple(...formats.map((format) => (format === 's' ? word : u64)));
        fc.assert(
          fc.property(values, fc.integer({ min: 0, max: 2 ** 50 }), fc.nat(300), (fields, ts, cpu) => {
            const one = new Trace();
            const at = one.reserve(fields.length);
            fields.forEach((value, k) => {
              one.words[at + k] = typeof value === 'bigint' ? one.wide.ofBig(value) : one.strings.id(value);
            });
            one.commit(ts, shape.id, one.taskId('a-1 b', 42), cpu, one.strings.id('d.h2.'), fields.length);
            const text = new Printer(one).text();
            const { trace: back, counts } = parseTrace(text);
            expect(counts).toMatchObject({ damaged: 0, unknown: 0 });
            expect(new Printer(back).text()).toBe(text);
            expect([back.nameOf(0), back.ts[0], back.cpu[0]]).toEqual([name, ts, cpu]);
            shape.template.names.forEach((field, k) => {
              const value = fields[k];
              if (typeof value === 'bigint') expect(back.big(0, field)).toBe(value);
              else expect(back.str(0, field)).toBe(value);
            });
          }),
          { numRuns: 20 },
        );
      });
    });
  }
});

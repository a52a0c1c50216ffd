import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteText, chunkOf } from '../../src/convert/byte_text';

test('numbers and chunks are written as strings would be', () => {
  const part = fc.oneof(
    fc.maxSafeInteger().map((value) => ({ text: `${value}`, write: (out: ByteText) => out.decimal(value) })),
    fc
      .nat(2 ** 31 - 1)
      .map((value) => ({ text: value.toString(16), write: (out: ByteText) => out.hex(value) })),
    fc.tuple(fc.nat(999_999_999), fc.integer({ min: 1, max: 9 })).map(([value, least]) => ({
      text: `${value}`.padStart(least, '0'),
      write: (out: ByteText) => out.digits(value, least),
    })),
    fc.string({ maxLength: 100, unit: 'grapheme' }).map((text) => ({
      text,
      write: (out: ByteText) => out.chunk(chunkOf(text)),
    })),
  );
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const out = new ByteText(4);
      for (const { write } of parts) write(out);
      expect(out.take()).toBe(parts.map(({ text }) => text).join(''));
      expect(out.length).toBe(0);
    }),
  );
});

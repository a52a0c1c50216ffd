import fc from 'fast-check';
import { expect, test } from 'vitest';
import { StringTable } from '../../src/trace/strings';

const encoder = new TextEncoder();
const text = fc.oneof(fc.string({ maxLength: 6 }), fc.string({ maxLength: 4, unit: 'grapheme' }));

test('a string has one id, whether it comes as text or as bytes', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(text, fc.boolean()), { maxLength: 600 }), (parts) => {
      const table = new StringTable();
      const ids = new Map([['', 0]]);
      for (const [part, asBytes] of parts) {
        const bytes = encoder.encode(`<${part}`);
        if (!ids.has(part)) expect(table.find(part)).toBeUndefined();
        const id = asBytes ? table.idOfBytes(bytes, 1, bytes.length) : table.id(part);
        expect(id).toBe(ids.get(part) ?? ids.size);
        ids.set(part, id);
        expect(table.find(part)).toBe(id);
      }
      expect(table.size).toBe(ids.size);
      for (const [part, id] of ids) {
        expect(table.text(id)).toBe(part);
        expect([...table.rawBytes(id)]).toEqual([...encoder.encode(part)]);
      }
    }),
  );
});

test('bytes that are no UTF-8 are kept; the first that read the same are found by text', () => {
  const table = new StringTable();
  const [first, second] = [[0xff], [0xfe]].map((bytes) => table.idOfBytes(Uint8Array.from(bytes), 0, 1));
  expect([first, second]).toEqual([1, 2]);
  expect([...table.rawBytes(2)]).toEqual([0xfe]);
  expect(table.text(2)).toBe('\ufffd');
  expect(table.find('\ufffd')).toBe(1);
});

test('the text of bytes in hexadecimal', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const table = new StringTable();
      const id = table.idOfHex(bytes);
      expect(table.text(id)).toBe(Buffer.from(bytes).toString('hex'));
      expect(table.id(table.text(id))).toBe(id);
    }),
  );
});

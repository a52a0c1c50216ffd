import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { finish } from '../../src/trace/slices';
import { Pyramid } from '../../src/view/pyramid';
import { atOrAbove, atOrAboveNear } from '../../src/view/spans';
import { Times } from '../../src/view/times';
import { fromText } from './support';

const SEED = { seed: 20221104 };

describe('places in columns', () => {
  const columns = fc.array(fc.nat(300), { maxLength: 200 }).map((list) => Float64Array.from(list).sort());

  it('near a start are those of a search through all', () => {
    fc.assert(
      fc.property(columns, fc.nat(310), fc.nat(210), fc.nat(210), (column, value, a, b) => {
        const [from, to] = [Math.min(a, b, column.length), Math.min(Math.max(a, b), column.length)];
        expect(atOrAboveNear(column, value, from, to)).toBe(atOrAbove(column, value, from, to));
      }),
      SEED,
    );
  });

  it('in a list of events are those of a look at each, whatever is guessed', async () => {
    const stamps = Array.from({ length: 120 }, (_, k) => 1_000 + Math.floor(k / 3) * 7);
    const lines = stamps.map((us) => `     a-1 [000] ..... 1.${String(us).padStart(6, '0')}: alpha: x=1`);
    const { trace } = await fromText(`# tracer: nop\n${lines.join('\n')}\n`);
    const times = new Times(trace);
    const lists = fc.uniqueArray(fc.nat(119), { maxLength: 80 }).map((list) => Uint32Array.from(list).sort());
    fc.assert(
      fc.property(lists, fc.nat(300_000), fc.nat(90), fc.nat(90), fc.nat(90), (list, time, a, b, guess) => {
        const [from, to] = [Math.min(a, b, list.length), Math.min(Math.max(a, b), list.length)];
        let place = from;
        while (place < to && times.at(list[place]!) < time) place++;
        expect(times.firstIn(list, time, from, to, guess)).toBe(place);
      }),
      SEED,
    );
  });

  it.each([false, true])('the best of a run is that of a look at each (least: %s)', (least) => {
    const values = fc.array(fc.nat(1000), { minLength: 1, maxLength: 700 });
    fc.assert(
      fc.property(values, fc.nat(700), fc.nat(700), (list, a, b) => {
        const from = Math.min(a, b, list.length - 1);
        const to = Math.max(from + 1, Math.min(Math.max(a, b), list.length));
        const run = list.slice(from, to);
        const pyramid = finish(Pyramid.build(Float64Array.from(list), least));
        expect(pyramid.best(from, to)).toBe(least ? Math.min(...run) : Math.max(...run));
      }),
      SEED,
    );
  });
});

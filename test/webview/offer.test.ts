import { signal } from '@preact/signals-core';
import { describe, expect, it } from 'vitest';
import { Offer } from '../../src/webview/drawing/offer';
import type { Exporter } from '../../src/webview/drawing/picture';

const exporter = (): Exporter => ({ picture: () => ({ svg: '', width: 1, height: 1 }) });

describe('what faces hand out', () => {
  it('is that of the face that came last, however late the one before leaves', () => {
    const place = signal<Exporter | undefined>(undefined);
    const [first, second] = [new Offer(place), new Offer(place)];
    first.put(exporter());
    const next = exporter();
    second.put(next);
    first.withdraw();
    first.withdraw(exporter());
    expect(place.value).toBe(next);
  });

  it('is taken back, or replaced, by whom it is of', () => {
    const place = signal<Exporter | undefined>(undefined);
    const offer = new Offer(place);
    const [both, one] = [exporter(), exporter()];
    offer.put(both);
    offer.withdraw(one);
    expect(place.value).toBe(one);
    offer.withdraw();
    expect(place.value).toBeUndefined();
  });
});

import { effect, type ReadonlySignal } from '@preact/signals-core';
import { useLayoutEffect, useState } from 'preact/hooks';

/** The value of a signal in a component, which is drawn again when it changes. */
export function useValue<T>(signal: ReadonlySignal<T>): T {
  const [, draw] = useState({ value: signal.peek() });
  useLayoutEffect(
    () =>
      effect(() => {
        const { value } = signal;
        draw((old) => (Object.is(old.value, value) ? old : { value }));
      }),
    [signal],
  );
  return signal.peek();
}

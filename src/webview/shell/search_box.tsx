import { useLayoutEffect, useRef } from 'preact/hooks';
import type { FaceProps } from '../faces';
import { useValue } from '../use_signal';
import { IconButton } from './button';

/** Search by the filter language or plain text; Enter goes on, Shift+Enter back. */
export function SearchBox({ store }: FaceProps) {
  const search = useValue(store.search);
  const t = useValue(store.words);
  const input = useRef<HTMLInputElement>(null);
  // Before the next key arrives: what is typed right after `/` belongs to the field.
  useLayoutEffect(() => {
    if (search.open) input.current?.select();
  }, [search.open]);
  if (!search.open) return null;
  const find = (backwards: boolean): void => void store.find(input.current?.value ?? '', backwards);
  const close = (): void => {
    store.search.value = { ...store.search.peek(), open: false, message: '', failed: false };
  };
  return (
    <search class="search">
      <input
        ref={input}
        type="text"
        value={search.query}
        spellcheck={false}
        placeholder={t('Search: tag == 3, cqe.res < 0, or text')}
        aria-label={t('Search events')}
        aria-invalid={search.failed}
        aria-describedby="search-message"
        onKeyDown={(event) => {
          if (event.key === 'Enter') find(event.shiftKey);
          else if (event.key === 'Escape') close();
          else return;
          event.preventDefault();
          event.stopPropagation();
        }}
      />
      <span id="search-message" role="status" class={search.failed ? 'message failed' : 'message'}>
        {search.busy ? t('Searching …') : search.message}
      </span>
      <IconButton icon="up" label={t('Previous hit')} shortcut="Shift+Enter" onPress={() => find(true)} />
      <IconButton icon="down" label={t('Next hit')} shortcut="Enter" onPress={() => find(false)} />
      <IconButton icon="close" label={t('Close search')} shortcut="Esc" onPress={close} />
    </search>
  );
}

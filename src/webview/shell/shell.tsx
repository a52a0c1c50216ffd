import { useEffect } from 'preact/hooks';
import { FACES } from '../face_list';
import type { FaceProps } from '../faces';
import { useValue } from '../use_signal';
import { Banner, StatusLine } from './status';
import { PANEL_ID, Tabs } from './tabs';
import { takeKeys } from './keyboard';

/** The frame around the faces: tabs and tools above, the face with its panels, the status line below. */
export function Shell({ store }: FaceProps) {
  const face = useValue(store.face);
  const ready = useValue(store.ready);
  const t = useValue(store.words);
  useEffect(() => takeKeys(store, document), [store]);
  const Shown = FACES.find((slot) => slot.face === face)?.component;
  return (
    <div class="shell">
      <header class="bar">
        <Tabs store={store} />
      </header>
      <Banner store={store} />
      <main class="middle">
        <div id={PANEL_ID} class="face" role="tabpanel" aria-labelledby={`tab-${face}`}>
          {ready && Shown !== undefined && <Shown store={store} />}
          {!ready && <p class="calm">{t('Opening the trace …')}</p>}
        </div>
      </main>
      <StatusLine store={store} />
    </div>
  );
}

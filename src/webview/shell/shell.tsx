import { useEffect, useRef } from 'preact/hooks';
import { FACES } from '../face_list';
import type { FaceProps } from '../faces';
import { hostCommands } from '../host_commands';
import { useValue } from '../use_signal';
import { Help } from './help';
import { takeKeys } from './keyboard';
import { SearchBox } from './search_box';
import { SidePanel } from './side_panel';
import { Banner, StatusLine } from './status';
import { TableTwin } from './table_twin';
import { PANEL_ID, Tabs } from './tabs';
import { Toolbar } from './toolbar';

/** The frame around the faces: tabs and tools above, the face with its panels, the status line below. */
export function Shell({ store }: FaceProps) {
  const face = useValue(store.face);
  const ready = useValue(store.ready);
  const problem = useValue(store.problem);
  const t = useValue(store.words);
  useEffect(() => takeKeys(store, document), [store]);
  useEffect(() => hostCommands(store), [store]);
  const stack = useRef<HTMLDivElement>(null);
  const seen = useRef(face);
  useEffect(() => {
    if (seen.current === face) return undefined;
    seen.current = face;
    const box = stack.current;
    // What has the focus for good keeps it; the rest goes to what arrows work on, as soon as that is drawn.
    const at = document.activeElement;
    if (box === null || (at !== null && at !== document.body && at.isConnected)) return undefined;
    const take = (): boolean => {
      const here = box.querySelector<HTMLElement>('.pane[data-active="true"]') ?? box;
      const target = here.querySelector<HTMLElement>(
        '[role=listbox], .machine-part[tabindex="0"], .scroller',
      );
      target?.focus({ preventScroll: true });
      return target !== null;
    };
    if (take()) return undefined;
    const observer = new MutationObserver(() => {
      if (take()) observer.disconnect();
    });
    observer.observe(box, { childList: true, subtree: true });
    return () => observer.disconnect();
  }, [face]);
  const slot = FACES.find((one) => one.face === face);
  const Shown = slot?.component;
  return (
    <div class="shell">
      <header class="bar">
        <Tabs store={store} />
        <Toolbar store={store} />
      </header>
      <SearchBox store={store} />
      <Banner store={store} />
      <main class="middle">
        <div class="stack">
          <div ref={stack} id={PANEL_ID} class="face" role="tabpanel" aria-labelledby={`tab-${face}`}>
            {ready && Shown !== undefined && <Shown store={store} />}
            {ready && Shown === undefined && <p class="calm">{t('This view is not in this build.')}</p>}
            {!ready && problem === undefined && <p class="calm">{t('Opening the trace …')}</p>}
          </div>
          <TableTwin store={store} />
        </div>
        <SidePanel store={store} />
      </main>
      <StatusLine store={store} />
      <Help store={store} />
    </div>
  );
}

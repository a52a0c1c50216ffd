import { FACES } from '../face_list';
import type { FaceProps } from '../faces';
import type { Face } from '../protocol_data';
import { useValue } from '../use_signal';

/** Id of the panel that a tab controls. */
export const PANEL_ID = 'face-panel';

/** The face after a key in the row of tabs; undefined: the key means nothing there. */
export function tabAfter(faces: readonly Face[], current: Face, key: string): Face | undefined {
  const at = faces.indexOf(current);
  const last = faces.length - 1;
  if (key === 'ArrowRight') return faces[at === last ? 0 : at + 1];
  if (key === 'ArrowLeft') return faces[at <= 0 ? last : at - 1];
  if (key === 'Home') return faces[0];
  if (key === 'End') return faces[last];
  return undefined;
}

/** The faces as tabs; one of them takes the focus, arrows move it. */
export function Tabs({ store }: FaceProps) {
  const current = useValue(store.face);
  const t = useValue(store.words);
  const choose = (face: Face, list: HTMLElement | null): void => {
    store.face.value = face;
    list?.querySelector<HTMLElement>(`[data-face=${face}]`)?.focus();
  };
  return (
    <div
      role="tablist"
      aria-label={t('Views of the trace')}
      class="tabs"
      onKeyDown={(event) => {
        const face = tabAfter(
          FACES.map((slot) => slot.face),
          current,
          event.key,
        );
        if (face === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        choose(face, event.currentTarget);
      }}
    >
      {FACES.map(({ face, title }) => (
        <button
          key={face}
          type="button"
          role="tab"
          id={`tab-${face}`}
          data-face={face}
          aria-selected={face === current}
          aria-controls={PANEL_ID}
          tabIndex={face === current ? 0 : -1}
          onClick={(event) => choose(face, event.currentTarget.parentElement)}
        >
          {t(title)}
        </button>
      ))}
    </div>
  );
}

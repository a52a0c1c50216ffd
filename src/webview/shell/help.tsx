import { useEffect, useRef } from 'preact/hooks';
import { KEYS } from '../commands';
import { FACES } from '../face_list';
import type { FaceProps } from '../faces';
import type { Face } from '../protocol_data';
import { useValue } from '../use_signal';
import type { Words } from '../words';
import { IconButton } from './button';

/** The faces by the names of their tabs. */
function namesOf(faces: readonly Face[], t: Words): string {
  return FACES.filter(({ face }) => faces.includes(face))
    .map(({ title }) => t(title))
    .join(', ');
}

/** All keys, and what the mouse does. */
export function Help({ store }: FaceProps) {
  const open = useValue(store.helpOpen);
  const t = useValue(store.words);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  const close = (): void => {
    store.helpOpen.value = false;
  };
  const mouse: [string, string][] = [
    [t('Click'), t('Go to this event')],
    [t('Drag'), t('Move the view')],
    [t('Shift+drag, or drag in the ruler'), t('Measure a range of time')],
    [t('Ctrl+wheel'), t('Zoom')],
    [t('Shift+wheel'), t('Earlier and later')],
  ];
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={close}>
      <header>
        <h2 id="help-title">{t('Keys')}</h2>
        <IconButton icon="close" label={t('Close')} onPress={close} />
      </header>
      <dl>
        {KEYS.map(({ shown, what, faces }) => (
          <div key={what}>
            <dt>
              {shown.split('  ').map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>
              {t(what)}
              {faces !== undefined && <small>{namesOf(faces, t)}</small>}
            </dd>
          </div>
        ))}
        {mouse.map(([how, what]) => (
          <div key={what}>
            <dt>{how}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </dialog>
  );
}

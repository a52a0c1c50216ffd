import { useEffect, useRef, useState } from 'preact/hooks';
import type { FaceProps } from '../faces';
import { useValue } from '../use_signal';
import { copyMermaid, copyPng, copySvg, saveMermaid, savePng, saveSvg } from '../pictures';
import { IconButton } from './button';

/** Saves or copies what is shown. */
export function ExportMenu({ store }: FaceProps) {
  const [open, setOpen] = useState(false);
  const t = useValue(store.words);
  const exporter = useValue(store.exporter);
  const box = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (!open) return undefined;
    box.current?.querySelector<HTMLElement>('[role=menuitem]')?.focus();
    const away = (event: Event): void => {
      if (!(event.target instanceof Node) || !box.current?.contains(event.target)) setOpen(false);
    };
    document.addEventListener('pointerdown', away);
    return () => document.removeEventListener('pointerdown', away);
  }, [open]);
  const items: [string, () => Promise<void>][] = [
    [t('Save as PNG …'), () => savePng(store)],
    [t('Save as SVG …'), () => saveSvg(store)],
    [t('Copy as PNG'), () => copyPng(store)],
    [t('Copy as SVG'), () => copySvg(store)],
  ];
  if (exporter?.mermaid !== undefined) {
    items.push(
      [t('Save as Mermaid …'), () => saveMermaid(store)],
      [t('Copy as Mermaid'), () => copyMermaid(store)],
    );
  }
  const close = (): void => {
    setOpen(false);
    box.current?.querySelector('button')?.focus();
  };
  const onKey = (event: KeyboardEvent): void => {
    if (!open) return;
    const list = [...(box.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])];
    const at = list.indexOf(document.activeElement as HTMLElement);
    if (event.key === 'Escape' || event.key === 'Tab') close();
    else if (event.key === 'ArrowDown') list[(at + 1) % list.length]?.focus();
    else if (event.key === 'ArrowUp') list[(at + list.length - 1) % list.length]?.focus();
    else return;
    event.stopPropagation();
    if (event.key !== 'Tab') event.preventDefault();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys of the menu inside
    <span class="menu-box" ref={box} onKeyDown={onKey}>
      <IconButton
        icon="export"
        label={t('Save or copy the picture')}
        expanded={open}
        disabled={exporter === undefined}
        onPress={() => setOpen(!open)}
      />
      {open && (
        <div class="menu" role="menu" aria-label={t('Save or copy the picture')}>
          {items.map(([label, run]) => (
            <button
              key={label}
              type="button"
              role="menuitem"
              tabIndex={-1}
              onClick={() => {
                close();
                void run();
              }}
            >
              {label}
            </button>
          ))}
        </div>
      )}
    </span>
  );
}

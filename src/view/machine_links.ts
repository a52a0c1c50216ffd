import type { MachineView } from '../webview/protocol_faces';
import type { Scene } from './machine_scene';

/** Most pages that get an arrow each; of more only the first one does. */
const MOST_PAGES = 3;

/**
 * Arrows along the focused request through what is drawn: client, ublk disk, slot, its SQE or CQE, worker, pipe, pages, disk
 * below. Each arrow joins two parts that are there.
 */
export function drawLinks(scene: Scene, view: Omit<MachineView, 'links'>): MachineView['links'] {
  if (scene.focus < 0) return [];
  const { t } = scene;
  const links: { from: string; to: string; text: string }[] = [];
  const join = (from: string | undefined, to: string | undefined, text: string): void => {
    if (from !== undefined && to !== undefined) links.push({ from, to, text });
  };
  const mine = <P extends { readonly focused: boolean; readonly gone: boolean }>(list: readonly P[]): P[] =>
    list.filter((part) => part.focused && !part.gone);
  const atDisk = (served: boolean): string | undefined =>
    view.disks
      .filter((disk) => disk.served === served)
      .flatMap((disk) => disk.inFlight)
      .find((io) => scene.isFocus(io.request))?.id;

  const client = mine(view.clients)[0]?.id;
  const slot = mine(view.slots)[0]?.id;
  const above = atDisk(true);
  join(client, above ?? slot, t('asks for'));
  if (client === undefined || above !== undefined) join(above, slot, t('has the tag'));

  const entry = mine(view.rings)[0]?.id;
  const request = mine(view.requests)[0];
  join(slot, entry ?? request?.id, t('works on it'));
  if (entry !== undefined) join(entry, request?.id, t('in flight'));
  const worker = view.tasks.find((task) => task.focused && task.request === scene.focus)?.id;
  join(request?.id, worker, t('runs in'));

  const pipe = mine(view.pipes)[0];
  join(worker ?? request?.id, pipe?.id, t('its pipe'));
  const all = mine(view.pages);
  const pages = all.length > MOST_PAGES ? all.slice(0, 1) : all;
  for (const page of pages) {
    if (pipe?.buffers.some((buffer) => buffer.page === page.id))
      join(
        pipe.id,
        page.id,
        all.length > pages.length ? t('refers to {0} pages', all.length) : t('refers to'),
      );
    else join(slot, page.id, t('its page'));
  }
  const below = atDisk(false);
  join(pages[0]?.id ?? worker ?? request?.id, below, t('I/O below'));
  return links;
}

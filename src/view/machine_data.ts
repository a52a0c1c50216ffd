import { sizeText } from '../debug/request_label';
import type { DiskState, PageState, PipeState } from '../trace/state';
import type { DiskDrawing, PageDrawing, PipeDrawing } from '../webview/protocol_faces';
import { shortPointer } from './machine_names';
import type { Scene } from './machine_scene';

const MOST_PIPES = 4;
const MOST_PAGES = 24;
const MOST_DISKS = 6;
/** Most requests drawn at one disk. */
const MOST_AT_DISK = 24;

/** Pipes that hold something, changed, or belong to a worker of the focused request; then the others. */
export function drawPipes(scene: Scene, leftOut: string[]): PipeDrawing[] {
  const { state, changes, t } = scene;
  const weight = (pipe: PipeState): number =>
    (changes.of(`pipe:${pipe.id}`) ? 4 : 0) + (pipe.buffers.length > 0 ? 2 : 0);
  const sorted = [...state.pipes].sort((a, b) => weight(b) - weight(a) || a.id - b.id);
  if (sorted.length > MOST_PIPES) leftOut.push(t('{0} more pipes', sorted.length - MOST_PIPES));
  return sorted
    .slice(0, MOST_PIPES)
    .sort((a, b) => a.id - b.id)
    .map((pipe) => drawPipe(scene, pipe));
}

function drawPipe(scene: Scene, pipe: PipeState): PipeDrawing {
  const { changes, t, before } = scene;
  const id = `pipe:${pipe.id}`;
  const known = new Set(before?.pipes.find((one) => one.id === pipe.id)?.buffers.map((b) => b.page));
  const focused = pipe.buffers.some((buffer) => {
    const page = scene.pageOf(buffer.page);
    return page !== undefined && scene.isFocus(rowOfPage(scene, page));
  });
  const mode =
    pipe.consumedByRead === null ? '' : pipe.consumedByRead ? t(', the file reads into its pages') : '';
  return {
    id,
    title: t('pipe {0} of {1}', pipe.id, changes.show(pipe.owner)),
    text:
      pipe.occupancy === null
        ? t('contents: unknown')
        : `${pipe.occupancy === 0 ? t('empty') : pipe.occupancy === 1 ? t('1 buffer') : t('{0} buffers', pipe.occupancy)}${mode}`,
    slots: pipe.ringSize ?? 0,
    buffers: pipe.buffers.map((buffer) => ({
      text: shortPointer(buffer.page),
      bytes: buffer.len,
      page: `page:${buffer.page}`,
      changed: before !== undefined && !known.has(buffer.page),
    })),
    values: [
      ...changes.fields(id, pipe, [
        ['head', t('head'), t('Buffers put in so far.')],
        ['tail', t('tail'), t('Buffers taken out so far.')],
        ['occupancy', t('buffers in it')],
        ['ringSize', t('slots')],
      ]),
      changes.value(
        `${id}:consumedByRead`,
        'consumed_by_read',
        pipe.consumedByRead,
        t('The pages are empty and the consumer reads into them.'),
      ),
    ],
    changed: changes.of(id),
    gone: false,
    request: -1,
    focused,
  };
}

function rowOfPage(scene: Scene, page: PageState): number {
  return page.tag === null ? -1 : scene.rowOfTag(page.device, page.queue ?? 0, page.tag);
}

/** Pages: those of the focused request and those that changed first. */
export function drawPages(scene: Scene, leftOut: string[]): PageDrawing[] {
  const { state, before, changes, t } = scene;
  const alive = new Set(state.pages.map((page) => page.ptr));
  const ended = (before?.pages ?? []).filter((page) => !alive.has(page.ptr));
  const weight = (page: PageState): number =>
    (changes.of(`page:${page.ptr}`) ? 2 : 0) + (scene.isFocus(rowOfPage(scene, page)) ? 1 : 0);
  const sorted = [...state.pages, ...ended]
    .map((page) => ({ page, weight: weight(page) }))
    .sort((a, b) => b.weight - a.weight)
    .map(({ page }) => page);
  if (sorted.length > MOST_PAGES) leftOut.push(t('{0} more pages', sorted.length - MOST_PAGES));
  return sorted
    .slice(0, MOST_PAGES)
    .sort((a, b) => (a.queue ?? 0) - (b.queue ?? 0) || (a.tag ?? 0) - (b.tag ?? 0) || place(a) - place(b))
    .map((page) => drawPage(scene, page, !alive.has(page.ptr)));
}

function place(page: PageState): number {
  return page.requestOffset ?? 0;
}

function drawPage(scene: Scene, page: PageState, gone: boolean): PageDrawing {
  const { changes, t } = scene;
  const id = `page:${page.ptr}`;
  const row = rowOfPage(scene, page);
  const owner =
    page.tag === null
      ? t('owner: unknown')
      : t('q{0} tag {1}, byte {2}', page.queue ?? '?', page.tag, page.requestOffset ?? '?');
  const refsHelp = t('References when last seen; the splice of the RFC takes none of its own.');
  return {
    id,
    owner,
    title: t('page {0}', shortPointer(page.ptr)),
    text: owner,
    references: changes.value(`${id}:refs`, t('references'), page.refs, refsHelp),
    origin: originOf(scene, page),
    values: gone
      ? []
      : [
          changes.value(`${id}:refs`, t('references'), page.refs, refsHelp),
          ...changes.fields(id, page, [
            ['fill', t('filled from')],
            ['pipe', t('in pipe')],
            ['slot', t('slot of the pipe')],
            ['requestOffset', t('byte of the request')],
            ['ptr', t('address')],
          ]),
        ],
    changed: changes.of(id),
    gone,
    request: row,
    focused: scene.isFocus(row),
  };
}

/** Where the bytes of a page came from. Only the simulator tells when nothing was put into it yet. */
function originOf(scene: Scene, page: PageState): string {
  const { t, state } = scene;
  if (page.fill !== null) return t('from {0}', page.fill);
  const op = page.tag === null ? null : scene.slotOf(page.device ?? 0, page.queue ?? 0, page.tag)?.iod.op;
  if (op === 'WRITE') return t("the client's data");
  return state.simulated && op === 'READ' ? t('not filled: old memory') : t('bytes from: unknown');
}

/** Disks below ublk first, with what is in flight at each. */
export function drawDisks(scene: Scene, leftOut: string[]): DiskDrawing[] {
  const { state, t } = scene;
  const sorted = [...state.disks].sort((a, b) => Number(b.device !== null) - Number(a.device !== null));
  if (sorted.length > MOST_DISKS) leftOut.push(t('{0} more disks', sorted.length - MOST_DISKS));
  const below = scene.backing();
  return sorted.slice(0, MOST_DISKS).map((disk) => drawDisk(scene, disk, below));
}

function drawDisk(scene: Scene, disk: DiskState, below: ReadonlyMap<string, number>): DiskDrawing {
  const { changes, t, before } = scene;
  const number = `${disk.major},${disk.minor}`;
  const id = `disk:${number}`;
  const served = disk.device !== null;
  const key = (io: DiskState['inFlight'][number]): string => `${io.op}/${io.sector}/${io.sectors}`;
  const old = before?.disks.find((one) => one.major === disk.major && one.minor === disk.minor);
  const known = new Set(old?.inFlight.map(key));
  const inFlight = disk.inFlight.slice(0, MOST_AT_DISK).map((io) => {
    const request = served
      ? scene.rowOfPlace(disk.device ?? -1, io.sector, io.sectors)
      : (below.get(`${number}/${io.sector}`) ?? -1);
    const size = io.sectors === 0 ? '' : ` ${sizeText(io.sectors * 512)}`;
    return {
      id: `${id}#${key(io)}`,
      text: `${io.op || 'I/O'}${size} @ ${sizeText(io.sector * 512)}`,
      request,
      changed: before !== undefined && !known.has(key(io)),
    };
  });
  const more = disk.inFlight.length - inFlight.length;
  return {
    id,
    served,
    title: served ? t('ublk disk {0}', number) : t('disk {0} below', number),
    text:
      t('{0} in flight, {1} done', disk.inFlight.length, disk.completed) +
      (more > 0 ? ` (${more} not drawn)` : ''),
    inFlight,
    values: changes.fields(id, disk, [
      ['inFlight', t('in flight'), t('Issued and not complete.')],
      ['allocated', t('waiting'), t('Allocated and not issued.')],
      ['inserted', t('in the scheduler')],
      ['completed', t('completed')],
      ['requeued', t('requeued')],
      ['bytesRead', t('bytes read')],
      ['bytesWritten', t('bytes written')],
    ]),
    changed: changes.of(id),
    gone: false,
    request: -1,
    focused: inFlight.some((io) => scene.isFocus(io.request)),
  };
}

import type { Picture } from './drawing/picture';
import type { Store } from './store';
import type { Words } from './words';

/** Pixels per CSS pixel of a saved picture: sharp on slides. */
const SHARPNESS = 2;

/** Largest side of a picture, device pixels; browsers refuse larger canvases. */
const LARGEST = 16_000;

/** Saves the face as SVG; the host asks where. */
export function saveSvg(store: Store): Promise<void> {
  return guarded(store, async () => save(store, 'svg', (await picture(store)).svg));
}

/** Saves the face as PNG. */
export function savePng(store: Store): Promise<void> {
  return guarded(store, async () => {
    const blob = await rasterise(await picture(store), store.words.peek());
    await save(store, 'png', new Uint8Array(await blob.arrayBuffer()));
  });
}

/** Saves the sequence as Mermaid text. */
export function saveMermaid(store: Store): Promise<void> {
  return guarded(store, async () => save(store, 'mermaid', await mermaid(store)));
}

/** Puts the face on the clipboard as PNG. */
export function copyPng(store: Store): Promise<void> {
  return guarded(store, async () => {
    const drawn = picture(store);
    // The clipboard takes a promise, so that the person's click still counts when the picture is ready.
    const png = drawn.then((one) => rasterise(one, store.words.peek()));
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': png })]);
    const t = store.words.peek();
    store.say(t('Copied the picture.'));
  });
}

/** Puts the text of the face's SVG on the clipboard. */
export function copySvg(store: Store): Promise<void> {
  return guarded(store, async () => {
    await store.client.ask('copy', { text: (await picture(store)).svg });
    const t = store.words.peek();
    store.say(t('Copied as SVG.'));
  });
}

/** Puts the sequence on the clipboard as Mermaid text. */
export function copyMermaid(store: Store): Promise<void> {
  return guarded(store, async () => {
    await store.client.ask('copy', { text: await mermaid(store) });
    const t = store.words.peek();
    store.say(t('Copied as Mermaid.'));
  });
}

async function picture(store: Store): Promise<Picture> {
  const exporter = store.exporter.peek();
  const t = store.words.peek();
  if (exporter === undefined) throw new Error(t('There is nothing to draw yet.'));
  return exporter.picture();
}

async function mermaid(store: Store): Promise<string> {
  const text = await store.exporter.peek()?.mermaid?.();
  const t = store.words.peek();
  if (text === undefined) throw new Error(t('Only the sequence can be had as Mermaid.'));
  return text;
}

async function save(store: Store, kind: 'png' | 'svg' | 'mermaid', data: string | Uint8Array): Promise<void> {
  const trace = store.trace.peek()?.name.replace(/\.[^.]*$/, '') ?? 'trace';
  const ending = kind === 'mermaid' ? 'mmd' : kind;
  const { saved } = await store.client.ask('save', {
    name: `${trace}-${store.face.peek()}.${ending}`,
    kind,
    data,
  });
  const t = store.words.peek();
  if (saved) store.say(t('Saved.'));
}

/** An SVG picture as PNG, on white. */
async function rasterise({ svg, width, height }: Picture, t: Words): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const scale = Math.min(SHARPNESS, LARGEST / Math.max(1, width, height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext('2d');
  if (context === null) throw new Error(t('This window cannot draw: there is no 2D canvas.'));
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) =>
      blob === null ? reject(new Error(t('The picture is too large for PNG.'))) : resolve(blob),
    );
  });
}

async function guarded(store: Store, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    store.fail(error);
  }
}

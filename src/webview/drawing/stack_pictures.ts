import type { Picture } from './picture';
import { escapeXml } from './paper';

/** Height of a name above its picture, px. */
const NAME = 30;

/** Pictures one above the other as one, each below its name where there are names. */
export function stackPictures(pictures: readonly Picture[], names: readonly string[] = []): Picture {
  if (pictures.length === 1) return pictures[0]!;
  const width = Math.max(0, ...pictures.map((picture) => picture.width));
  let height = 0;
  const parts = pictures.map((picture, k) => {
    const name = names[k];
    const title = name === undefined ? '' : nameText(name, height);
    if (name !== undefined) height += NAME;
    // Names of patterns and clips hold within one document, so each picture gets its own.
    const inner = picture.svg.replace(/(id="|url\(#)/g, `$1v${k}-`);
    const placed = inner.replace('<svg ', `<svg y="${height}" `);
    height += picture.height;
    return title + placed;
  });
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  return { svg: `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${parts.join('')}</svg>\n`, width, height };
}

/** A name on white, `y` px from the top. */
function nameText(name: string, y: number): string {
  const look = `font-family="sans-serif" font-size="16" font-weight="600" fill="#1b1b1b"`;
  return `<rect y="${y}" width="100%" height="${NAME}" fill="#ffffff"/><text x="16" y="${y + 21}" ${look}>${escapeXml(name)}</text>`;
}

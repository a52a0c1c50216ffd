import type { Picture } from '../store';

/** Pictures one above the other as one. */
export function stackPictures(pictures: readonly Picture[]): Picture {
  if (pictures.length === 1) return pictures[0]!;
  const width = Math.max(0, ...pictures.map((picture) => picture.width));
  let height = 0;
  const parts = pictures.map((picture, k) => {
    // Names of patterns and clips hold within one document, so each picture gets its own.
    const inner = picture.svg.replace(/(id="|url\(#)/g, `$1v${k}-`);
    const placed = inner.replace('<svg ', `<svg y="${height}" `);
    height += picture.height;
    return placed;
  });
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  return { svg: `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${parts.join('')}</svg>\n`, width, height };
}

/** Whether a person wants no motion, by the system or by VS Code. */
export function isCalm(): boolean {
  return (
    matchMedia('(prefers-reduced-motion: reduce)').matches ||
    document.body.classList.contains('vscode-reduce-motion')
  );
}

/** Scrolls a box as little as it takes to have a part of it in view; of what is too large, its beginning. */
export function bringIntoView(box: HTMLElement, part: Element): void {
  const frame = box.getBoundingClientRect();
  const { left, right, top, bottom } = part.getBoundingClientRect();
  const way = (low: number, high: number, from: number, room: number): number => {
    const [before, after] = [low - EDGE - from, high + EDGE - (from + room)];
    return before < 0 ? before : Math.max(0, Math.min(after, before));
  };
  const x = way(left, right, frame.left, box.clientWidth);
  const y = way(top, bottom, frame.top, box.clientHeight);
  if (x !== 0 || y !== 0) box.scrollBy({ left: x, top: y, behavior: isCalm() ? 'instant' : 'smooth' });
}

/** Air that is left around what is brought into view, px. */
const EDGE = 8;

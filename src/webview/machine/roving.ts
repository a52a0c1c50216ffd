import type { Box } from './parts';

export type Direction = 'ArrowLeft' | 'ArrowRight' | 'ArrowUp' | 'ArrowDown';

/** Whether a key is one of the arrows. */
export function isDirection(key: string): key is Direction {
  return key === 'ArrowLeft' || key === 'ArrowRight' || key === 'ArrowUp' || key === 'ArrowDown';
}

/** The nearest box in a direction, by centres; what lies straight ahead is preferred. Undefined where there is none. */
export function nearest<B extends Box>(boxes: readonly B[], from: B, direction: Direction): B | undefined {
  const [x, y] = centre(from);
  let best: B | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const box of boxes) {
    if (box === from) continue;
    const [bx, by] = centre(box);
    const [dx, dy] = [bx - x, by - y];
    const sideways = direction === 'ArrowLeft' || direction === 'ArrowRight';
    const ahead = sideways ? dx : dy;
    const aside = Math.abs(sideways ? dy : dx);
    const way = direction === 'ArrowLeft' || direction === 'ArrowUp' ? -ahead : ahead;
    if (way <= 4) continue;
    const cost = way + aside * 2.5;
    if (cost >= least) continue;
    least = cost;
    best = box;
  }
  return best;
}

function centre(box: Box): [number, number] {
  return [box.x + box.w / 2, box.y + box.h / 2];
}

import { MARK_KINDS, SPAN_KINDS } from '../protocol_data';
import type { Store } from '../store';
import { useValue } from '../use_signal';
import type { Words } from '../words';
import { markWords, spanWords } from './legend';
import { formatCount, formatExact } from './format';
import type { Pane } from './pane';
import type { Hit, Scene } from './scene';

/** What the span or mark under the pointer is. */
export function Tooltip({ store, pane }: { readonly store: Store; readonly pane: Pane }) {
  const hit = useValue(pane.hover);
  const t = useValue(store.words);
  const { scene } = pane;
  if (hit === undefined || scene === undefined) return null;
  const { title, lines, time, y } = describe(hit, scene, t);
  const x = Math.min(Math.max(scene.scale.x(time), scene.scale.left), scene.width - 40);
  const right = x > scene.width * 0.6;
  const below = y < scene.height * 0.7;
  const style = {
    left: right ? 'auto' : `${x + 8}px`,
    right: right ? `${scene.width - x}px` : 'auto',
    top: below ? `${y + scene.metrics.row + 6}px` : 'auto',
    bottom: below ? 'auto' : `${scene.height - y + 4}px`,
  };
  return (
    <div class="tooltip" role="tooltip" style={style}>
      <strong>{title}</strong>
      {lines.map((line) => (
        <span key={line}>{line}</span>
      ))}
    </div>
  );
}

function describe(
  hit: Hit,
  scene: Scene,
  t: Words,
): { title: string; lines: string[]; time: number; y: number } {
  const { slice } = hit.index;
  const place = `${scene.tracks.group[hit.track]} · ${scene.tracks.name[hit.track]}`;
  const row = scene.rows.of(hit.track);
  const top = scene.metrics.minimap + scene.metrics.ruler;
  const pin = scene.pinned.of(hit.track);
  const y = pin !== undefined ? top + pin.y : top + scene.pinned.height + (row?.y ?? 0) - scene.scrollTop;
  if (hit.what === 'mark') {
    const { marks } = slice;
    const kind = MARK_KINDS[marks.kind[hit.item]!] ?? 'event';
    const count = marks.count[hit.item]!;
    const words = markWords(t)[kind];
    const time = marks.time[hit.item]!;
    const label = slice.labels[marks.label[hit.item]!] || words;
    const event = t('Event {0} at {1}', marks.event[hit.item]!, formatExact(time));
    const many = count > 1 ? [t('{0} events here: zoom in to tell them apart', formatCount(count))] : [];
    return { title: label, lines: [...many, words, event, place].filter((line) => line !== label), time, y };
  }
  const { spans } = slice;
  const kind = SPAN_KINDS[spans.kind[hit.item]!] ?? 'merged';
  const count = spans.count[hit.item]!;
  const time = spans.start[hit.item]!;
  const label = slice.labels[spans.label[hit.item]!] || spanWords(t)[kind];
  const lasts = `${spanWords(t)[kind]} · ${formatExact(spans.end[hit.item]! - time)}`;
  const many = count > 1 ? [t('{0} spans here: zoom in to tell them apart', formatCount(count))] : [];
  return { title: label, lines: [...many, lasts, t('from {0}', formatExact(time)), place], time, y };
}

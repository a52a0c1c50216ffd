import { useEffect, useMemo } from 'preact/hooks';
import { MARK_KINDS, SPAN_KINDS } from '../protocol_data';
import { Told } from '../drawing/tip';
import { HoverExplainer } from '../hover';
import type { Store } from '../store';
import { useValue } from '../use_signal';
import type { Words } from '../words';
import { markWords, spanWords } from './legend';
import { formatCount, formatExact } from './format';
import type { Pane } from './pane';
import type { Aside, Hit, Scene } from './scene';
import { counterAt } from './draw_tracks';
import { targetOf } from './hit';

/** What the span, mark, counter or name under the pointer is; where the pointer rests, why and what comes next as well. */
export function Tooltip({ store, pane }: { readonly store: Store; readonly pane: Pane }) {
  const hit = useValue(pane.hover);
  const aside = useValue(pane.aside);
  const t = useValue(store.words);
  const explainer = useMemo(() => new HoverExplainer(store, pane.trace), [store, pane]);
  const explanation = useValue(explainer.shown);
  useEffect(() => {
    explainer.want(hit === undefined || countOf(hit) > 1 ? -1 : targetOf(hit).event);
    return () => explainer.want(-1);
  }, [explainer, hit]);
  const { scene } = pane;
  if (scene === undefined) return null;
  if (hit === undefined) return aside === undefined ? null : <AsideTip scene={scene} aside={aside} t={t} />;
  const { title, lines, time, y } = describe(hit, scene, t);
  const x = Math.min(Math.max(scene.scale.x(time), scene.scale.left), scene.width - 40);
  return (
    <div class="tooltip" role="tooltip" style={placeOf(scene, x, y)}>
      <strong>{title}</strong>
      {lines.map((line) => (
        <span key={line}>{line}</span>
      ))}
      {explanation !== undefined && <Told of={explanation} t={t} />}
    </div>
  );
}

function AsideTip({ scene, aside, t }: { readonly scene: Scene; readonly aside: Aside; readonly t: Words }) {
  const { tracks } = scene;
  const { track, time } = aside;
  const value = time === undefined ? undefined : counterAt(scene, track, time);
  return (
    <div class="tooltip" role="tooltip" style={placeOf(scene, aside.x, aside.y)}>
      <strong>{tracks.name[track]}</strong>
      <span>{tracks.group[track]}</span>
      {value !== undefined && time !== undefined && (
        <span>{t('{0} of {1} at {2}', value, tracks.max[track] ?? 0, formatExact(Math.round(time)))}</span>
      )}
    </div>
  );
}

/** Beside a point, on the side where there is more room. */
function placeOf(scene: Scene, x: number, y: number): Record<string, string> {
  const right = x > scene.width * 0.6;
  const below = y < scene.height * 0.5;
  return {
    left: right ? 'auto' : `${x + 8}px`,
    right: right ? `${scene.width - x}px` : 'auto',
    top: below ? `${y + scene.metrics.row + 6}px` : 'auto',
    bottom: below ? 'auto' : `${scene.height - y + 4}px`,
  };
}

function countOf({ what, index, item }: Hit): number {
  const { marks, spans } = index.slice;
  return (what === 'mark' ? marks : spans).count[item]!;
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

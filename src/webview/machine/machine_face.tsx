import { signal } from '@preact/signals-core';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { bringIntoView } from '../drawing/motion';
import { Marks } from '../drawing/svg';
import { PartTip, type Pointed, pointedAt, type PointedPart } from '../drawing/tip';
import { useWidth } from '../drawing/use_width';
import { useZoom } from '../drawing/use_zoom';
import { fittingZoom, layoutWidth, ZOOMS } from '../drawing/zoom';
import type { FaceProps } from '../faces';
import { latest } from '../latest';
import type { MachineView } from '../protocol_faces';
import { TracePanes, type TracePaneProps } from '../shell/trace_panes';
import { NO_CURSOR } from '../store';
import { useValue } from '../use_signal';
import { machineSvg } from './export';
import { drawMachine } from './layout';
import type { DrawnPart } from './parts';
import { isDirection, nearest } from './roving';
import { Values } from './values';

/** Changes that are shown without asking for more. */
const SHOWN = 6;
/** Least width for which a machine is laid out, px. */
const LEAST = 360;
/** Least width of a picture that is taken away, px. */
const PICTURE = 1200;

/** Rings, slots, pipes, pages and disks as they are after the event of the cursor; of each trace. */
export function MachineFace({ store }: FaceProps) {
  return <TracePanes store={store} pane={MachinePane} />;
}

function MachinePane({ store, trace, offer }: TracePaneProps) {
  const t = useValue(store.words);
  const cursor = useValue(store.cursors)[trace] ?? NO_CURSOR;
  const epoch = useValue(store.epoch);
  const [view, setView] = useState<MachineView | undefined>(undefined);
  const [picked, setPicked] = useState('');
  const [all, setAll] = useState(false);
  const scroller = useRef<HTMLDivElement>(null);
  const width = useWidth(scroller);
  const pointed = useMemo(() => signal<Pointed<PointedPart> | undefined>(undefined), [trace]);
  const load = useMemo(
    () =>
      latest(
        (ask: { trace: number; event: number }) => store.client.ask('machine', ask),
        setView,
        (error) => store.fail(error),
      ),
    [store],
  );
  useEffect(() => load({ trace, event: cursor.event }), [load, trace, epoch, cursor.event, cursor.request]);
  const drawAt = (shown: MachineView, scale: number) =>
    drawMachine(shown, Math.max(layoutWidth(width, scale, LEAST), LEAST), t);
  const fit = (): number | undefined => {
    const box = scroller.current;
    if (box === null || view === undefined || width === 0) return undefined;
    const room = { width: box.clientWidth, height: box.clientHeight };
    return fittingZoom((scale) => drawAt(view, scale), room) ?? ZOOMS[0];
  };
  const zoom = useZoom({ store, face: 'machine', trace, box: scroller, fit });
  const drawing = useMemo(
    () => (view === undefined || width === 0 ? undefined : drawAt(view, zoom)),
    [view, width, zoom, t],
  );
  useEffect(() => {
    if (view === undefined) return undefined;
    offer({ picture: () => machineSvg(view, Math.max(width, PICTURE), t) });
    return () => offer(undefined);
  }, [view, width, t, offer]);

  const parts = drawing?.parts ?? [];
  const shown = parts.find((part) => part.id === picked) ?? tellsMost(parts, cursor.request);
  // What an event changed comes into view, unless a person keeps a part there.
  const followed = useRef<MachineView | undefined>(undefined);
  useEffect(() => {
    const box = scroller.current;
    if (box === null || drawing === undefined || followed.current === view) return;
    followed.current = view;
    const first = shown?.changed ? shown : parts.find((part) => part.changed);
    if (first === undefined || parts.some((part) => part.id === picked)) return;
    const element = box.querySelector(`[data-part="${CSS.escape(first.id)}"]`);
    if (element !== null) bringIntoView(box, element);
  }, [drawing]);
  // What is said of a part holds for one event.
  useEffect(() => {
    pointed.value = undefined;
  }, [view, zoom]);
  const onBreak = (path: string): void => void store.breakWhen(path, trace);
  useEffect(
    () =>
      store.onCommand((command) => {
        if (store.active.peek() !== trace) return false;
        if (command !== 'breakWhen' || shown === undefined || shown.path === '') return false;
        onBreak(shown.path);
        return true;
      }),
    [store, trace, shown],
  );

  const focusOn = (part: DrawnPart | undefined): void => {
    const box = scroller.current;
    if (part === undefined || box === null) return;
    const element = box.querySelector<SVGGElement>(`[data-part="${CSS.escape(part.id)}"]`);
    element?.focus();
    element?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  };
  const onKey = (part: DrawnPart, event: KeyboardEvent): void => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (isDirection(event.key)) focusOn(nearest(parts, part, event.key));
    else if (event.key === 'Enter' || event.key === ' ') setPicked(picked === part.id ? '' : part.id);
    else if (event.key === 'b' && part.path !== '') onBreak(part.path);
    else return;
    event.preventDefault();
  };

  const rest = (view?.changes.length ?? 0) - SHOWN;
  const more =
    rest > 0 ? (
      <button type="button" class="machine-value" aria-expanded={all} onClick={() => setAll(!all)}>
        {all ? t('fewer') : t('{0} more', rest)}
      </button>
    ) : undefined;
  return (
    <section class="machine" aria-label={t('Machine')}>
      {view !== undefined && (
        <header class="machine-story">
          <h2>{view.title}</h2>
          <div class="by">{view.by}</div>
          {view.changes.length > 0 ? (
            <Values
              values={all ? view.changes : view.changes.slice(0, SHOWN)}
              label={t('What this event changed')}
              t={t}
              onBreak={onBreak}
              more={more}
            />
          ) : (
            view.event >= 0 && <div class="by">{t('It changed nothing that is drawn here.')}</div>
          )}
        </header>
      )}
      <div
        class="machine-scroll"
        ref={scroller}
        onScroll={() => {
          pointed.value = undefined;
        }}
      >
        {drawing !== undefined && parts.length === 0 && (
          <p class="calm">{t('Nothing of a machine is known here yet: step on.')}</p>
        )}
        {drawing !== undefined && parts.length > 0 && (
          // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot hold a drawing
          <svg
            class="drawing"
            width={drawing.width * zoom}
            height={drawing.height * zoom}
            viewBox={`0 0 ${drawing.width} ${drawing.height}`}
            role="group"
            aria-label={t(
              'The machine after event {0}. Arrow keys move between its parts.',
              view?.event ?? 0,
            )}
          >
            <Marks marks={drawing.back} />
            <Marks marks={drawing.links.behind} />
            {parts.map((part) => (
              <Part
                key={part.id}
                part={part}
                event={view?.event ?? -1}
                picked={part.id === shown?.id && picked !== ''}
                stop={part.id === shown?.id}
                over={pointedAt(pointed, part.id, {
                  title: part.title,
                  label: part.label,
                  values: part.values,
                  event: view?.event ?? -1,
                  changed: part.changed,
                })}
                onPick={() => setPicked(part.id)}
                onKey={(event) => onKey(part, event)}
              />
            ))}
            <g pointer-events="none">
              <Marks marks={drawing.links.above} />
            </g>
          </svg>
        )}
        {view !== undefined && (view.leftOut.length > 0 || view.totals.length > 0) && (
          <div class="machine-foot">
            {view.leftOut.length > 0 && <p>{view.leftOut.join('; ')}</p>}
            <Values values={view.totals} label={t('Counts since the trace began')} t={t} onBreak={onBreak} />
          </div>
        )}
      </div>
      {shown !== undefined && (
        <section class="machine-inspector" aria-label={t('Values of {0}', shown.title)}>
          <h3>
            {shown.title}
            {picked === '' ? '' : ` · ${t('kept in view')}`}
          </h3>
          {shown.values.length === 0 ? (
            <span class="by">{t('It is gone after this event.')}</span>
          ) : (
            <Values values={shown.values} label={t('Values of {0}', shown.title)} t={t} onBreak={onBreak} />
          )}
        </section>
      )}
      <PartTip store={store} trace={trace} pointed={pointed} />
    </section>
  );
}

/** Which parts say most of an event, best first, by the beginning of their ids. */
const TELLING = ['slot:', 'pipe:', 'page:', 'ring:', 'req:', 'disk:', 'io:', 'fuse:', 'task:', 'device:'];

/** The part whose values are shown without being asked for: one that changed, else that of the focused request. */
function tellsMost(parts: readonly DrawnPart[], request: number): DrawnPart | undefined {
  const rank = (part: DrawnPart): number => {
    const kind = TELLING.findIndex((start) => part.id.startsWith(start));
    const own = request >= 0 && part.request === request;
    return (
      (kind < 0 ? TELLING.length : kind) + (own ? 0 : 20) + (part.changed && part.values.length > 0 ? 0 : 100)
    );
  };
  let best: DrawnPart | undefined;
  for (const part of parts) if (best === undefined || rank(part) < rank(best)) best = part;
  return best;
}

interface PartProps {
  readonly part: DrawnPart;
  readonly event: number;
  readonly picked: boolean;
  /** The one part that Tab comes to. */
  readonly stop: boolean;
  readonly over: ReturnType<typeof pointedAt>;
  readonly onPick: () => void;
  readonly onKey: (event: KeyboardEvent) => void;
}

function Part({ part, event, picked, stop, over, onPick, onKey }: PartProps) {
  const { x, y, w, h } = part;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a button element cannot stand in a drawing
    <g
      class="machine-part"
      role="button"
      tabindex={stop ? 0 : -1}
      aria-label={part.label}
      aria-pressed={picked}
      data-part={part.id}
      onClick={onPick}
      onKeyDown={onKey}
      {...over}
    >
      <rect class="hit" x={x} y={y} width={w} height={h} />
      <Marks marks={part.marks} />
      {part.changed && <rect key={event} class="machine-flash" x={x} y={y} width={w} height={h} rx={5} />}
      <rect class="ring-focus" x={x - 3} y={y - 3} width={w + 6} height={h + 6} rx={7} />
    </g>
  );
}

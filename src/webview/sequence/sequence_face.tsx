import { signal } from '@preact/signals-core';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Marks } from '../drawing/svg';
import { EventTip, type Pointed, pointedAt, type PointedEvent } from '../drawing/tip';
import { useWidth } from '../drawing/use_width';
import { useZoom } from '../drawing/use_zoom';
import { fittingZoom, layoutWidth } from '../drawing/zoom';
import type { FaceProps } from '../faces';
import { latest } from '../latest';
import type { SequenceView } from '../protocol_faces';
import { TracePanes, type TracePaneProps } from '../shell/trace_panes';
import { NO_CURSOR } from '../store';
import { useValue } from '../use_signal';
import { drawSequence, type DrawnRow, HEAD, leastWidth, rowSentence } from './draw';
import { sequenceSvg } from './export';
import { toMermaid } from './mermaid';

/** Rows of one answer, and how near to their edge more are fetched. */
const COUNT = 200;
const EDGE = 30;
/** Most rows of a picture that is taken away: what a slide or a page can show. */
const PICTURE = 120;

/** Actors as columns, time downwards, a line per event; of each trace. */
export function SequenceFace({ store }: FaceProps) {
  return <TracePanes store={store} pane={SequencePane} />;
}

function SequencePane({ store, trace, offer }: TracePaneProps) {
  const t = useValue(store.words);
  const cursor = useValue(store.cursors)[trace] ?? NO_CURSOR;
  const epoch = useValue(store.epoch);
  const [view, setView] = useState<SequenceView | undefined>(undefined);
  const [only, setOnly] = useState(false);
  const notes = useValue(store.notes);
  const scroller = useRef<HTMLDivElement>(null);
  const width = useWidth(scroller);
  const anchor = useRef<{ event: number; offset: number } | undefined>(undefined);
  const request = only ? cursor.request : -1;

  const pointed = useMemo(() => signal<Pointed<PointedEvent> | undefined>(undefined), [trace]);
  const load = useMemo(
    () =>
      latest(
        (ask: { trace: number; around: number; count: number; request?: number }) =>
          store.client.ask('sequence', ask),
        setView,
        (error) => store.fail(error),
      ),
    [store],
  );
  const fetchAround = (around: number): void =>
    load({ trace, around, count: COUNT, ...(request >= 0 && { request }) });

  // The cursor is brought into view when it moves; a person who then scrolls away stays there.
  const follows = useRef(true);
  useEffect(() => {
    anchor.current = undefined;
    follows.current = true;
    fetchAround(Math.max(0, cursor.event));
  }, [trace, epoch, request]);
  useEffect(() => {
    follows.current = true;
    if (view !== undefined && !isInside(view, cursor.event)) fetchAround(Math.max(0, cursor.event));
  }, [cursor.event]);

  const drawAt = (shown: SequenceView, scale: number) =>
    drawSequence(shown, {
      width: layoutWidth(width, scale, leastWidth(shown)),
      cursor: cursor.event,
      focus: only ? -1 : cursor.request,
      notes,
    });
  const fit = (): number | undefined => {
    const box = scroller.current;
    if (box === null || view === undefined || width === 0) return undefined;
    // Of a long trace only a part is at hand: then its columns are what fits.
    if (view.before > 0 || view.after > 0) return 1;
    const sizeAt = (scale: number) => {
      const { width, height } = drawAt(view, scale);
      return { width, height: height + HEAD };
    };
    return fittingZoom(sizeAt, { width: box.clientWidth, height: box.clientHeight }) ?? 1;
  };
  const zoom = useZoom({ store, face: 'sequence', trace, box: scroller, fit });
  const drawing = useMemo(
    () => (view === undefined || width === 0 ? undefined : drawAt(view, zoom)),
    [view, width, zoom, cursor.event, cursor.request, only, notes],
  );

  useLayoutEffect(() => {
    const box = scroller.current;
    if (box === null || drawing === undefined) return;
    const held = anchor.current;
    const kept = held && drawing.rows.find((one) => one.row.event === held.event);
    anchor.current = undefined;
    if (kept !== undefined && held !== undefined) box.scrollTop = kept.y * zoom - held.offset;
  }, [drawing]);
  useEffect(() => {
    const box = scroller.current;
    const row = drawing?.rows.find((one) => one.row.event === cursor.event);
    if (!follows.current || box === null || row === undefined || view === undefined) return;
    // near an edge more rows are on their way, and it is brought into view once more
    follows.current = !isInside(view, cursor.event);
    reveal(box, row, zoom);
  }, [drawing, cursor.event]);

  useEffect(() => {
    const stop = store.onCommand((command) => {
      if (store.active.peek() !== trace) return false;
      if (command === 'onlyRequest') {
        setOnly((was) => !was);
        return true;
      }
      if (command !== 'up' && command !== 'down') return false;
      const rows = view?.rows ?? [];
      // Not the cursor that was drawn last: keys may come faster than that.
      const { event, request } = store.cursors.peek()[trace] ?? NO_CURSOR;
      const at = rows.findIndex((row) => row.event === event);
      const next = rows[at + (command === 'up' ? -1 : 1)];
      if (at >= 0 && next !== undefined) store.move(next.event, request, trace);
      return true;
    });
    return stop;
  }, [store, trace, view]);

  useEffect(() => {
    const look = {
      width: Math.max(width, 900),
      cursor: cursor.event,
      focus: only ? -1 : cursor.request,
      notes,
    };
    const shown = async (): Promise<SequenceView> => {
      const around = Math.max(0, cursor.event);
      return store.client.ask('sequence', {
        trace,
        around,
        count: PICTURE,
        ...(request >= 0 && { request }),
      });
    };
    const title = cursor.label || (store.traces.peek()[trace]?.name ?? '');
    offer({
      picture: async () => sequenceSvg(await shown(), look, title),
      mermaid: async () => toMermaid(await shown(), t, look),
    });
    return () => offer(undefined);
  }, [store, trace, width, cursor, only, notes, request, offer, t]);

  const onScroll = (): void => {
    pointed.value = undefined;
    const box = scroller.current;
    if (box === null || drawing === undefined || view === undefined) return;
    const first = drawing.rows.findIndex((one) => (one.y + one.height) * zoom > box.scrollTop);
    const visible = Math.ceil(box.clientHeight / 38 / zoom);
    const top = drawing.rows[first];
    if (top === undefined) return;
    const wanted =
      (first < EDGE && view.before > 0) || (first + visible > drawing.rows.length - EDGE && view.after > 0);
    if (!wanted || anchor.current !== undefined) return;
    anchor.current = { event: top.row.event, offset: top.y * zoom - box.scrollTop };
    fetchAround(drawing.rows[Math.min(drawing.rows.length - 1, first + visible)].row.event);
  };

  const hasRows = (view?.rows.length ?? 0) > 0;
  return (
    <section class="sequence" aria-label={t('Sequence')}>
      <div class="sequence-strip">
        <label>
          <input
            type="checkbox"
            checked={only}
            onChange={() => setOnly(!only)}
            title={t('Show the events of the focused request only (O)')}
          />
          {t('Only this request')}
        </label>
        <label>
          <input
            type="checkbox"
            checked={notes}
            onChange={() => store.showNotes(!notes)}
            title={t(
              'Say of every line what it means, not only of the current one: for slides, in pictures and Mermaid too',
            )}
          />
          {t('Notes for all lines')}
        </label>
        <span class="calm">{cursor.label === '' ? t('Whole trace') : cursor.label}</span>
        {only && cursor.request < 0 && (
          <span>{t('No request is focused: step to one, or click a line of it.')}</span>
        )}
      </div>
      <div class="sequence-scroll" ref={scroller} onScroll={onScroll}>
        {view !== undefined && !hasRows && <p class="calm">{t('No events.')}</p>}
        {drawing !== undefined && view !== undefined && hasRows && (
          <div style={{ width: `${drawing.width * zoom}px` }}>
            <div class="sequence-heads" hidden={drawing.head.length === 0}>
              <svg
                class="drawing"
                width={drawing.width * zoom}
                height={HEAD * zoom}
                viewBox={`0 0 ${drawing.width} ${HEAD}`}
                role="img"
                aria-label={t('Columns: {0}', view.actors.map((actor) => actor.name).join(', '))}
              >
                <Marks marks={drawing.head} />
                {view.actors.map((actor, k) => (
                  <rect
                    key={actor.id}
                    class="hit"
                    x={(drawing.columns[k] ?? 0) - drawing.gap / 2}
                    y={0}
                    width={drawing.gap}
                    height={HEAD}
                  >
                    <title>{`${actor.name}: ${actor.help}`}</title>
                  </rect>
                ))}
              </svg>
            </div>
            {view.before > 0 && (
              <p class="more-lines">{t('{0} events before', view.before.toLocaleString())}</p>
            )}
            <div
              role="listbox"
              tabIndex={0}
              class="sequence-lines"
              aria-label={t('Events as messages between actors')}
              aria-activedescendant={lineId(trace, cursor.event)}
            >
              <svg
                class="drawing"
                width={drawing.width * zoom}
                height={drawing.height * zoom}
                viewBox={`0 0 ${drawing.width} ${drawing.height}`}
                role="presentation"
              >
                <Marks marks={drawing.back} />
                {drawing.rows.map((one) => (
                  <Line
                    key={one.row.event}
                    id={lineId(trace, one.row.event)}
                    drawn={one}
                    width={drawing.width}
                    selected={one.row.event === cursor.event}
                    text={rowSentence(one.row, view.actors)}
                    over={pointedAt(pointed, String(one.row.event), {
                      event: one.row.event,
                      // what the note says is explained below
                      text: rowSentence({ ...one.row, note: '' }, view.actors),
                    })}
                    onPick={() =>
                      store.move(
                        one.row.event,
                        one.row.request >= 0 ? one.row.request : cursor.request,
                        trace,
                      )
                    }
                  />
                ))}
              </svg>
            </div>
            {view.after > 0 && <p class="more-lines">{t('{0} events after', view.after.toLocaleString())}</p>}
          </div>
        )}
      </div>
      <EventTip store={store} trace={trace} pointed={pointed} />
    </section>
  );
}

/** Id of a line: events of two traces have the same numbers. */
function lineId(trace: number, event: number): string {
  return trace === 0 ? `line-${event}` : `line-${trace}-${event}`;
}

interface LineProps {
  readonly id: string;
  readonly drawn: DrawnRow;
  readonly width: number;
  readonly selected: boolean;
  readonly text: string;
  readonly over: ReturnType<typeof pointedAt>;
  readonly onPick: () => void;
}

function Line({ id, drawn, width, selected, text, over, onPick }: LineProps) {
  return (
    <g
      id={id}
      role="option"
      aria-selected={selected}
      aria-label={text}
      class="sequence-line"
      onClick={onPick}
      {...over}
    >
      <rect x={0} y={drawn.y} width={width} height={drawn.height} class="hit" />
      <Marks marks={drawn.marks} />
    </g>
  );
}

/** Whether the event lies among the rows, not too near to an edge behind which there are more. */
function isInside(view: SequenceView, event: number): boolean {
  const { rows, before, after } = view;
  if (event < 0 || (before === 0 && after === 0)) return true;
  const first = rows[before > 0 ? Math.min(EDGE / 2, rows.length - 1) : 0];
  const last = rows[after > 0 ? Math.max(0, rows.length - 1 - EDGE / 2) : rows.length - 1];
  if (first === undefined || last === undefined) return false;
  return (before === 0 || event >= first.event) && (after === 0 || event <= last.event);
}

/** Scrolls a row into the middle if it is outside. */
function reveal(box: HTMLElement, row: DrawnRow, zoom: number): void {
  const top = box.scrollTop / zoom;
  const room = box.clientHeight / zoom - HEAD - 40;
  if (row.y >= top + 10 && row.y + row.height <= top + room) return;
  box.scrollTop = Math.max(0, (row.y - room / 2) * zoom);
}

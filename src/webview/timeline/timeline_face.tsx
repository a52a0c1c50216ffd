import { effect } from '@preact/signals-core';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { FaceProps } from '../faces';
import type { Store } from '../store';
import { longest } from '../time_range';
import { useValue } from '../use_signal';
import { isCalm } from '../drawing/motion';
import { Offer } from '../drawing/offer';
import { stackPictures } from '../drawing/stack_pictures';
import { takeGestures } from './gestures';
import { Pane } from './pane';
import { showTime } from './scale';
import { makeGlide, timelineCommand } from './timeline_commands';
import { Tooltip } from './tooltip';
import { Totals } from './totals';

/** The timeline of a trace, or of two one above the other on one scale of time. */
export function TimelineFace({ store }: FaceProps) {
  const traces = useValue(store.traces);
  const panes = useRef<(Pane | undefined)[]>([]);
  useEffect(() => follow(store, panes.current), [store]);
  const empty = traces.every((trace) => trace.events === 0);
  const t = useValue(store.words);
  if (traces.length === 0 || empty) return <p class="calm">{t('This trace has no events yet.')}</p>;
  return (
    <div class="timelines">
      {traces.length > 1 && <Totals store={store} />}
      {traces.map((trace, k) => (
        <TimelinePane
          key={trace.uri}
          store={store}
          trace={k}
          last={k === traces.length - 1}
          attach={(pane) => {
            panes.current[k] = pane;
          }}
        />
      ))}
    </div>
  );
}

/** Keeps the cursor in view, takes commands and hands out pictures while the face is shown. */
function follow(store: Store, panes: (Pane | undefined)[]): () => void {
  const list = (): Pane[] => panes.filter((pane) => pane !== undefined);
  const glide = makeGlide(store, isCalm);
  let seen = store.cursor.peek();
  let acting = store.active.peek();
  const stops = [
    store.onCommand((command) => timelineCommand(store, list(), command, glide)),
    effect(() => {
      const cursor = store.cursor.value;
      const moved = cursor !== seen && store.active.value === acting;
      acting = store.active.value;
      seen = cursor;
      // Turning to the other trace leaves both where they are.
      if (!moved || cursor.event < 0) return;
      const range = store.range.peek();
      const next = showTime(range, cursor.time, longest(store.traces.peek()));
      if (next !== range) store.range.value = next;
      const trace = store.active.peek();
      const pane = panes[trace];
      if (cursor.lane === undefined || pane === undefined || pane.shows(cursor.lane)) return;
      const flow = store.flows.peek()[trace];
      const onTag = flow?.request === cursor.request && flow.event.includes(cursor.event);
      if (!onTag || !pane.shows(flow.tag)) pane.reveal(cursor.lane);
    }),
    effect(() => {
      const active = store.active.value;
      const flow = store.flows.value[active];
      if (flow !== undefined) panes[active]?.reveal(flow.tag);
    }),
  ];
  const offer = new Offer(store.exporter);
  offer.put({ picture: () => stackPictures(list().map((pane) => pane.picture())) });
  return () => {
    offer.withdraw();
    for (const stop of stops) stop();
  };
}

interface PaneProps extends FaceProps {
  readonly trace: number;
  readonly last: boolean;
  readonly attach: (pane: Pane | undefined) => void;
}

function TimelinePane({ store, trace, last, attach }: PaneProps) {
  const scroller = useRef<HTMLElement>(null);
  const surface = useRef<HTMLDivElement>(null);
  const [pane, setPane] = useState<Pane | undefined>(undefined);
  const t = useValue(store.words);
  const traces = useValue(store.traces);
  useEffect(() => {
    if (scroller.current === null || surface.current === null) return undefined;
    const made = new Pane(store, trace, scroller.current, last);
    const stop = takeGestures(store, made, surface.current, scroller.current);
    if (trace === 0) made.restoreScroll(store.scroll.peek());
    attach(made);
    setPane(made);
    return () => {
      attach(undefined);
      stop();
      made.stop();
    };
  }, [store, trace]);
  const active = useValue(store.active) === trace;
  useEffect(() => {
    const other = document.activeElement?.closest('.scroller');
    if (active && other && other !== scroller.current) scroller.current?.focus({ preventScroll: true });
  }, [active]);
  const name = traces[trace]?.name ?? '';
  return (
    <div class="timeline">
      {traces.length > 1 && (
        <h2 class="trace-name" aria-current={active}>
          {name}
          {active && <small>{t('keys act here')}</small>}
        </h2>
      )}
      <section
        ref={scroller}
        class="scroller"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
        aria-label={t('Timeline of {0}', name)}
        onFocusIn={() => {
          if (traces.length > 1) store.activate(trace);
        }}
      >
        <div ref={surface} class="surface">
          <canvas role="img" aria-label={t('Drawing of the timeline; the table of events says the same')} />
          {pane !== undefined && <Headings pane={pane} />}
          {pane !== undefined && <Tooltip store={store} pane={pane} />}
        </div>
        <div class="spacer" />
      </section>
    </div>
  );
}

/** Buttons over the headings of groups, which the canvas draws. */
function Headings({ pane }: { readonly pane: Pane }) {
  const headings = useValue(pane.headings);
  return (
    <>
      {headings.map(({ group, y, height, collapsed }) => (
        <button
          key={group}
          type="button"
          class="heading"
          aria-label={group}
          aria-expanded={!collapsed}
          style={{ top: `${y}px`, height: `${height}px` }}
          onClick={() => pane.toggle(group)}
        />
      ))}
    </>
  );
}

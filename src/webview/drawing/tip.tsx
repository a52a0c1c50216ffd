import type { Signal } from '@preact/signals-core';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { HoverExplainer, REST } from '../hover';
import type { Explanation } from '../protocol_data';
import { latest } from '../latest';
import type { Exploded } from '../protocol_faces';
import type { Store } from '../store';
import { useValue } from '../use_signal';
import type { Words } from '../words';

/** Values of a part that are told where the pointer rests; the inspector has them all. */
const MOST = 14;

/** What the pointer is over, and where in the window, px. */
export interface Pointed<T> {
  /** The same as long as the pointer is over the same thing. */
  readonly key: string;
  readonly what: T;
  readonly x: number;
  readonly y: number;
}

/** An event as text, which may be explained. */
export interface PointedEvent {
  readonly event: number;
  readonly text: string;
}

/** A part of the machine. */
export interface PointedPart {
  readonly title: string;
  /** Its state in words, with what changed. */
  readonly label: string;
  readonly values: readonly Exploded[];
  /** The event after which it is so, and whether that event changed it. */
  readonly event: number;
  readonly changed: boolean;
}

/** What a pointer over something tells, for the elements that stand for it. */
export function pointedAt<T>(to: Signal<Pointed<T> | undefined>, key: string, what: T) {
  const over = ({ clientX: x, clientY: y, buttons }: PointerEvent): void => {
    if (buttons === 0 && to.peek()?.key !== key) to.value = { key, what, x, y };
  };
  return {
    onPointerEnter: over,
    onPointerMove: over,
    onPointerLeave: () => {
      if (to.peek()?.key === key) to.value = undefined;
    },
  };
}

/** The explanation in short; all of it stands in the side panel. */
export function Told({ of, t }: { readonly of: Explanation; readonly t: Words }) {
  const { what, where, why, next } = of;
  const place = [where.function, where.context, where.kernel].filter((part) => part !== '').join(' · ');
  return (
    <>
      <p>{what}</p>
      <small>{place}</small>
      {why[0] !== undefined && <p>{t('Because of: {0}', why[0].text)}</p>}
      {next[0] !== undefined && <p>{t('Next: {0}', next[0].text)}</p>}
    </>
  );
}

interface EventTipProps {
  readonly store: Store;
  readonly trace: number;
  readonly pointed: Signal<Pointed<PointedEvent> | undefined>;
}

/** The event under the pointer; where it rests, why it happened and what comes next as well. */
export function EventTip({ store, trace, pointed }: EventTipProps) {
  const at = useValue(pointed);
  const t = useValue(store.words);
  const explainer = useMemo(() => new HoverExplainer(store, trace), [store, trace]);
  const explanation = useValue(explainer.shown);
  const event = at?.what.event ?? -1;
  useEffect(() => {
    explainer.want(event);
    return () => explainer.want(-1);
  }, [explainer, event]);
  if (at === undefined) return null;
  return (
    <div class="tooltip" role="tooltip" style={beside(at)}>
      <strong>{at.what.text}</strong>
      {explanation !== undefined && <Told of={explanation} t={t} />}
    </div>
  );
}

/** What changed a part last; event -1: nothing within reach. */
interface LastChange {
  readonly part: PointedPart;
  readonly event: number;
  readonly text: string;
}

interface PartTipProps {
  readonly store: Store;
  readonly trace: number;
  readonly pointed: Signal<Pointed<PointedPart> | undefined>;
}

/** The part of the machine under the pointer: its state, what changed it last, its values. */
export function PartTip({ store, trace, pointed }: PartTipProps) {
  const at = useValue(pointed);
  const t = useValue(store.words);
  const [told, setTold] = useState<LastChange | undefined>(undefined);
  const ask = useMemo(
    () =>
      latest(
        async ({ trace, part }: { trace: number; part: PointedPart }) => {
          const paths = part.values.map(({ path }) => path).filter((path) => path !== '');
          return store.client.ask('lastChange', { trace, event: part.event, paths });
        },
        ({ event, text }, { part }) => setTold({ part, event, text }),
        (error) => store.fail(error),
      ),
    [store],
  );
  useEffect(() => {
    if (at === undefined || at.what.values.length === 0) return undefined;
    const timer = setTimeout(() => ask({ trace, part: at.what }), REST);
    return () => clearTimeout(timer);
  }, [at, ask, trace]);
  if (at === undefined) return null;
  const { title, label, values, event, changed } = at.what;
  // the label is for those who do not see the title
  const state = label.startsWith(title) ? label.slice(title.length).replace(/^, /, '') : label;
  const last = told?.part === at.what && told.event >= 0 ? told : undefined;
  return (
    <div class="tooltip" role="tooltip" style={beside(at)}>
      <strong>{title}</strong>
      {state !== '' && <p>{state}</p>}
      {last !== undefined && (
        <p>
          {changed && last.event === event
            ? t('Changed by this event: {0}', last.text)
            : t('Changed last by event {0}: {1}', last.event, last.text)}
        </p>
      )}
      {values.length > 0 && (
        <dl>
          {values.slice(0, MOST).map(({ name, value, previous, path }, k) => (
            <div key={path === '' ? `${name}${k}` : path}>
              <dt>{name}</dt>
              <dd>
                {value}
                {previous !== undefined && (
                  <small>{previous === '' ? t('new') : t('was {0}', previous)}</small>
                )}
              </dd>
            </div>
          ))}
        </dl>
      )}
      {values.length > MOST && <small>{t('{0} more', values.length - MOST)}</small>}
    </div>
  );
}

/** Beside a point of the window, on the side where there is more room. */
function beside({ x, y }: Pointed<unknown>): Record<string, string> {
  const right = x > window.innerWidth * 0.6;
  const below = y < window.innerHeight * 0.5;
  return {
    position: 'fixed',
    left: right ? 'auto' : `${x + 12}px`,
    right: right ? `${window.innerWidth - x + 12}px` : 'auto',
    top: below ? `${y + 18}px` : 'auto',
    bottom: below ? 'auto' : `${window.innerHeight - y + 12}px`,
  };
}

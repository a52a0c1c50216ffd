import type { ComponentType } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { Offer } from '../drawing/offer';
import { stackPictures } from '../drawing/stack_pictures';
import type { FaceProps } from '../faces';
import type { Exporter } from '../drawing/picture';
import type { Store } from '../store';
import { useValue } from '../use_signal';

/** What the drawing of one trace gets. It takes commands only while its trace is the one that keys act on. */
export interface TracePaneProps extends FaceProps {
  readonly trace: number;
  /** Tells what the pane can hand out; undefined: nothing any more. */
  readonly offer: (exporter: Exporter | undefined) => void;
}

/** A face for one trace, or for two: side by side, one above the other, or, without room, the one that keys act on. */
export function TracePanes({
  store,
  pane: Pane,
}: FaceProps & { readonly pane: ComponentType<TracePaneProps> }) {
  const traces = useValue(store.traces);
  const active = useValue(store.active);
  const t = useValue(store.words);
  const box = useRef<HTMLDivElement>(null);
  const offers = useMemo(() => new Offers(store), [store]);
  const offer = useMemo(
    () => [0, 1].map((trace) => (exporter: Exporter | undefined) => offers.take(trace, exporter)),
    [offers],
  );
  useEffect(() => {
    const mine = box.current?.querySelector('.pane[data-active="true"]');
    const other = document.activeElement?.closest('.pane');
    if (mine && other && other !== mine && box.current?.contains(other))
      mine.querySelector<HTMLElement>('[role=listbox], .machine-part[tabindex="0"], button')?.focus();
  }, [active]);
  if (traces.length < 2) return <Pane store={store} trace={0} offer={offer[0]!} />;
  return (
    <div class="panes" ref={box}>
      <div class="panes-inside">
        {traces.map(({ uri, name }, trace) => (
          <div
            key={uri}
            class="pane"
            data-active={trace === active}
            onFocusIn={() => store.activate(trace)}
            onPointerDown={() => store.activate(trace)}
          >
            <h2 class="trace-name" aria-current={trace === active}>
              <button type="button" onClick={() => store.activate(trace)}>
                {name}
              </button>
              <small>{trace === active ? t('keys act here') : t('X: to this trace')}</small>
            </h2>
            <Pane store={store} trace={trace} offer={offer[trace]!} />
          </div>
        ))}
      </div>
    </div>
  );
}

/** What the panes hand out, as one picture. */
class Offers {
  private readonly all: (Exporter | undefined)[] = [];
  private readonly offer: Offer;

  constructor(private readonly store: Store) {
    this.offer = new Offer(store.exporter);
  }

  take(trace: number, exporter: Exporter | undefined): void {
    this.all[trace] = exporter;
    const list = this.all.filter((one) => one !== undefined);
    const whole = list.length < 2 ? list[0] : this.joined(list);
    if (exporter === undefined || whole === undefined) this.offer.withdraw(whole);
    else this.offer.put(whole);
  }

  private joined(list: readonly Exporter[]): Exporter {
    const { store } = this;
    const names = store.traces.peek().map(({ name }) => name);
    const picture = async () => stackPictures(await Promise.all(list.map((one) => one.picture())), names);
    if (list.some(({ mermaid }) => mermaid === undefined)) return { picture };
    return { picture, mermaid: async () => (await this.all[store.active.peek()]?.mermaid?.()) ?? '' };
  }
}

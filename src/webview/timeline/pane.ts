import { effect, signal } from '@preact/signals-core';
import type { Flow, Tracks } from '../protocol_data';
import type { Picture } from '../drawing/picture';
import type { Store } from '../store';
import type { TimeRange } from '../time_range';
import { drawScene } from './draw';
import { closedAtFirst } from './groups';
import { type Heading, headingsOf, sameHeadings } from './headings';
import { hitAt } from './hit';
import { busyRange, overviewOf, overviewTracks } from './overview';
import { legendHeight } from './legend';
import type { Painter, TextLook } from './painter';
import { CanvasPainter } from './painter_canvas';
import { SvgPainter } from './painter_svg';
import { PAPER, type Palette, paletteOf } from './palette';
import { Rows, stackOrder } from './rows';
import { Scale } from './scale';
import {
  type Aside,
  type Hit,
  isInView,
  type Metrics,
  metricsOf,
  type Overview,
  type Scene,
  topOf,
} from './scene';
import { SliceCache, type Wanted } from './slice_cache';
import type { SliceIndex } from './slice_index';
import { readTheme, watchTheme } from './theme';

/** Bins of the minimap. */
const BINS = 480;

const NO_SLICES: ReadonlyMap<SliceIndex, readonly number[]> = new Map();

/** One timeline on a canvas: what it shows follows the store, and it draws when something has changed, once per frame. */
export class Pane {
  readonly trace: number;
  private readonly store: Store;
  private readonly canvas: HTMLCanvasElement;
  private readonly scroller: HTMLElement;
  private readonly spacer: HTMLElement;
  private readonly withLegend: boolean;

  /** Headings on the screen; buttons lie over them. */
  readonly headings = signal<readonly Heading[]>([]);
  readonly hover = signal<Hit | undefined>(undefined);
  /** A name or a counter under the pointer, where there is neither span nor mark. */
  readonly aside = signal<Aside | undefined>(undefined);
  private readonly collapsed = signal<ReadonlySet<string>>(new Set());
  private readonly scrollTop = signal(0);
  private readonly size = signal({ width: 1, height: 1, ratio: 1 });
  private readonly palette = signal<Palette>(paletteOf(PAPER));
  private readonly arrived = signal(0);

  private cache: SliceCache | undefined;
  private overview: Overview | undefined;
  private painter: CanvasPainter | undefined;
  private rows: { readonly key: readonly unknown[]; readonly rows: Rows; readonly pinned: Rows } | undefined;
  private opened = false;
  private frame = 0;
  private shown: Scene | undefined;
  private readonly stops: (() => void)[] = [];

  constructor(store: Store, trace: number, scroller: HTMLElement, withLegend: boolean) {
    this.store = store;
    this.trace = trace;
    this.scroller = scroller;
    this.withLegend = withLegend;
    this.canvas = scroller.querySelector('canvas')!;
    this.spacer = scroller.querySelector<HTMLElement>('.spacer')!;
    this.watch();
  }

  /** What is on the screen now; undefined before the first frame. */
  get scene(): Scene | undefined {
    return this.shown;
  }

  stop(): void {
    cancelAnimationFrame(this.frame);
    this.cache?.stop();
    for (const stop of this.stops) stop();
  }

  /** Opens or closes a group. */
  toggle(group: string): void {
    const next = new Set(this.collapsed.peek());
    if (!next.delete(group)) next.add(group);
    this.collapsed.value = next;
  }

  /** Scrolls by a number of rows. */
  scrollBy(rows: number): void {
    this.scroller.scrollTop += rows * (this.shown?.metrics.row ?? 20);
  }

  /** Scrolls by a share of what is visible. */
  page(share: number): void {
    const { shown } = this;
    if (shown !== undefined) this.scroller.scrollTop += (shown.height - topOf(shown)) * share;
  }

  /** Brings a track into view. */
  reveal(track: number): void {
    const { shown } = this;
    const row = shown?.rows.of(track);
    if (shown === undefined || row === undefined || shown.pinned.of(track) !== undefined) return;
    const room = shown.height - topOf(shown) - shown.metrics.legend;
    const { scrollTop } = this.scroller;
    if (row.y < scrollTop) this.scroller.scrollTop = row.y - shown.metrics.group;
    else if (row.y + row.height > scrollTop + room)
      this.scroller.scrollTop = row.y + row.height - room + shown.metrics.row;
  }

  /** Whether a track is in view; true before the first frame. */
  shows(track: number): boolean {
    return this.shown === undefined || isInView(this.shown, track);
  }

  /** The picture on the screen in colours of paper. */
  picture(): Picture {
    const { fontFamily, fontSize } = this.palette.peek();
    const { width, height } = this.size.peek();
    const { painter: screen } = this;
    const measure = screen && ((text: string, look: TextLook): number => screen.measure(text, look));
    const painter = new SvgPainter(width, height, fontFamily, measure);
    const scene = this.compose(paletteOf({ ...PAPER, fontFamily, fontSize }), painter);
    if (scene !== undefined) drawScene(painter, { ...scene, hover: undefined });
    return { svg: painter.document(this.store.traces.peek()[this.trace]?.name ?? ''), width, height };
  }

  /** Draws now and says how long it took, ms; for the benchmark. */
  drawNow(): number {
    const before = performance.now();
    this.draw();
    return performance.now() - before;
  }

  private watch(): void {
    const { store } = this;
    const theme = (): void => {
      this.palette.value = paletteOf(readTheme(document));
    };
    theme();
    const resize = (): void => {
      const { clientWidth: width, clientHeight: height } = this.scroller;
      if (width > 0 && height > 0) this.size.value = { width, height, ratio: window.devicePixelRatio || 1 };
    };
    const observer = new ResizeObserver(resize);
    observer.observe(this.scroller);
    resize();
    const onScroll = (): void => {
      this.scrollTop.value = this.scroller.scrollTop;
    };
    this.scroller.addEventListener('scroll', onScroll, { passive: true });
    this.stops.push(
      watchTheme(document, theme),
      () => observer.disconnect(),
      () => this.scroller.removeEventListener('scroll', onScroll),
      effect(() => {
        // Another trace, or the same one grown: nothing fetched before holds.
        store.epoch.value;
        this.restart(store.traces.value[this.trace]?.tracks, store.traces.value[this.trace]?.length ?? 0);
      }),
      effect(() => {
        this.touch();
        this.schedule();
      }),
    );
  }

  /** Reads every signal that the drawing depends on, so that a change of any of them asks for a frame. */
  private touch(): void {
    const { store } = this;
    store.range.value;
    store.cursors.value;
    store.flows.value;
    store.pins.value;
    store.selection.value;
    store.mark.value;
    store.words.value;
    store.epoch.value;
    this.hover.value;
    this.collapsed.value;
    this.scrollTop.value;
    this.size.value;
    this.palette.value;
    this.arrived.value;
  }

  private schedule(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  private restart(tracks: Tracks | undefined, length: number): void {
    this.cache?.stop();
    this.overview = undefined;
    this.hover.value = undefined;
    this.cache = undefined;
    if (tracks === undefined) return;
    if (!this.opened) this.collapsed.value = closedAtFirst(tracks);
    this.opened = true;
    const { store, trace } = this;
    const cache = new SliceCache(
      tracks.kind.length,
      length,
      (ask) => store.client.ask('slice', { trace, ...ask }),
      () => {
        this.arrived.value = this.arrived.peek() + 1;
      },
      (error) => store.fail(error),
    );
    this.cache = cache;
    void this.loadOverview(cache, tracks, length);
  }

  private async loadOverview(cache: SliceCache, tracks: Tracks, length: number): Promise<void> {
    const ids = overviewTracks(tracks);
    if (ids.length === 0) return;
    const to = Math.max(1, length);
    try {
      const slice = await this.store.client.ask('slice', {
        trace: this.trace,
        from: 0,
        to,
        nsPerPixel: to / BINS,
        tracks: ids,
      });
      if (cache !== this.cache) return;
      this.overview = overviewOf(slice, tracks, to, BINS);
      this.store.foundBusy(this.trace, busyRange(this.overview, to));
      this.arrived.value = this.arrived.peek() + 1;
    } catch (error) {
      this.store.fail(error);
    }
  }

  private stack(tracks: Tracks, metrics: Metrics): { rows: Rows; pinned: Rows } {
    const collapsed = this.collapsed.peek();
    const pins = this.store.pins.peek();
    const key = [tracks, metrics.row, collapsed, pins];
    const { rows } = this;
    if (rows?.key.every((part, k) => part === key[k])) return rows;
    const heights = {
      row: metrics.row,
      strip: metrics.markStrip,
      counter: metrics.counter,
      group: metrics.group,
    };
    const ids = pins
      .map((pin) => tracks.key.indexOf(pin))
      .filter((id) => id >= 0 && tracks.kind[id] === 'tag');
    this.rows = {
      key,
      rows: new Rows(tracks, stackOrder(tracks), heights, collapsed),
      pinned: new Rows(tracks, ids, heights, undefined),
    };
    return this.rows;
  }

  /** Puts together what is drawn; undefined while there is no trace. */
  private compose(palette: Palette, painter: Pick<Painter, 'measure'> | undefined): Scene | undefined {
    const { store, trace } = this;
    const summary = store.traces.peek()[trace];
    if (summary === undefined) return undefined;
    const { width, height } = this.size.peek();
    const metrics = this.metrics(palette, width, painter);
    const { rows, pinned } = this.stack(summary.tracks, metrics);
    const range: TimeRange = store.range.peek();
    const scale = new Scale(range, metrics.gutter, width - metrics.gutter);
    const selection = store.selection.peek();
    const mark = store.mark.peek();
    const flow: Flow | undefined = store.flows.peek()[trace];
    return {
      width,
      height,
      palette,
      metrics,
      scale,
      tracks: summary.tracks,
      pinned,
      rows,
      scrollTop: this.scrollTop.peek(),
      overview: this.overview,
      length: summary.length,
      cursor: store.cursors.peek()[trace] ?? { event: -1, request: -1, time: 0, text: '', label: '' },
      flow,
      ties: summary.ties,
      selection: selection?.trace === trace ? selection : undefined,
      mark: mark?.trace === trace ? mark.time : undefined,
      hover: this.hover.peek(),
      words: store.words.peek(),
      ...this.data({ rows, pinned, scrollTop: this.scrollTop.peek(), metrics, height, scale }),
    };
  }

  private metrics(palette: Palette, width: number, painter: Pick<Painter, 'measure'> | undefined): Metrics {
    const metrics = metricsOf(palette.fontSize, width);
    if (!this.withLegend || painter === undefined) return metrics;
    const words = this.store.words.peek();
    return { ...metrics, legend: legendHeight(painter, { palette, metrics, width, words }) };
  }

  /** Slices for what is visible; asks for what is missing. */
  private data(
    view: Pick<Scene, 'rows' | 'pinned' | 'scrollTop' | 'metrics' | 'height' | 'scale'>,
  ): Pick<Scene, 'slices'> {
    const { cache } = this;
    if (cache === undefined) return { slices: NO_SLICES };
    const room = Math.max(0, view.height - topOf(view));
    const { scrollTop } = view;
    const ids = (from: number, to: number): number[] =>
      view.rows
        .between(Math.max(0, from), to)
        .map((row) => row.track)
        .filter((track) => track >= 0);
    const pins = view.pinned.rows.map((row) => row.track);
    const wanted: Wanted = {
      from: view.scale.from,
      to: view.scale.to,
      nsPerPixel: view.scale.nsPerPixel,
      tracks: [...new Set([...pins, ...ids(scrollTop, scrollTop + room)])],
    };
    cache.want(wanted, ids(scrollTop - room, scrollTop + 2 * room));
    return { slices: cache.best(wanted) };
  }

  private draw(): void {
    const { width, height, ratio } = this.size.peek();
    this.fitCanvas(width, height, ratio);
    const scene = this.compose(this.palette.peek(), this.painter);
    if (scene === undefined) return;
    const content = topOf(scene) + scene.rows.height + scene.metrics.legend;
    const tall = `${Math.max(0, Math.ceil(content) - height)}px`;
    if (this.spacer.style.height !== tall) this.spacer.style.height = tall;
    this.painter?.begin(width, height, scene.palette.background);
    if (this.painter !== undefined) drawScene(this.painter, scene);
    this.shown = scene;
    this.placeHeadings(scene);
    this.noteScroll(scene);
  }

  private fitCanvas(width: number, height: number, ratio: number): void {
    const { canvas } = this;
    const wide = Math.round(width * ratio);
    const tall = Math.round(height * ratio);
    if (
      canvas.width === wide &&
      canvas.height === tall &&
      this.painter?.fits(this.palette.peek().fontFamily, ratio)
    )
      return;
    canvas.width = wide;
    canvas.height = tall;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const context = canvas.getContext('2d', { alpha: false });
    if (context === null) {
      const t = this.store.words.peek();
      this.store.fail(t('This window cannot draw: there is no 2D canvas.'));
      return;
    }
    this.painter = new CanvasPainter(context, this.palette.peek().fontFamily, ratio);
  }

  private placeHeadings(scene: Scene): void {
    const next = headingsOf(scene);
    if (!sameHeadings(this.headings.peek(), next)) this.headings.value = next;
  }

  /** The first visible track is kept across reloads. */
  private noteScroll(scene: Scene): void {
    if (this.trace !== 0) return;
    const first = scene.rows.between(scene.scrollTop, scene.scrollTop + 1).find((row) => row.track >= 0);
    this.store.scroll.value = scene.scrollTop === 0 ? 0 : (first?.track ?? 0);
  }

  /** Scrolls so that a track is the first one, after a reload. */
  restoreScroll(track: number): void {
    this.draw();
    const row = this.shown?.rows.of(track);
    if (track > 0 && row !== undefined) this.scroller.scrollTop = row.y;
  }

  /** What lies at a point of the canvas. */
  hitAt(x: number, y: number): Hit | undefined {
    return this.shown === undefined ? undefined : hitAt(this.shown, x, y);
  }
}

import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from '@tanstack/virtual-core';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { FaceProps } from '../faces';
import type { Column, TableRow } from '../protocol_data';
import { useValue } from '../use_signal';
import { TablePages } from './table_pages';

/** Rows that a screen reader finds around the cursor while the table is closed. */
const NEARBY = 5;

/**
 * The same as the drawing, as a table: all events, or those of the focused request. Closed, the rows around the cursor stay
 * there for screen readers.
 */
export function TableTwin({ store }: FaceProps) {
  const open = useValue(store.tableOpen);
  const epoch = useValue(store.epoch);
  const active = useValue(store.active);
  const ready = useValue(store.ready);
  const [ofRequest, setOfRequest] = useState(false);
  const cursor = useValue(store.cursor);
  const t = useValue(store.words);
  const request = ofRequest && cursor.request >= 0 ? cursor.request : undefined;
  const [, redraw] = useState(0);
  const [pages, setPages] = useState<TablePages | undefined>(undefined);
  useEffect(() => {
    if (!ready) return undefined;
    const fetch = (offset: number, count: number) =>
      store.client.ask('table', { trace: active, offset, count, ...(request !== undefined && { request }) });
    const made = new TablePages(
      fetch,
      () => redraw((n) => n + 1),
      (error) => store.fail(error),
    );
    setPages(made);
    return () => made.stop();
  }, [store, ready, epoch, active, request]);
  if (pages === undefined) return null;
  if (!open) return <Nearby store={store} pages={pages} />;
  return (
    <section class="table-twin" aria-label={t('Table of events')}>
      <label>
        <input
          type="checkbox"
          checked={ofRequest}
          onChange={(event) => setOfRequest(event.currentTarget.checked)}
        />
        {t('Only the focused request')}
      </label>
      <Grid store={store} pages={pages} />
    </section>
  );
}

interface PagesProps extends FaceProps {
  readonly pages: TablePages;
}

function Nearby({ store, pages }: PagesProps) {
  const cursor = useValue(store.cursor);
  const t = useValue(store.words);
  if (cursor.event < 0) return null;
  const first = Math.max(0, cursor.event - NEARBY);
  const rows = Array.from({ length: NEARBY * 2 + 1 }, (_, k) => pages.row(first + k)).filter(
    (row) => row !== undefined,
  );
  return (
    <div class="unseen">
      <table>
        <caption>{t('Events around the cursor')}</caption>
        <thead>
          <tr>
            {pages.columns.map((column) => (
              <th key={column.id} scope="col">
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.event} aria-current={row.event === cursor.event}>
              {row.cells.map((cell, k) => (
                <td key={pages.columns[k]?.id ?? k}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Grid({ store, pages }: PagesProps) {
  const cursor = useValue(store.cursor);
  const t = useValue(store.words);
  const scroller = useRef<HTMLElement>(null);
  const virtual = useRef<Virtualizer<HTMLElement, HTMLElement> | undefined>(undefined);
  const [, redraw] = useState(0);
  const height = Math.round(Number.parseFloat(getComputedStyle(document.body).fontSize) * 1.7) || 22;
  const total = pages.total;
  const box = scroller.current;
  // The head stays over the rows, and a scroll bar may lie below them.
  const head = box?.querySelector('thead')?.offsetHeight ?? height;
  const options = {
    count: total,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: 8,
    scrollMargin: head,
    scrollPaddingStart: head,
    scrollPaddingEnd: box === null ? 0 : box.offsetHeight - box.clientHeight,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    onChange: () => redraw((n) => n + 1),
  };
  virtual.current ??= new Virtualizer(options);
  virtual.current.setOptions(options);
  useEffect(() => virtual.current?._didMount(), []);
  useEffect(() => virtual.current?._willUpdate());
  const at = pages.offsetOf(cursor.event);
  useEffect(() => {
    if (at >= 0 && at < total) virtual.current?.scrollToIndex(at, { align: 'auto' });
  }, [at, total]);
  const items = virtual.current.getVirtualItems();
  const go = (offset: number): void => {
    pages.find(Math.max(0, Math.min(total - 1, offset))).then(
      (row) => row !== undefined && store.move(row.event, row.request),
      (error: unknown) => store.fail(error),
    );
  };
  const onKey = (event: KeyboardEvent): void => {
    const ways: Record<string, number> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: 15,
      PageUp: -15,
      Home: -total,
      End: total,
    };
    const way = ways[event.key];
    if (way === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    go(Math.max(0, at) + way);
  };
  const before = (items[0]?.start ?? head) - head;
  const after = virtual.current.getTotalSize() - ((items.at(-1)?.end ?? head) - head);
  const { columns } = pages;
  return (
    <section
      ref={scroller}
      class="grid"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and its arrows move the cursor
      tabIndex={0}
      aria-label={t('Events; arrows move the cursor')}
      onKeyDown={onKey}
    >
      <table aria-rowcount={total + 1} aria-colcount={columns.length}>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <th key={column.id} scope="col" class={column.id}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {before > 0 && <tr class="gap" style={{ height: `${before}px` }} />}
          {items.map(({ index }) => (
            <Line
              key={index}
              index={index}
              row={pages.row(index)}
              columns={columns}
              current={index === at}
              height={height}
              onPress={() => go(index)}
            />
          ))}
          {after > 0 && <tr class="gap" style={{ height: `${after}px` }} />}
        </tbody>
      </table>
    </section>
  );
}

interface LineProps {
  readonly index: number;
  readonly row: TableRow | undefined;
  readonly columns: readonly Column[];
  readonly current: boolean;
  readonly height: number;
  readonly onPress: () => void;
}

function Line({ index, row, columns, current, height, onPress }: LineProps) {
  return (
    <tr
      class={current ? 'current' : ''}
      aria-rowindex={index + 2}
      aria-current={current}
      style={{ height: `${height}px` }}
      onClick={onPress}
    >
      {columns.map((column, k) => (
        <td key={column.id} class={column.id}>
          {row === undefined ? '…' : row.cells[k]}
        </td>
      ))}
    </tr>
  );
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SequenceModel } from '../../src/view/sequence';
import { widthOf } from '../../src/webview/drawing/marks';
import type { SequenceView } from '../../src/webview/protocol_faces';
import { drawSequence, HEAD, rowSentence } from '../../src/webview/sequence/draw';
import { sequenceSvg } from '../../src/webview/sequence/export';
import { mermaidText, toMermaid } from '../../src/webview/sequence/mermaid';
import { nsText } from '../../src/webview/sequence/times';
import { wordsFrom } from '../../src/webview/words';
import { recording, sample, timelineOf } from '../view/support';
import { elementsOf } from './xml';

async function viewOf(name: string, request = -1): Promise<SequenceView> {
  const open = await (name.endsWith('.ublk') ? sample(name) : recording(name));
  return new SequenceModel(open, timelineOf(open).lanes).view(0, 200, request);
}

/** A view with any texts. */
const views = fc
  .tuple(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 6 }), fc.nat(9), fc.nat(9))
  .chain(([names, before, after]) =>
    fc.record({
      actors: fc.constant(
        names.map((name, id) => ({
          id,
          name,
          kind: id === 0 ? ('client' as const) : ('kernel' as const),
          help: '',
        })),
      ),
      rows: fc.array(
        fc.record({
          event: fc.nat(),
          time: fc.nat(2 ** 40),
          actor: fc.nat(names.length - 1),
          to: fc.integer({ min: -1, max: names.length - 1 }),
          label: fc.string({ unit: 'binary' }),
          note: fc.string(),
          name: fc.constant('x'),
          task: fc.constant('y-1'),
          request: fc.integer({ min: -1, max: 3 }),
          error: fc.boolean(),
        }),
        { maxLength: 12 },
      ),
      before: fc.constant(before),
      after: fc.constant(after),
    }),
  );

describe('Mermaid text', () => {
  const line =
    /^ {2}(?:(?:participant|actor) a\d+ as [^#;%]|Note over a\d+(?:,a\d+)?: [^#;%]|a\d+(?:->>|--x)a\d+: [^#;%])/;

  it('of any view is a diagram with one line per row', () => {
    fc.assert(
      fc.property(views, (view) => {
        const lines = toMermaid(view, wordsFrom({}), { cursor: -1, notes: false }).trimEnd().split('\n');
        expect(lines[0]).toBe('sequenceDiagram');
        const notes = Number(view.before > 0) + Number(view.after > 0);
        expect(lines.length).toBe(1 + view.actors.length + view.rows.length + notes);
        const noted = toMermaid(view, wordsFrom({}), { cursor: -1, notes: true }).trimEnd().split('\n');
        for (const text of [...lines.slice(1), ...noted.slice(1)])
          expect(text.replace(/#\d+;/g, '?')).toMatch(line);
      }),
    );
  });

  it('escapes what Mermaid takes for its own', () => {
    expect(mermaidText('a; b # c')).toBe('a#59; b #35; c');
    expect(mermaidText('the end of tag 3')).toBe('the en#100; of tag 3');
    expect(mermaidText('line\n%% two')).toBe('line #37;#37; two');
  });

  it('of a READ by splice names its messages', async () => {
    const text = toMermaid(await viewOf('loop-zc.ublk', 12), wordsFrom({}), { cursor: -1, notes: false });
    expect(text).toContain('actor a0 as fio-267');
    expect(text).toMatch(/a\d->>a\d: CQE SPLICE tag 1: 4096/);
    expect(text).toMatch(/a(\d)->>a\1: gets tag 1/);
  });

  it('says what is drawn: times, the note of the current line, those of all lines when asked', async () => {
    const view = await viewOf('loop-zc.ublk', 12);
    const row = view.rows[5]!;
    const of = (notes: boolean): string[] =>
      toMermaid(view, wordsFrom({}), { cursor: row.event, notes }).split('\n');
    const said = (lines: string[]): string[] =>
      lines.filter((text) => /^ {2}Note over a\d(,a\d)?: /.test(text));
    expect(of(false).filter((text) => /\(\+ .+\)$/.test(text))).toHaveLength(view.rows.length - 1);
    const current = said(of(false)).filter((text) => text.endsWith(`: ${mermaidText(row.note)}`));
    expect(current).toHaveLength(1);
    const edges = Number(view.before > 0) + Number(view.after > 0);
    expect(said(of(false))).toHaveLength(1 + edges);
    const noted = view.rows.filter(({ note }) => note !== '').length;
    expect(noted).toBeGreaterThan(10);
    expect(said(of(true))).toHaveLength(noted + edges);
  });
});

describe('the drawing', () => {
  it('is a well-formed picture in fixed colours, whatever the texts are', () => {
    fc.assert(
      fc.property(views, fc.integer({ min: 300, max: 2000 }), (view, width) => {
        const { svg } = sequenceSvg(view, { width, cursor: 1, focus: -1 }, 'a <title> & "more"');
        const names = elementsOf(svg.trim());
        expect(names[0]).toBe('svg');
        expect(svg).not.toMatch(/var\(|vscode/);
      }),
    );
  });

  it.each(['loop-zc.ublk', 'rfc-zc-loop-direct-q1d32'])(
    'of %s has its rows one below the other, inside its width',
    async (name) => {
      const view = await viewOf(name);
      for (const width of [320, 600, 1000, 1600]) {
        const drawing = drawSequence(view, { width, cursor: 20, focus: -1 });
        let y = drawing.rows[0]?.y ?? 0;
        for (const row of drawing.rows) {
          expect(row.y).toBe(y);
          y += row.height;
          for (const mark of row.marks) {
            if (mark.k !== 'text') continue;
            const w = widthOf(mark.text, mark.size, mark.bold);
            const left =
              mark.anchor === 'end' ? mark.x - w : mark.anchor === 'middle' ? mark.x - w / 2 : mark.x;
            expect(left, mark.text).toBeGreaterThan(-12);
            expect(left + w, mark.text).toBeLessThan(drawing.width + 12);
          }
        }
        expect(drawing.height).toBeGreaterThanOrEqual(y);
        if (width >= 1000) expect(drawing.width).toBe(width);
      }
    },
  );

  it('has no column behind the note of the current line, nor behind what is said in it', async () => {
    const view = await viewOf('loop-zc.ublk');
    const { event } = view.rows.find(({ note, to }) => note.length > 60 && to >= 0)!;
    const drawing = drawSequence(view, { width: 1000, cursor: event, focus: -1 });
    const { marks, height, y } = drawing.rows.find(({ row }) => row.event === event)!;
    const texts = marks.filter((mark) => mark.k === 'text' && mark.anchor !== 'end');
    const columns = marks.flatMap((mark) => {
      const [, x, from, to] = (mark.k === 'path' && /^M([\d.]+) ([\d.]+)V([\d.]+)$/.exec(mark.d)) || [];
      return x === undefined ? [] : [{ x: Number(x), from: Number(from), to: Number(to) }];
    });
    expect(columns.length).toBe(view.actors.length);
    expect(texts.length).toBeGreaterThan(1);
    for (const text of texts) {
      if (text.k !== 'text') continue;
      const wide = widthOf(text.text, text.size, text.bold);
      const left = text.anchor === 'middle' ? text.x - wide / 2 : text.x;
      for (const { x, from, to } of columns)
        if (x > left && x < left + wide)
          expect(from > text.y || to < text.y - 10, `${x} ${text.text}`).toBe(true);
    }
    // the last columns stand beside the note and go on
    expect(Math.max(...columns.map(({ to }) => to))).toBeGreaterThan(y + height - 4);
  });

  it('is without columns where there is no room for them', async () => {
    const view = await viewOf('loop-zc.ublk');
    const narrow = drawSequence(view, { width: 320, cursor: 0, focus: -1 });
    expect(narrow.columns).toEqual([]);
    expect(narrow.width).toBe(320);
    expect(drawSequence(view, { width: 1000, cursor: 0, focus: -1 }).columns).toHaveLength(
      view.actors.length,
    );
    expect(HEAD).toBeGreaterThan(0);
  });

  it('says a row in a sentence', async () => {
    const view = await viewOf('loop-zc.ublk', 12);
    const row = view.rows.find((one) => one.name === 'ublk_queue_rq');
    if (row === undefined) throw new Error('no ublk_queue_rq');
    expect(rowSentence(row, view.actors)).toMatch(
      /kworker.* → ublk driver: queue_rq tag 1, 4 KiB\. blk-mq hands/,
    );
  });
});

it('times have few digits', () => {
  expect([0, 99, 1500, 83_580, 102_970_000, 4.2e9].map(nsText)).toEqual([
    '0 ns',
    '99 ns',
    '1.50 µs',
    '83.6 µs',
    '103 ms',
    '4.20 s',
  ]);
});

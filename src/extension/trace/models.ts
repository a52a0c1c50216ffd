import type * as vscode from 'vscode';
import type { OpenTrace } from '../../debug/model';
import { type Entry, LARGE_TEXT, type Traces } from '../traces';
import { EXCERPT_SCHEME, eventAtPlace } from './excerpts';

/** Documents whose text is read beside the open traces. */
const KEPT = 3;

interface Read {
  readonly version: number;
  readonly open: Promise<OpenTrace | undefined>;
}

/** The model of what an editor shows: of the open trace, else of the document's own text, read quietly. */
export class TextModels {
  private readonly read = new Map<string, Read>();

  constructor(private readonly traces: Traces) {}

  /** The model of a whole trace document; undefined for what is no trace, or too large to read for a hover. */
  async of(document: vscode.TextDocument): Promise<OpenTrace | undefined> {
    if (document.uri.scheme === EXCERPT_SCHEME) return undefined;
    const entry = this.entry(document);
    if (entry !== undefined) return entry.open;
    const key = document.uri.toString();
    const known = this.read.get(key);
    if (known?.version === document.version) return known.open;
    const open = parse(document);
    this.read.delete(key);
    this.read.set(key, { version: document.version, open });
    for (const old of [...this.read.keys()].slice(0, -KEPT)) this.read.delete(old);
    return open;
  }

  /** Model and event of a line (from 0) of any document that shows trace text. */
  async at(
    document: vscode.TextDocument,
    line: number,
  ): Promise<{ open: OpenTrace; event: number } | undefined> {
    if (document.uri.scheme === EXCERPT_SCHEME) {
      const place = eventAtPlace(this.traces, document.uri, line + 1);
      return place && { open: place.entry.open, event: place.event };
    }
    const open = await this.of(document);
    const event = open?.eventAtLine(line + 1) ?? -1;
    return open === undefined || event < 0 ? undefined : { open, event };
  }

  private entry(document: vscode.TextDocument): Entry | undefined {
    const entry = this.traces.find(document.uri);
    return entry?.freshness === 'fresh' && !document.isDirty ? entry : undefined;
  }
}

async function parse(document: vscode.TextDocument): Promise<OpenTrace | undefined> {
  const bytes = new TextEncoder().encode(document.getText());
  if (bytes.length > LARGE_TEXT) return undefined;
  const { openTraceText } = await import('../../debug/open');
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
  try {
    return await openTraceText(document.uri.path, [bytes], { pause });
  } catch {
    // What is no trace has no hovers; opening it says why.
    return undefined;
  }
}

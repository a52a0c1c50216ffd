import * as vscode from 'vscode';
import { type Entry, type Overrides, sourceOf, type Traces, virtualUri } from '../traces';

/** Marks the name of a view that compares the two variants of a session. */
const COMPARE = 'compare';
/** Marks the name of a view that compares two orders of a ring program; behind it stands the other order. */
const ORDERS = 'orders=';
/** Stands for the likeliest run. */
const LIKELIEST = 'likeliest';

/** What a view shows: one trace, a session without and with zero copy, or two orders of a ring program. Its name outlives a reload. */
export interface Subject {
  /** Names of the traces; the first one names the subject. */
  readonly uris: readonly string[];
  readonly compares: boolean;
  readonly parts: readonly { readonly uri: vscode.Uri; readonly overrides: Overrides }[];
}

/** A view of one trace. */
export function subjectOf(uri: vscode.Uri, overrides: Overrides): Subject {
  return { uris: [virtualUri(uri, overrides).toString()], compares: false, parts: [{ uri, overrides }] };
}

/** A view of a session without and with zero copy, one above the other. */
export function comparison(uri: vscode.Uri, overrides: Overrides): Subject {
  const parts = (['off', 'on'] as const).map((zeroCopy) => ({ uri, overrides: { ...overrides, zeroCopy } }));
  const uris = parts.map((part) =>
    virtualUri(part.uri, part.overrides).with({ fragment: COMPARE }).toString(),
  );
  return { uris, compares: true, parts };
}

/** A view of two runs of a ring program, one above the other; a schedule left out is the likeliest run. */
export function orderComparison(
  uri: vscode.Uri,
  overrides: Overrides,
  schedules: readonly [string | undefined, string | undefined],
): Subject {
  const { schedule: _, ...rest } = overrides;
  const parts = schedules.map((schedule) => ({
    uri,
    overrides: schedule === undefined ? rest : { ...rest, schedule },
  }));
  const uris = parts.map((part, i) =>
    virtualUri(part.uri, part.overrides)
      .with({ fragment: `${ORDERS}${schedules[1 - i] ?? LIKELIEST}` })
      .toString(),
  );
  return { uris, compares: true, parts };
}

/** The subject of a name; undefined where it names none. */
export function subjectNamed(name: string): Subject | undefined {
  let uri: vscode.Uri;
  try {
    uri = vscode.Uri.parse(name, true);
  } catch {
    return undefined;
  }
  const source = sourceOf(uri);
  if (source === undefined) return undefined;
  if (uri.fragment.startsWith(ORDERS)) {
    const { schedule } = source.overrides;
    const other = uri.fragment.slice(ORDERS.length);
    return orderComparison(source.uri, source.overrides, [schedule, other === LIKELIEST ? undefined : other]);
  }
  if (uri.fragment !== COMPARE) return subjectOf(source.uri, source.overrides);
  const { zeroCopy: _, ...overrides } = source.overrides;
  return comparison(source.uri, overrides);
}

/** Opens what a subject is about. @throws OpenError, OpenCancelled, FileError */
export async function openSubject(subject: Subject, traces: Traces): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const { uri, overrides } of subject.parts)
    entries.push(await traces.open(uri, overrides, { eventless: true }));
  return entries;
}

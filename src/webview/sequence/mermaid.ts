import type { SequenceView } from '../protocol_faces';
import type { Words } from '../words';
import { nsText } from './times';

/**
 * Text that Mermaid shows as it is: its signs become entity codes, and `end`, which closes blocks even inside text, is broken up.
 */
export function mermaidText(text: string): string {
  const flat = text.replace(/\s+/g, ' ').trim();
  const safe = flat.replace(/[#;<>{}%"`\\\p{Cc}]/gu, (c) => `#${c.charCodeAt(0)};`);
  return safe.replace(/\bend\b/gi, (word) => `${word.slice(0, 2)}#${word.charCodeAt(2)};`);
}

/** What is written besides the messages: the note of the line at the cursor, or those of all lines. */
interface MermaidLook {
  /** Event of the cursor. */
  readonly cursor: number;
  readonly notes: boolean;
}

/**
 * The rows of a view as a Mermaid sequence diagram, with times and notes as they are drawn. What is left out before and after stands
 * in notes.
 */
export function toMermaid(view: SequenceView, t: Words, look: MermaidLook): string {
  const lines = ['sequenceDiagram'];
  const { actors, rows } = view;
  for (const { id, name, kind } of actors)
    lines.push(`  ${kind === 'client' ? 'actor' : 'participant'} a${id} as ${mermaidText(name) || '-'}`);
  const over = actors.length === 0 ? undefined : actors.length === 1 ? 'a0' : `a0,a${actors.length - 1}`;
  const note = (text: string): void => {
    if (over !== undefined) lines.push(`  Note over ${over}: ${text}`);
  };
  if (view.before > 0) note(mermaidText(t('{0} events before', view.before)));
  let before: number | undefined;
  for (const row of rows) {
    const to = row.to < 0 ? row.actor : row.to;
    const arrow = row.error ? '--x' : '->>';
    const time = before === undefined ? nsText(row.time) : `+ ${nsText(row.time - before)}`;
    before = row.time;
    lines.push(
      `  a${row.actor}${arrow}a${to}: ${mermaidText(row.label) || row.event} (${mermaidText(time)})`,
    );
    const said = look.notes || row.event === look.cursor ? mermaidText(row.note) : '';
    const [left, right] = [Math.min(row.actor, to), Math.max(row.actor, to)];
    if (said !== '') lines.push(`  Note over a${left}${right > left ? `,a${right}` : ''}: ${said}`);
  }
  if (view.after > 0) note(mermaidText(t('{0} events after', view.after)));
  return `${lines.join('\n')}\n`;
}

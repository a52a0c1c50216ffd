import { type Leaf, stateLeaves } from '../trace/state';
import { PHASE_NAMES, REQUEST_NAMES, SLOT_NAMES } from '../trace/state_codes';
import { opcodes } from './filter_known';
import type { OpenTrace } from './model';
import { pathPatterns } from './state_schema';

/** Most paths that are proposed at once. */
const MOST = 200;

/** Words that a field of a thing may have, whatever the trace. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  'slot:state': SLOT_NAMES,
  'slot:request': REQUEST_NAMES,
  'slot:command.op': ['FETCH', 'COMMIT_AND_FETCH', 'NEED_GET_DATA'],
  'slot:iod.op': ['READ', 'WRITE', 'DISCARD', 'FLUSH'],
  'req:state': PHASE_NAMES,
};

/** Paths that begin so: those at the cursor, else those of elsewhere in the trace, else how they are written. */
export function pathsFrom(open: OpenTrace | undefined, start: string): string[] {
  for (const leaves of samples(open)) {
    const found = [...leaves.keys()].filter((path) => path.startsWith(start));
    if (found.length > 0) return found.slice(0, MOST);
  }
  return pathPatterns(start.slice(0, start.indexOf(':')));
}

/**
 * Words that a state variable may be compared with: those that its field can have, else those that such fields have here and there in the
 * trace. Pointers and other numbers as text are only those of the variable itself.
 */
export function valuesOfPath(open: OpenTrace | undefined, path: string): string[] {
  const kind = kindOf(path);
  const words = kind === 'req:opcode' ? opcodes() : WORDS[kind];
  if (words !== undefined) return [...words];
  const found = new Set<string>();
  for (const leaves of samples(open)) {
    for (const [other, value] of leaves) {
      if (typeof value === 'boolean' && kindOf(other) === kind) return ['true', 'false'];
      if (typeof value !== 'string' || value === '') continue;
      const own = other === path || (!value.startsWith('0x') && kindOf(other) === kind);
      if (own && found.size < MOST) found.add(value);
    }
  }
  return [...found].sort();
}

/** Kind and field of a path: `slot:state`. */
function kindOf(path: string): string {
  return `${path.slice(0, path.indexOf(':'))}:${path.slice(path.lastIndexOf(':') + 1)}`;
}

/** The state at the cursor, then elsewhere in the trace. */
function* samples(open: OpenTrace | undefined): Generator<Map<string, Leaf>> {
  const last = (open?.length ?? 0) - 1;
  if (open === undefined || last < 0) return;
  const places = [open.cursor.event, last >> 1, last >> 2, last - (last >> 2), last];
  for (const event of new Set(places)) if (event >= 0) yield stateLeaves(open.states.at(event));
}

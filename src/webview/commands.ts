import type { Face } from './protocol_data';
import { said } from './words';

/** What a person can do in the view: by key, by button, or by a command of the host. */
export const COMMANDS = [
  'panLeft',
  'panRight',
  'zoomIn',
  'zoomOut',
  'up',
  'down',
  'pageUp',
  'pageDown',
  'fit',
  'fitRequest',
  'measure',
  'measureVisible',
  'measureRequest',
  'nextOfRequest',
  'previousOfRequest',
  'next',
  'previous',
  'stepIn',
  'stepOut',
  'first',
  'last',
  'firstOfRequest',
  'lastOfRequest',
  'search',
  'searchNext',
  'searchPrevious',
  'pin',
  'onlyRequest',
  'breakWhen',
  'reveal',
  'clear',
  'help',
  'otherTrace',
  'table',
  'sidePanel',
  'timeline',
  'sequence',
  'machine',
] as const;
export type Command = (typeof COMMANDS)[number];

/** A key stroke, as much of a KeyboardEvent as the map looks at. */
export interface Stroke {
  readonly key: string;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
  getModifierState?(key: string): boolean;
}

/** One line of the key help: keys as shown, what they do, and the strokes (`key`, or `Shift+key`). */
export interface KeyLine {
  readonly strokes: readonly string[];
  readonly command: Command;
  readonly shown: string;
  readonly what: string;
  /** The only faces where it does something; absent: all. */
  readonly faces?: readonly Face[];
}

/** Every key of the view. The order is that of the key help. */
export const KEYS: readonly KeyLine[] = [
  { strokes: ['w', '+', '='], command: 'zoomIn', shown: 'W  +', what: said('Zoom in') },
  { strokes: ['s', '-'], command: 'zoomOut', shown: 'S  −', what: said('Zoom out') },
  { strokes: ['a', 'ArrowLeft'], command: 'panLeft', shown: 'A  ←', what: said('Earlier, to the left') },
  { strokes: ['d', 'ArrowRight'], command: 'panRight', shown: 'D  →', what: said('Later, to the right') },
  { strokes: ['ArrowUp'], command: 'up', shown: '↑', what: said('Scroll up') },
  { strokes: ['ArrowDown'], command: 'down', shown: '↓', what: said('Scroll down') },
  { strokes: ['PageUp'], command: 'pageUp', shown: 'Page Up', what: said('One page up') },
  { strokes: ['PageDown'], command: 'pageDown', shown: 'Page Down', what: said('One page down') },
  {
    strokes: ['f'],
    command: 'fit',
    shown: 'F',
    what: said('Fit everything, again: the busy part, or 100 %'),
  },
  {
    strokes: ['Shift+f'],
    command: 'fitRequest',
    shown: 'Shift+F',
    what: said('Fit the focused request'),
    faces: ['timeline'],
  },
  {
    strokes: ['m'],
    command: 'measure',
    shown: 'M',
    what: said('Measure: one end at the playhead, again: the other'),
    faces: ['timeline'],
  },
  {
    strokes: ['v'],
    command: 'measureVisible',
    shown: 'V',
    what: said('Measure what is visible'),
    faces: ['timeline'],
  },
  {
    strokes: ['Shift+m'],
    command: 'measureRequest',
    shown: 'Shift+M',
    what: said('Measure the time of the focused request'),
    faces: ['timeline'],
  },
  { strokes: [']'], command: 'nextOfRequest', shown: ']', what: said('Next event of this request') },
  { strokes: ['['], command: 'previousOfRequest', shown: '[', what: said('Previous event of this request') },
  { strokes: ['.'], command: 'next', shown: '.', what: said('Next event') },
  { strokes: [','], command: 'previous', shown: ',', what: said('Previous event') },
  { strokes: ['}', 'Shift+]'], command: 'stepIn', shown: '}', what: said('Next event that this one caused') },
  { strokes: ['{', 'Shift+['], command: 'stepOut', shown: '{', what: said('Completion of this request') },
  { strokes: ['Home'], command: 'first', shown: 'Home', what: said('First event of the trace') },
  { strokes: ['End'], command: 'last', shown: 'End', what: said('Last event of the trace') },
  {
    strokes: ['Shift+Home'],
    command: 'firstOfRequest',
    shown: 'Shift+Home',
    what: said('First event of this request'),
  },
  {
    strokes: ['Shift+End'],
    command: 'lastOfRequest',
    shown: 'Shift+End',
    what: said('Last event of this request'),
  },
  { strokes: ['/'], command: 'search', shown: '/', what: said('Search') },
  { strokes: ['n'], command: 'searchNext', shown: 'N', what: said('Next hit') },
  { strokes: ['Shift+n'], command: 'searchPrevious', shown: 'Shift+N', what: said('Previous hit') },
  { strokes: ['p'], command: 'pin', shown: 'P', what: said('Pin or unpin this tag') },
  {
    strokes: ['o'],
    command: 'onlyRequest',
    shown: 'O',
    what: said('Only the focused request'),
    faces: ['sequence'],
  },
  {
    strokes: ['b'],
    command: 'breakWhen',
    shown: 'B',
    what: said('Break when this changes'),
    faces: ['machine'],
  },
  { strokes: ['Enter'], command: 'reveal', shown: 'Enter', what: said('Show the event in the trace text') },
  {
    strokes: ['x'],
    command: 'otherTrace',
    shown: 'X',
    what: said('Comparison: keys act on the other trace'),
  },
  { strokes: ['t'], command: 'table', shown: 'T', what: said('Show or hide the table of events') },
  { strokes: ['i'], command: 'sidePanel', shown: 'I', what: said('Show or hide the explanation') },
  { strokes: ['1'], command: 'timeline', shown: '1', what: said('Timeline') },
  { strokes: ['2'], command: 'sequence', shown: '2', what: said('Sequence') },
  { strokes: ['3'], command: 'machine', shown: '3', what: said('Machine') },
  {
    strokes: ['Escape'],
    command: 'clear',
    shown: 'Esc',
    what: said('Clear the selection, close what is open'),
  },
  { strokes: ['?'], command: 'help', shown: '?', what: said('This list of keys') },
];

/** Whether a stroke types a letter, which an open search takes for its query. */
export function isLetter({ key, ctrlKey, altKey, metaKey }: Stroke): boolean {
  return /^\p{L}$/u.test(key) && !ctrlKey && !altKey && !metaKey;
}

/** Whether Option or AltGr only types a sign: brackets are there on many keyboards. */
function typesSign(stroke: Stroke): boolean {
  const { key, ctrlKey, altKey, metaKey } = stroke;
  if (metaKey) return false;
  if (stroke.getModifierState?.('AltGraph')) return /^[^\p{L}\p{N}\s]$/u.test(key);
  return altKey && !ctrlKey && /^[[\]{}]$/.test(key);
}

/** The command of a stroke; undefined for keys of others, such as everything with Ctrl, Alt or Meta. */
export function commandOf(stroke: Stroke): Command | undefined {
  const sign = typesSign(stroke);
  if (!sign && (stroke.ctrlKey || stroke.altKey || stroke.metaKey)) return undefined;
  const letter = stroke.key.length === 1 ? stroke.key.toLowerCase() : stroke.key;
  // A sign such as `?` needs Shift on some keyboards and none on others; letters need to tell.
  const shifted = stroke.shiftKey && !sign && /^([a-z[\]]|Home|End)$/.test(letter);
  const name = shifted ? `Shift+${letter}` : letter;
  return KEYS.find((line) => line.strokes.includes(name))?.command;
}

import { type Command, commandOf, isLetter, KEYS } from '../commands';
import { FACES } from '../face_list';
import type { StepName } from '../protocol';
import type { Store } from '../store';

const STEPS: readonly StepName[] = [
  'next',
  'previous',
  'nextOfRequest',
  'previousOfRequest',
  'stepIn',
  'stepOut',
  'first',
  'last',
  'firstOfRequest',
  'lastOfRequest',
];

/** Whether a key belongs to what has the focus: text goes into fields, Enter and arrows work buttons, tabs and lists. */
function ownKey(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof Element)) return false;
  if (target.closest('input, textarea, select, [contenteditable]')) return true;
  const worked = /^(Enter| |Arrow\w+|Home|End|Page\w+)$/.test(key);
  return worked && target.closest('button, a, [role=tab], [role=menu], [role=grid], summary') !== null;
}

/** Listens to the keys of the whole view and to the shell's own commands; returns what stops that. */
export function takeKeys(store: Store, page: Document): () => void {
  const onKey = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || ownKey(event.target, event.key)) return;
    if (store.search.peek().open && isLetter(event)) {
      // The letter goes on into the field, which has the focus by then.
      page.querySelector<HTMLElement>('.search input')?.focus();
      return;
    }
    const command = commandOf(event);
    if (command === undefined) return;
    if (store.run(command)) event.preventDefault();
    else sayWhere(store, command);
  };
  page.addEventListener('keydown', onKey);
  const stop = store.onCommand((command) => shellCommand(store, command, page));
  return () => {
    page.removeEventListener('keydown', onKey);
    stop();
  };
}

/** Says in which views a key does something, where it does nothing in this one. */
function sayWhere(store: Store, command: Command): void {
  const faces = KEYS.find((line) => line.command === command)?.faces;
  if (faces === undefined || faces.includes(store.face.peek())) return;
  const t = store.words.peek();
  const names = FACES.filter(({ face }) => faces.includes(face)).map(({ title }) => t(title));
  store.say(t('This key is one of: {0}.', names.join(', ')));
}

/** Commands that mean the same in every face. */
function shellCommand(store: Store, command: Command, page: Document): boolean {
  const step = STEPS.find((name) => name === command);
  if (step !== undefined) {
    store.step(step);
    return true;
  }
  switch (command) {
    case 'timeline':
    case 'sequence':
    case 'machine':
      store.face.value = command;
      return true;
    case 'search':
      store.search.value = { ...store.search.peek(), open: true };
      // Where it is open already nothing is drawn anew.
      page.querySelector<HTMLInputElement>('.search input')?.select();
      return true;
    case 'searchNext':
    case 'searchPrevious':
      void store.find(store.search.peek().query, command === 'searchPrevious');
      return true;
    case 'pin':
      return pinFocused(store);
    case 'reveal':
      void store.reveal('text');
      return true;
    case 'otherTrace':
      store.activate((store.active.peek() + 1) % Math.max(1, store.traces.peek().length));
      return true;
    case 'table':
      store.tableOpen.value = !store.tableOpen.peek();
      return true;
    case 'sidePanel':
      store.sidePanel.value = !store.sidePanel.peek();
      return true;
    case 'help':
      store.helpOpen.value = !store.helpOpen.peek();
      return true;
    case 'clear':
      return clear(store);
    default:
      return false;
  }
}

/** Pins the tag of the focused request, or takes the pin away. */
function pinFocused(store: Store): boolean {
  const trace = store.trace.peek();
  const flow = store.flows.peek()[store.active.peek()];
  const key = flow === undefined ? undefined : trace?.tracks.key[flow.tag];
  const t = store.words.peek();
  if (key === undefined) store.say(t('No request is focused: click one to pin its tag.'));
  else void store.pin(key);
  return true;
}

/** Closes the topmost of what is open. */
function clear(store: Store): boolean {
  if (store.helpOpen.peek()) store.helpOpen.value = false;
  else if (store.search.peek().open)
    store.search.value = { ...store.search.peek(), open: false, message: '' };
  else if (store.mark.peek() !== undefined) store.mark.value = undefined;
  else if (store.selection.peek() !== undefined) store.select(undefined);
  else if (store.problem.peek() !== undefined) store.problem.value = undefined;
  else if (store.cursor.peek().request >= 0) store.move(store.cursor.peek().event, -1);
  else return false;
  return true;
}

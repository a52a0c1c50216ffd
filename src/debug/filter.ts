import { didYouMean } from '../session/diagnostics';
import type { RequestTable } from '../trace/requests';
import type { StateCache } from '../trace/state';
import type { Trace } from '../trace/trace';
import { dataFields, EVENT_FIELDS, eventField, REQUEST_FIELDS, requestField } from './filter_fields';
import { FilterError } from './filter_lexer';
import { type FilterNode, type Leaf, parseFilter } from './filter_parse';
import { numberTest, textTest } from './filter_values';
import { ownTest } from './filter_own';
import { stateTest } from './filter_state';
import { valueProblem } from './filter_known';
import { isStatePath, pathProblem } from './state_schema';

export { FilterError } from './filter_lexer';

/** What a filter reads. */
export interface FilterTarget {
  readonly trace: Trace;
  readonly requests: RequestTable;
  /** For comparisons of state variables, which are false without. */
  readonly states?: StateCache;
}

/**
 * A condition in the one small language of the product: `tag == 3 && res < 0`, `latency > 50us`, `name ~ splice`.
 * Comparisons are == != < <= > >= and ~ !~ (contains, does not); texts compare without regard to case; numbers may have
 * the units k m g (bytes) and ns us ms s; a negative errno may be written -EIO. A comparison with something unknown is false.
 */
export interface Filter {
  readonly text: string;
  /** Test of an event: its own fields first, then those of its request. */
  events(target: FilterTarget): (event: number) => boolean;
  /**
   * What the filter says of the events of each text form of the trace, by id: 0 none of them passes, 1 all do, 2 the event has to be
   * tested.
   */
  forms(target: FilterTarget): Uint8Array;
  /** Test of a request: its own fields; a field that only events have counts where one of its events has it so. */
  requests(target: FilterTarget): (row: number) => boolean;
}

/**
 * Understands a filter. `trace` adds the fields of its unknown events; `watched` is the path of a state variable that `value` and the
 * last name of the path mean. @throws FilterError with the column.
 */
export function compileFilter(text: string, trace?: Trace, watched?: string): Filter {
  const node = watched === undefined ? parseFilter(text) : meaning(parseFilter(text), watched);
  check(node, trace);
  return {
    text,
    events: (target) => bind(node, (leaf) => eventTest(leaf, target)),
    forms: (target) => formsOf(node, target.trace),
    requests: (target) => bind(node, (leaf) => rowTest(leaf, target)),
  };
}

/** What is wrong with a filter; undefined when nothing is. */
export function filterProblem(text: string, trace?: Trace): FilterError | undefined {
  try {
    compileFilter(text, trace);
    return undefined;
  } catch (error) {
    if (error instanceof FilterError) return error;
    throw error;
  }
}

/** The same filter, where `value` and the last name of a path stand for the variable of that path. */
function meaning(node: FilterNode, path: string): FilterNode {
  switch (node.kind) {
    case 'and':
    case 'or':
      return { ...node, a: meaning(node.a, path), b: meaning(node.b, path) };
    case 'not':
      return { ...node, a: meaning(node.a, path) };
    default: {
      const own = node.field === 'value' || node.field === path.slice(path.lastIndexOf(':') + 1);
      return own ? { ...node, field: path } : node;
    }
  }
}

type Test = (index: number) => boolean;

function bind(node: FilterNode, leaf: (leaf: Leaf) => Test): Test {
  switch (node.kind) {
    case 'and': {
      const [a, b] = [bind(node.a, leaf), bind(node.b, leaf)];
      return (i) => a(i) && b(i);
    }
    case 'or': {
      const [a, b] = [bind(node.a, leaf), bind(node.b, leaf)];
      return (i) => a(i) || b(i);
    }
    case 'not': {
      const a = bind(node.a, leaf);
      return (i) => !a(i);
    }
    default:
      return leaf(node);
  }
}

/** For each text form, what a condition says of all of its events: 0 no, 1 yes, 2 that depends on the event. */
function formsOf(node: FilterNode, trace: Trace): Uint8Array {
  switch (node.kind) {
    case 'and': {
      const [a, b] = [formsOf(node.a, trace), formsOf(node.b, trace)];
      return a.map((x, id) => (x === 0 || b[id] === 0 ? 0 : Math.max(x, b[id])));
    }
    case 'or': {
      const [a, b] = [formsOf(node.a, trace), formsOf(node.b, trace)];
      return a.map((x, id) => (x === 1 || b[id] === 1 ? 1 : Math.max(x, b[id])));
    }
    case 'not':
      return formsOf(node.a, trace).map((x) => (x === 2 ? 2 : 1 - x));
    default:
      return leafForms(node, trace);
  }
}

function leafForms(leaf: Leaf, trace: Trace): Uint8Array {
  const forms = new Uint8Array(trace.shapes.size).fill(2);
  if (isStatePath(leaf.field)) return forms;
  const field = eventField(leaf.field);
  if (field?.name === 'name') {
    const test = valueTest(leaf, undefined, (id) => trace.shapes.get(id).name);
    return forms.map((_, id) => (test(id) ? 1 : 0));
  }
  if (field !== undefined || requestField(leaf.field) !== undefined) return forms;
  return forms.map((_, id) => (trace.shapes.get(id).fields.has(leaf.field) ? 2 : 0));
}

function eventTest(leaf: Leaf, target: FilterTarget): Test {
  const { trace, requests, states } = target;
  if (isStatePath(leaf.field)) return states === undefined ? () => false : stateTest(leaf, states);
  const everywhere = eventField(leaf.field);
  if (everywhere !== undefined) {
    const test = valueTest(
      leaf,
      everywhere.number && ((i) => everywhere.number!(trace, i)),
      everywhere.text && ((i) => everywhere.text!(trace, i)),
    );
    switch (everywhere.by) {
      case 'form':
        return remembered(test, trace.shapes.size, (i) => trace.shape[i]);
      case 'task':
        return remembered(test, trace.taskCount + 1, (i) => Math.min(trace.task[i], trace.taskCount));
      default:
        return test;
    }
  }
  const field = requestField(leaf.field);
  const names = field === undefined ? [leaf.field] : [leaf.field, field.name, ...field.aliases];
  const own = ownTest(leaf, trace, names);
  if (field === undefined) return (i) => own(i) === true;
  const ofRow = remembered(rowTest(leaf, target), requests.length);
  return (i) => {
    const answer = own(i);
    if (answer !== undefined) return answer;
    const row = requests.requestOf(i);
    return row >= 0 && ofRow(row);
  };
}

function rowTest(leaf: Leaf, target: FilterTarget): Test {
  const { requests } = target;
  const field = requestField(leaf.field);
  if (field !== undefined) {
    const test = valueTest(
      leaf,
      field.number && ((r) => field.number!(requests, r)),
      field.text && ((r) => field.text!(requests, r)),
    );
    const { others } = field;
    if (others === undefined || leaf.kind === 'has') return test;
    const same = textTest(leaf.op, leaf.value.text);
    // what is not equal must differ from every name
    return leaf.op.startsWith('!')
      ? (r) => test(r) && others(requests, r).every(same)
      : (r) => test(r) || others(requests, r).some(same);
  }
  const test = eventTest(leaf, target);
  const { eventStart, eventList } = requests;
  return (r) => {
    for (let k = eventStart[r]; k < eventStart[r + 1]; k++) if (test(eventList[k])) return true;
    return false;
  };
}

/** The same test, asked once per group of indices that have one answer. */
function remembered(test: Test, groups: number, group?: (index: number) => number): Test {
  const known = new Uint8Array(groups);
  return (i) => {
    const k = group === undefined ? i : group(i);
    if (known[k] === 0) known[k] = test(i) ? 2 : 1;
    return known[k] === 2;
  };
}

function valueTest(
  leaf: Leaf,
  number: ((i: number) => number) | undefined,
  text: ((i: number) => string) | undefined,
): Test {
  if (leaf.kind === 'has') {
    if (number) return (i) => number(i) !== 0 && !Number.isNaN(number(i));
    return text ? (i) => text(i) !== '' : () => false;
  }
  if (number && leaf.value.number !== undefined) {
    const test = numberTest(leaf.op, leaf.value.number);
    return (i) => test(number(i));
  }
  if (!text) return () => false;
  const test = textTest(leaf.op, leaf.value.text);
  // there are few texts, and comparing them without regard to case is dear
  const known = new Map<string, boolean>();
  return (i) => {
    const value = text(i);
    let answer = known.get(value);
    if (answer === undefined) {
      answer = test(value);
      known.set(value, answer);
    }
    return answer;
  };
}

/** @throws FilterError for an unknown field or a value that the field cannot have. */
function check(node: FilterNode, trace: Trace | undefined): void {
  switch (node.kind) {
    case 'and':
    case 'or':
      check(node.a, trace);
      check(node.b, trace);
      return;
    case 'not':
      check(node.a, trace);
      return;
    default:
      checkLeaf(node, trace);
  }
}

function checkLeaf(node: Leaf, trace: Trace | undefined): void {
  if (isStatePath(node.field)) {
    const problem = pathProblem(node.field);
    if (problem !== undefined) throw new FilterError(problem, node.column);
    return;
  }
  const data = dataFields();
  if (trace !== undefined) learned(trace, data);
  const field = requestField(node.field) ?? eventField(node.field);
  const own = data.get(node.field);
  if (field === undefined && own === undefined) {
    const names = [...REQUEST_FIELDS, ...EVENT_FIELDS].flatMap((f) => [f.name, ...f.aliases]);
    throw new FilterError(
      `unknown field '${node.field}'${didYouMean(node.field, [...names, ...data.keys()])}`,
      node.column,
    );
  }
  if (node.kind === 'has') return;
  const { value, op } = node;
  const numbers = field?.number !== undefined || own?.number === true;
  const texts = field?.text !== undefined || own?.text === true;
  if ((op === '~' || op === '!~') && !texts) {
    throw new FilterError(`'${op}' compares texts, and ${node.field} is a number`, node.column);
  }
  if (value.number === undefined && !texts) {
    throw new FilterError(`${node.field} is a number, not '${value.text}'`, value.column);
  }
  const problem = valueProblem(node.field, value, op, trace);
  if (problem !== undefined) throw new FilterError(problem, value.column);
  if (texts || !numbers || value.measure === 'plain' || field === undefined) return;
  if (field.measure === 'plain' || field.measure === value.measure) return;
  const what = { bytes: 'a size', time: 'a time', plain: 'a number' };
  throw new FilterError(
    `${node.field} is ${what[field.measure]}, '${value.text}' is ${what[value.measure]}`,
    value.column,
  );
}

/** Whether requests or events of the trace can have a field of this name. */
export function isField(name: string, trace: Trace): boolean {
  if (requestField(name) !== undefined || eventField(name) !== undefined) return true;
  const data = dataFields();
  learned(trace, data);
  return data.has(name);
}

/** Adds the fields of events that the schema does not know. */
function learned(trace: Trace, data: Map<string, { text: boolean; number: boolean }>): void {
  for (let id = 0; id < trace.shapes.size; id++) {
    const { fields, template } = trace.shapes.get(id);
    for (const [name, k] of fields) {
      const entry = data.get(name) ?? { text: false, number: false };
      if (template.formats[k] === 's') entry.text = true;
      else entry.number = true;
      data.set(name, entry);
    }
  }
}

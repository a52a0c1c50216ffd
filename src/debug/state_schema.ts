import { didYouMean } from '../session/diagnostics';
import { type MachineState, stateLeaves } from '../trace/state';

/** A state with one of each thing: which fields there are, whatever the trace. The values mean nothing. */
const ONE_OF_EACH: MachineState = {
  event: 0,
  time: null,
  simulated: false,
  devices: [
    {
      index: 0,
      id: null,
      state: null,
      queues: null,
      depth: null,
      flags: null,
      disk: null,
      armed: 0,
      inFlight: 0,
      tagsInUse: null,
    },
  ],
  slots: [
    {
      device: 0,
      queue: 0,
      tag: 0,
      state: null,
      inferred: false,
      command: { ring: null, req: null, userData: null, op: null },
      result: null,
      request: null,
      deliveries: 0,
      handled: null,
      filled: null,
      iod: { op: null, flags: null, startSector: null, nrSectors: null, addr: null },
    },
  ],
  rings: [
    {
      id: 0,
      ptr: '',
      fd: null,
      owner: null,
      flags: null,
      sq: { entries: null, head: null, tail: null, pending: null, sqes: [] },
      cq: { entries: null, head: null, tail: null, ready: null, cqes: [], overflow: null },
      inFlight: 0,
      waiting: 0,
    },
  ],
  requests: [
    {
      ring: 0,
      req: '',
      userData: null,
      opcode: null,
      state: 'submitted',
      since: null,
      skip: false,
      link: null,
      queue: null,
    },
  ],
  pipes: [
    {
      id: 0,
      ptr: null,
      owner: null,
      ringSize: null,
      head: null,
      tail: null,
      occupancy: null,
      consumedByRead: null,
      buffers: [],
    },
  ],
  pages: [
    {
      ptr: '',
      refs: null,
      pipe: null,
      slot: null,
      device: null,
      queue: null,
      tag: null,
      requestOffset: null,
      fill: null,
    },
  ],
  disks: [
    {
      major: 0,
      minor: 0,
      device: null,
      allocated: 0,
      inserted: 0,
      inFlight: [],
      requeued: 0,
      completed: 0,
      bytesRead: 0,
      bytesWritten: 0,
    },
  ],
  tasks: [
    {
      comm: '',
      pid: 0,
      syscall: null,
      ring: null,
      waiting: false,
      plug: null,
      request: null,
      requestInferred: false,
      pipe: null,
    },
  ],
  ios: [{ id: 0, line: 0, op: '', offset: 0, length: 0 }],
  commands: [{ line: 0, text: '' }],
  fuse: [{ connection: 0, unique: 0, opcode: '', len: 0 }],
  totals: { sqes: 0, cqes: 0, punts: 0, copies: 0, copiedBytes: null, splices: 0, splicedBytes: 0 },
};

/** How things of each kind are named: what stands between the kind and the field. */
const FORMS: Readonly<Record<string, { readonly id: RegExp; readonly like: string }>> = {
  device: { id: /^\d+$/, like: 'device:0' },
  slot: { id: /^(\d+@)?\d+:\d+$/, like: 'slot:QUEUE:TAG' },
  ring: { id: /^\d+$/, like: 'ring:0' },
  req: { id: /^\d+:0x[0-9a-f]+$/i, like: 'req:RING:POINTER' },
  pipe: { id: /^\d+$/, like: 'pipe:0' },
  page: { id: /^0x[0-9a-f]+$/i, like: 'page:POINTER' },
  disk: { id: /^\d+,\d+$/, like: 'disk:MAJOR,MINOR' },
  task: { id: /^\d+$/, like: 'task:PID' },
  io: { id: /^\d+$/, like: 'io:ID' },
  command: { id: /^\d+$/, like: 'command:LINE' },
  fuse: { id: /^\d+$/, like: 'fuse:ID' },
  totals: { id: /^$/, like: 'totals:' },
};

const PATH = /^([a-z]+):(.*):([\w.]+)$/;

/** Whether a text is written like the path of a state variable; {@link pathProblem} tells whether it can be one. */
export function isStatePath(text: string): boolean {
  const match = PATH.exec(text);
  return match !== null && Object.hasOwn(FORMS, match[1]);
}

/** Why no trace can have a state variable of this path; undefined for one that may have. */
export function pathProblem(path: string): string | undefined {
  const match = PATH.exec(path);
  if (match === null || !Object.hasOwn(FORMS, match[1])) {
    const kind = path.slice(0, Math.max(0, path.indexOf(':')));
    return `'${path}' is no state variable${kind === '' ? '' : didYouMean(kind, Object.keys(FORMS))}`;
  }
  const [, kind, id, leaf] = match;
  const { id: form, like } = FORMS[kind];
  if (!form.test(id)) return `'${path}' names no ${kind}; write ${like}:${leaf}`;
  const leaves = leavesOf(kind);
  return leaves.includes(leaf) ? undefined : `a ${kind} has no '${leaf}'${didYouMean(leaf, leaves)}`;
}

/** Fields of things of a kind, in the order of the state. */
export function leavesOf(kind: string): string[] {
  return [...stateLeaves(ONE_OF_EACH).keys()]
    .filter((path) => path.startsWith(`${kind}:`))
    .map((path) => path.slice(path.lastIndexOf(':') + 1));
}

/** What paths may begin with: the kinds of things. */
export function pathKinds(): string[] {
  return Object.keys(FORMS).map((kind) => `${kind}:`);
}

/** Patterns of paths of a kind, where a trace has none at hand to propose. */
export function pathPatterns(kind: string): string[] {
  return Object.hasOwn(FORMS, kind) ? leavesOf(kind).map((leaf) => `${FORMS[kind].like}:${leaf}`) : [];
}

/** The paths that a field alone, such as `cq.tail`, may mean in a state; and how they are written. */
export function pathsOfLeaf(
  state: MachineState,
  leaf: string,
): { paths: string[]; like: string | undefined } {
  const kind = Object.keys(FORMS).find((each) => leavesOf(each).includes(leaf));
  const paths = [...stateLeaves(state).keys()].filter((path) => path.endsWith(`:${leaf}`));
  return { paths, like: kind === undefined ? undefined : `${FORMS[kind].like}:${leaf}` };
}

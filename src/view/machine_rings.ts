import type { RingRequestState, RingState } from '../trace/state';
import { opcodeName } from '../uapi/io_uring_ops';
import { formatResult } from '../uapi/errno';
import type { RingDrawing, RingEntry, RingRequestDrawing } from '../webview/protocol_faces';
import { sqeText } from './machine_names';
import type { Scene } from './machine_scene';

/** Most rings with their circles. */
const MOST_RINGS = 2;
/** Most requests drawn between SQ and CQ. */
const MOST_REQUESTS = 32;

/** SQ and CQ of the rings that matter now, and what is left out. */
export function drawRings(scene: Scene, leftOut: string[]): RingDrawing[] {
  const { state, t } = scene;
  const focused = new Set(state.requests.filter((req) => isFocused(scene, req)).map((req) => req.ring));
  const chosen = state.rings
    .map((ring) => ({ ring, weight: weight(scene, ring, focused) }))
    .sort((a, b) => b.weight - a.weight || a.ring.id - b.ring.id)
    .filter(({ weight }, k) => k === 0 || (k < MOST_RINGS && weight > 0))
    .map(({ ring }) => ring)
    .sort((a, b) => a.id - b.id);
  const rest = state.rings.filter((ring) => !chosen.includes(ring));
  if (rest.length > 0)
    leftOut.push(t('idle rings not drawn: {0}', rest.map((ring) => ringName(scene, ring)).join(', ')));
  return chosen.flatMap((ring) => [drawSq(scene, ring), drawCq(scene, ring)]);
}

function weight(scene: Scene, ring: RingState, focused: ReadonlySet<number>): number {
  return (
    (scene.changes.of(`ring:${ring.id}`) ? 1e6 : 0) +
    (focused.has(ring.id) ? 1e5 : 0) +
    (scene.hasCommands(ring.id) ? 1e4 : 0) +
    Math.min(ring.inFlight, 1000)
  );
}

function ringName(scene: Scene, ring: RingState): string {
  return scene.t('ring {0} of {1}', ring.id, ring.owner ?? scene.t('unknown'));
}

function drawSq(scene: Scene, ring: RingState): RingDrawing {
  const { changes, t, before } = scene;
  const { sq } = ring;
  const id = `ring:${ring.id}`;
  const size = sq.entries ?? 0;
  const old = before?.rings.find((one) => one.id === ring.id);
  const known = new Set(old?.sq.sqes.map((sqe) => sqe.index));
  const filled = sq.sqes.map((sqe): RingEntry => {
    const data = BigInt(sqe.userData);
    return {
      slot: size > 0 ? sqe.index % size : -1,
      text: sqeText(opcodeName(Number.parseInt(sqe.bytes.slice(0, 2), 16)), data, scene.t),
      request: scene.rowOfData(ring.id, data),
      changed: before !== undefined && !known.has(sqe.index),
    };
  });
  const changed = changes.list.some((c) => c.path.startsWith(`${id}:`) && !c.path.startsWith(`${id}:cq.`));
  return {
    id: `${id}:sq`,
    which: 'SQ',
    ring: ring.id,
    title: t('SQ of {0}', ringName(scene, ring)),
    text: sq.pending === null ? t('pending: unknown') : t('{0} filled, not taken', sq.pending),
    entries: size,
    head: changes.value(`${id}:sq.head`, t('head'), sq.head, t('SQEs that the kernel has taken.')),
    tail: changes.value(`${id}:sq.tail`, t('tail'), sq.tail, t('SQEs that user space has filled.')),
    filled,
    values: [
      changes.value(`${id}:sq.head`, t('SQ head'), sq.head, t('SQEs that the kernel has taken.')),
      changes.value(`${id}:sq.tail`, t('SQ tail'), sq.tail, t('SQEs that user space has filled.')),
      changes.value(`${id}:sq.pending`, t('pending'), sq.pending, t('Filled and not taken yet.')),
      changes.value(`${id}:sq.entries`, t('entries'), sq.entries),
      changes.value(`${id}:inFlight`, t('requests in flight'), ring.inFlight),
      changes.value(`${id}:owner`, t('owner'), ring.owner),
      changes.value(`${id}:fd`, 'fd', ring.fd),
      changes.value(`${id}:flags`, t('flags'), ring.flags),
    ],
    changed,
    gone: false,
    request: -1,
    focused: filled.some((entry) => scene.isFocus(entry.request)),
  };
}

function drawCq(scene: Scene, ring: RingState): RingDrawing {
  const { changes, t, before } = scene;
  const { cq } = ring;
  const id = `ring:${ring.id}`;
  const size = cq.entries ?? 0;
  const old = before?.rings.find((one) => one.id === ring.id)?.cq;
  const over = cq.overflow ?? 0;
  const listed = cq.ready === null ? cq.cqes : newest(cq.cqes, cq.ready + over);
  const inside = over > 0 ? listed.slice(0, Math.max(0, listed.length - over)) : listed;
  const fresh = old === undefined ? 0 : Math.max(0, cq.cqes.length - old.cqes.length);
  const filled = inside.map((cqe, k): RingEntry => {
    const data = BigInt(cqe.userData);
    const at = cq.head === null || size === 0 || cq.ready === null ? -1 : (cq.head + k) % size;
    return {
      slot: at,
      text: `${scene.cqeText(ring, cqe.userData)}: ${formatResult(cqe.res)}`,
      request: scene.rowOfData(ring.id, data),
      changed: over === 0 && k >= inside.length - fresh,
    };
  });
  const ready =
    cq.ready === null
      ? t('not known which are reaped')
      : cq.ready === 0
        ? t('empty')
        : t('{0} for the server to reap', cq.ready);
  return {
    id: `${id}:cq`,
    which: 'CQ',
    ring: ring.id,
    title: t('CQ of {0}', ringName(scene, ring)),
    text: over > 0 ? t('{0}, {1} on the overflow list', ready, over) : ready,
    entries: size,
    head: changes.value(`${id}:cq.head`, t('head'), cq.head, t('CQEs that user space has reaped.')),
    tail: changes.value(`${id}:cq.tail`, t('tail'), cq.tail, t('CQEs that the kernel has posted.')),
    filled,
    values: [
      changes.value(`${id}:cq.head`, t('CQ head'), cq.head, t('CQEs that user space has reaped.')),
      changes.value(`${id}:cq.tail`, t('CQ tail'), cq.tail, t('CQEs that the kernel has posted.')),
      changes.value(`${id}:cq.ready`, t('ready'), cq.ready, t('Posted and not reaped yet.')),
      changes.value(`${id}:cq.entries`, t('entries'), cq.entries),
      changes.value(`${id}:cq.overflow`, t('overflow'), cq.overflow, t('CQEs that found no room.')),
      changes.value(
        `${id}:waiting`,
        t('waited for'),
        ring.waiting,
        t('CQEs that a sleeping task waits for; 0: nobody sleeps.'),
      ),
    ],
    changed: changes.below(`${id}:cq.`) || changes.below(`${id}:waiting`),
    gone: false,
    request: -1,
    focused: filled.some((entry) => scene.isFocus(entry.request)),
  };
}

function newest<T>(list: readonly T[], count: number): readonly T[] {
  return list.slice(Math.max(0, list.length - count));
}

/** The block request that a request of a ring works for. */
export function rowOf(scene: Scene, req: RingRequestState): number {
  const { requests } = scene.open;
  if (req.userData !== null) {
    const row = scene.rowOfData(req.ring, BigInt(req.userData));
    if (row >= 0) return row;
  }
  return req.since === null || req.state === 'armed' ? -1 : requests.requestOf(req.since);
}

function isFocused(scene: Scene, req: RingRequestState): boolean {
  if (scene.focus < 0) return false;
  const told = req.userData !== null && scene.mayFocus(req.ring, req.userData);
  return (told || req.state !== 'armed') && scene.isFocus(rowOf(scene, req));
}

/** Requests between SQ and CQ; commands that are parked in slots are drawn there, unless the event changed them. */
export function drawRingRequests(scene: Scene, leftOut: string[]): RingRequestDrawing[] {
  const { state, before, changes, t } = scene;
  const touched = changes.lasts('req');
  const changed = (req: RingRequestState): boolean =>
    touched.has(req.req) && changes.of(`req:${req.ring}:${req.req}`);
  const first = (req: RingRequestState): boolean => changed(req) || isFocused(scene, req);
  const alive = new Set(state.requests.filter(changed).map((req) => `${req.ring}:${req.req}`));
  const ended = (before?.requests ?? []).filter(
    (req) => changed(req) && !alive.has(`${req.ring}:${req.req}`),
  );
  const shown = [
    ...state.requests
      .filter((req) => req.state !== 'armed' || changed(req))
      .map((req) => ({ req, gone: false, first: first(req) })),
    ...ended.map((req) => ({ req, gone: true, first: first(req) })),
  ].sort((a, b) => Number(b.first) - Number(a.first));
  if (shown.length > MOST_REQUESTS)
    leftOut.push(t('{0} more requests of rings', shown.length - MOST_REQUESTS));
  return shown.slice(0, MOST_REQUESTS).map(({ req, gone }) => drawRequest(scene, req, gone));
}

function drawRequest(scene: Scene, req: RingRequestState, gone: boolean): RingRequestDrawing {
  const { changes, t } = scene;
  const id = `req:${req.ring}:${req.req}`;
  const row = rowOf(scene, req);
  const queue = req.queue === null ? '' : ` (${req.queue})`;
  return {
    id,
    ring: req.ring,
    phase: req.state,
    title: sqeText(req.opcode ?? '', BigInt(req.userData ?? 0), scene.t),
    text: gone ? t('completed') : `${req.state}${queue}`,
    values: gone
      ? []
      : [
          changes.value(`${id}:state`, t('state'), req.state),
          ...changes.fields(id, req, [
            ['opcode', 'opcode'],
            ['userData', 'user_data'],
            ['link', t('linked after')],
            ['queue', t('io-wq queue')],
            ['skip', t('no CQE on success')],
          ]),
        ],
    changed: changes.of(id),
    gone,
    request: row,
    focused: scene.isFocus(row),
  };
}

import { sizeText } from '../debug/request_label';
import type { TaskState } from '../trace/state';
import type { Exploded, MachinePart } from '../webview/protocol_faces';
import { sqeText } from './machine_names';
import { rowOf } from './machine_rings';
import type { Scene } from './machine_scene';

const MOST_TASKS = 10;
const MOST_CLIENTS = 16;

/** Tasks that do something now, changed, or run the event. */
export function drawTasks(scene: Scene, leftOut: string[]): MachinePart[] {
  const { state, changes, open, event, t } = scene;
  const runner = event < 0 ? undefined : open.trace.taskOf(open.trace.task[event]);
  const runs = (task: TaskState): boolean => task.pid === runner?.pid && task.comm === runner.comm;
  const weight = (task: TaskState): number =>
    (runs(task) ? 8 : 0) +
    (changes.of(`task:${task.pid}`) ? 4 : 0) +
    (task.request !== null ? 2 : 0) +
    (task.syscall !== null || (task.plug ?? 0) > 0 ? 1 : 0);
  const busy = state.tasks.filter((task) => weight(task) > 0).sort((a, b) => weight(b) - weight(a));
  if (busy.length > MOST_TASKS) leftOut.push(t('{0} more tasks', busy.length - MOST_TASKS));
  return busy.slice(0, MOST_TASKS).map((task) => drawTask(scene, task, runs(task)));
}

function drawTask(scene: Scene, task: TaskState, runs: boolean): MachinePart {
  const { changes, t, state } = scene;
  const id = `task:${task.pid}`;
  const req = task.request === null ? undefined : state.requests.find((one) => one.req === task.request);
  const row = req === undefined ? -1 : rowOf(scene, req);
  const parts = [
    runs ? t('runs this event') : '',
    task.syscall === null ? '' : t('in {0}', task.syscall),
    task.waiting ? t('sleeps for CQEs') : '',
    req === undefined ? '' : t('runs {0}', sqeText(req.opcode ?? '', BigInt(req.userData ?? 0), t)),
    (task.plug ?? 0) > 0 ? t('{0} requests in its plug', task.plug ?? 0) : '',
  ].filter((part) => part !== '');
  return {
    id,
    title: `${task.comm}-${task.pid}`,
    text: parts.join(', '),
    values: changes.fields(id, task, [
      ['syscall', t('system call')],
      ['waiting', t('sleeps for CQEs')],
      ['ring', t('in ring')],
      ['plug', t('requests in its plug')],
      ['request', t('runs request')],
      ['pipe', t('pipe')],
    ]),
    changed: changes.of(id),
    gone: false,
    request: row,
    focused: scene.isFocus(row),
  };
}

/** I/O that clients wait for, commands that run, FUSE requests without an answer. */
export function drawClients(scene: Scene, leftOut: string[]): MachinePart[] {
  const { state, before, changes, t } = scene;
  const alive = new Set(state.ios.map((io) => io.id));
  const ended = (before?.ios ?? []).filter((io) => !alive.has(io.id));
  const part = (
    id: string,
    title: string,
    text: string,
    values: Exploded[],
    gone = false,
    row = -1,
  ): MachinePart => ({
    id,
    title,
    text,
    values,
    changed: changes.of(id),
    gone,
    request: row,
    focused: scene.isFocus(row),
  });
  const all = [
    ...state.commands.map((command) => {
      const id = `command:${command.line}`;
      const text = command.text.length > 60 ? `${command.text.slice(0, 59)}…` : command.text;
      return part(
        id,
        t('command, line {0}', command.line),
        text,
        changes.fields(id, command, [['text', t('command')]]),
      );
    }),
    ...[...state.ios, ...ended].map((io) => {
      const id = `io:${io.id}`;
      const row = scene.rowOfPlace(undefined, io.offset / 512, io.length / 512);
      const gone = !alive.has(io.id);
      const text = `${sizeText(io.length)} @ ${sizeText(io.offset)}`;
      const values = gone
        ? []
        : changes.fields(id, io, [
            ['op', t('operation')],
            ['offset', t('offset')],
            ['length', t('length')],
            ['line', t('line of the session')],
          ]);
      return part(id, `${io.op} ${text}`, gone ? t('done') : t('the client waits'), values, gone, row);
    }),
    ...state.fuse.map((io) => {
      const id = `fuse:${io.unique}`;
      return part(id, io.opcode, t('no answer yet'), changes.fields(id, io, [['len', t('length')]]));
    }),
  ];
  if (all.length > MOST_CLIENTS) leftOut.push(t("{0} more of the clients' I/O", all.length - MOST_CLIENTS));
  return all
    .sort((a, b) => Number(b.changed || b.focused) - Number(a.changed || a.focused))
    .slice(0, MOST_CLIENTS);
}

/** Counts since the trace began. */
export function totalValues(scene: Scene): Exploded[] {
  const { changes, state, t } = scene;
  return changes.fields('totals:', state.totals, [
    ['sqes', 'SQEs'],
    ['cqes', 'CQEs'],
    ['punts', t('punts to io-wq')],
    ['copies', t('copies by the driver')],
    ['copiedBytes', t('bytes copied')],
    ['splices', t('splices')],
    ['splicedBytes', t('bytes spliced')],
  ]);
}

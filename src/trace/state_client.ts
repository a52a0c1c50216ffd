import { UBLK_CMD } from '../uapi/ublk_cmds';
import type { Machine, Rules } from './state_machine';
import { SLOT } from './state_codes';
import { UNKNOWN } from './state_work';

const NONBLOCK = 0x80000000;
const MAX_LIVE = 65536;

/** The driver forgets all commands and requests of a device. */
function resetSlots(m: Machine, index: number, clear: boolean): void {
  if (index < 0 || m.w.devices[index] === undefined) return;
  const device = m.device(index);
  if (clear) {
    device.queues = [];
    return;
  }
  for (let qid = 0; qid < device.queues.length; qid++) {
    const count = device.queues[qid]?.slots.length ?? 0;
    for (let tag = 0; tag < count; tag++) {
      if (m.peekSlot(index, qid, tag) === undefined) continue;
      const slot = m.slot(index, qid, tag);
      if (!slot) continue;
      slot.state = SLOT.free;
      slot.ring = UNKNOWN;
      slot.req = UNKNOWN;
      slot.userData = UNKNOWN;
      slot.op = UNKNOWN;
    }
  }
}

/** A control command for a known device; for START_DEV and END_USER_RECOVERY `data` is the pid of the server. */
function control(m: Machine, index: number, op: number, data: number): void {
  switch (op) {
    case UBLK_CMD.START_USER_RECOVERY:
      resetSlots(m, index, false);
      m.device(index).awaited = true;
      break;
    case UBLK_CMD.ADD_DEV:
      resetSlots(m, index, true);
      break;
    case UBLK_CMD.SET_PARAMS:
      m.device(index).awaited = true;
      break;
    case UBLK_CMD.START_DEV:
    case UBLK_CMD.END_USER_RECOVERY:
      if (data > 0) m.w.deviceByPid.set(data, index);
      break;
    case UBLK_CMD.STOP_DEV:
    case UBLK_CMD.DEL_DEV:
      m.device(index).awaited = false;
      break;
    default:
  }
}

function keep<V>(map: Map<number, V>, key: number, value: V): void {
  map.set(key, value);
  if (map.size <= MAX_LIVE) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}

/** The device is being stopped: the one of the control command that stops it, or the only one. */
const STOPPING: Rules[string] = {
  needs: [],
  bind: (m) => (i) => {
    const { devices, tasks } = m.w;
    const task = tasks[m.trace.task[i]];
    const index = devices.length === 1 ? 0 : task !== undefined && task.ctrlOp >= 0 ? task.ctrlDevice : -1;
    if (index >= 0 && devices[index].state < 0) m.device(index).state = -2;
  },
};

/** Events of devices, clients and FUSE. */
export const CLIENT_RULES: Rules = {
  ublk_dev_state: {
    needs: ['dev_id', 'state:s', 'queues', 'depth', 'flags'],
    bind(m, f) {
      const [idAt, queuesAt, depthAt, flagsAt] = ['dev_id', 'queues', 'depth', 'flags'].map((name) =>
        f.num(name),
      );
      const stateAt = f.text('state');
      return (i, at) => {
        const device = m.device(m.deviceOfId(m.num(m.words[at + idAt])));
        device.state = m.words[at + stateAt];
        if (m.trace.strings.text(device.state) === 'LIVE') device.awaited = false;
        else if (m.w.tasks[m.trace.task[i]]?.ctrlOp === UBLK_CMD.ADD_DEV) device.awaited = true;
        device.nrQueues = m.num(m.words[at + queuesAt]);
        device.depth = m.num(m.words[at + depthAt]);
        device.flags = m.words[at + flagsAt] | 0;
      };
    },
  },
  ublk_ch_open: {
    needs: ['dev_id'],
    bind(m, f) {
      const idAt = f.num('dev_id');
      return (i, at) => {
        const index = m.deviceOfId(m.num(m.words[at + idAt]));
        const { pid, tgid } = m.trace.taskOf(m.trace.task[i]);
        m.w.deviceByPid.set(pid, index);
        if (tgid >= 0) m.w.deviceByPid.set(tgid, index);
      };
    },
  },
  ublk_ctrl_uring_cmd: {
    needs: ['op', 'dev_id', 'issue_flags'],
    bind(m, f) {
      const [opAt, idAt, flagsAt, dataAt] = [
        f.num('op'),
        f.num('dev_id'),
        f.num('issue_flags'),
        f.num('data0'),
      ];
      return (i, at) => {
        if (m.trace.wide.lowOf(m.words[at + flagsAt]) >= NONBLOCK) return;
        const op = m.trace.wide.lowOf(m.words[at + opAt]) & 0xff;
        const id = m.num(m.words[at + idAt]);
        const set = op === UBLK_CMD.SET_PARAMS || op === UBLK_CMD.START_DEV;
        const index = m.w.deviceById.get(id) ?? (set ? m.deviceOfId(id) : -1);
        const task = m.task(m.trace.task[i]);
        task.ctrlOp = op;
        task.ctrlDevice = index;
        if (index < 0) return;
        control(m, index, op, dataAt < 0 ? 0 : m.num(m.words[at + dataAt]));
      };
    },
  },
  ublk_stop_dev: STOPPING,
  ublk_stop_work_fn: STOPPING,
  ublk_ch_release_work_fn: {
    needs: [],
    bind: (m) => () => {
      if (m.w.devices.length !== 1) return;
      resetSlots(m, 0, false);
      // DEAD, QUIESCED or FAIL_IO now, which one depends on its flags
      if (m.w.devices[0].state === -3) m.device(0).state = -1;
    },
  },
  app_io_submit: {
    needs: ['id', 'line', 'op:s', 'offset', 'length'],
    bind(m, f) {
      const [idAt, lineAt, offAt, lenAt, opAt] = [
        f.num('id'),
        f.num('line'),
        f.num('offset'),
        f.num('length'),
        f.text('op'),
      ];
      return (_, at) => {
        const { words } = m;
        keep(m.w.ios, m.num(words[at + idAt]), {
          line: m.num(words[at + lineAt]),
          op: words[at + opAt],
          offset: m.num(words[at + offAt]),
          length: m.num(words[at + lenAt]),
        });
      };
    },
  },
  app_io_done: {
    needs: ['id'],
    bind(m, f) {
      const idAt = f.num('id');
      return (_, at) => {
        m.w.ios.delete(m.num(m.words[at + idAt]));
      };
    },
  },
  session_command: {
    needs: ['line', 'text:s'],
    bind(m, f) {
      const [lineAt, textAt] = [f.num('line'), f.text('text')];
      return (_, at) => keep(m.w.commands, m.num(m.words[at + lineAt]), m.words[at + textAt]);
    },
  },
  session_command_done: {
    needs: ['line'],
    bind(m, f) {
      const lineAt = f.num('line');
      return (_, at) => {
        m.w.commands.delete(m.num(m.words[at + lineAt]));
      };
    },
  },
  fuse_request_send: {
    needs: ['connection', 'unique', 'opname:s', 'len'],
    bind(m, f) {
      const [connAt, uniqueAt, lenAt, opAt] = [
        f.num('connection'),
        f.num('unique'),
        f.num('len'),
        f.text('opname'),
      ];
      return (_, at) => {
        const { words } = m;
        const unique = m.num(words[at + uniqueAt]);
        keep(m.w.fuse, unique, {
          connection: m.num(words[at + connAt]),
          unique,
          opcode: words[at + opAt],
          len: m.num(words[at + lenAt]),
        });
      };
    },
  },
  fuse_request_end: {
    needs: ['unique'],
    bind(m, f) {
      const uniqueAt = f.num('unique');
      return (_, at) => {
        m.w.fuse.delete(m.num(m.words[at + uniqueAt]));
      };
    },
  },
};

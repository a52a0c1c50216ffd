import { RFC_BUF_SIZE_BITS, RFC_QID_OFF } from '../uapi/ublk_pos';
import type { Machine, Rules } from './state_machine';
import { deviceOfTask } from './state_slot';
import { type Pipe, UNKNOWN } from './state_work';

const DEF_BUFFERS = 16;
const MIN_BUFFERS = 2;

/** The pipe that the task works on, if an event has named it. */
function pipeOfTask(m: Machine, id: number): Pipe | undefined {
  const task = m.w.tasks[id];
  if (task === undefined || task.pipe === UNKNOWN || !m.w.pipes.has(task.pipe)) return undefined;
  return m.pipe(task.pipe);
}

function forgetBuffers(m: Machine, pipe: Pipe): void {
  for (const buffer of pipe.buffers) {
    const page = m.w.pages.get(buffer.page);
    if (page !== undefined && page.pipe === pipe.ptr) m.page(buffer.page).pipe = UNKNOWN;
  }
  pipe.buffers = [];
}

/** Indices as an event printed them; buffers that contradict them are forgotten. */
function setIndices(m: Machine, pipe: Pipe, head: number, tail: number): void {
  pipe.head = head;
  pipe.tail = tail;
  const occupancy = head - tail;
  if (pipe.buffers.length > 0 && pipe.buffers.length > occupancy) forgetBuffers(m, pipe);
  if (occupancy > MIN_BUFFERS && pipe.ringSize === UNKNOWN) pipe.ringSize = DEF_BUFFERS;
}

const indices: Rules[string] = {
  needs: ['head', 'tail'],
  bind(m, f) {
    const [headAt, tailAt, byReadAt] = [f.num('head'), f.num('tail'), f.num('consumed_by_read')];
    return (i, at) => {
      const id = m.trace.task[i];
      const pipe = pipeOfTask(m, id);
      if (!pipe) return;
      m.task(id).added = 0;
      setIndices(m, pipe, m.num(m.words[at + headAt]), m.num(m.words[at + tailAt]));
      if (byReadAt >= 0) pipe.byRead = m.num(m.words[at + byReadAt]);
    };
  },
};

/** Events of the splice path. */
export const PIPE_RULES: Rules = {
  alloc_pipe_info_ret: {
    needs: ['pipe'],
    bind(m, f) {
      const pipeAt = f.num('pipe');
      return (i, at) => {
        const id = m.trace.task[i];
        const ptr = m.words[at + pipeAt] | 0;
        if (ptr === 0) return;
        m.w.pipes.delete(ptr);
        const pipe = m.pipe(ptr);
        pipe.owner = id;
        pipe.head = 0;
        pipe.tail = 0;
        if (m.workerParent(id) >= 0) {
          pipe.byRead = 0;
          m.task(id).pipe = ptr;
        }
      };
    },
  },
  free_pipe_info: {
    needs: ['pipe'],
    bind(m, f) {
      const pipeAt = f.num('pipe');
      return (i, at) => {
        const ptr = m.words[at + pipeAt] | 0;
        if (!m.w.pipes.has(ptr)) return;
        forgetBuffers(m, m.pipe(ptr));
        m.w.pipes.delete(ptr);
        if (m.w.tasks[m.trace.task[i]]?.pipe === ptr) m.task(m.trace.task[i]).pipe = UNKNOWN;
      };
    },
  },
  ublk_splice_read: {
    needs: ['pos', 'pipe', 'head', 'tail'],
    bind(m, f) {
      const [posAt, pipeAt, headAt, tailAt, byReadAt] = [
        'pos',
        'pipe',
        'head',
        'tail',
        'consumed_by_read',
      ].map((name) => f.num(name));
      return (i, at) => {
        const { words } = m;
        const id = m.trace.task[i];
        const task = m.task(id);
        const pipe = m.pipe(words[at + pipeAt] | 0);
        task.pipe = pipe.ptr;
        task.added = 0;
        pipe.owner = id;
        setIndices(m, pipe, m.num(words[at + headAt]), m.num(words[at + tailAt]));
        if (byReadAt >= 0) pipe.byRead = m.num(words[at + byReadAt]);
        const lo = m.trace.wide.lowOf(words[at + posAt]);
        const hi = m.trace.wide.highOf(words[at + posAt]);
        task.spliceDevice = deviceOfTask(m, id, task);
        task.spliceQueue = hi >>> (RFC_QID_OFF - 32);
        task.spliceTag = ((hi << (32 - RFC_BUF_SIZE_BITS)) | (lo >>> RFC_BUF_SIZE_BITS)) & 0xfff;
        task.spliceOffset = lo & (2 ** RFC_BUF_SIZE_BITS - 1);
        if (hi >>> 31 === 1) task.spliceTag = -1;
      };
    },
  },
  ublk_splice_read_ret: {
    needs: ['ret'],
    bind(m, f) {
      const retAt = f.num('ret');
      return (i, at) => {
        const pipe = pipeOfTask(m, m.trace.task[i]);
        if (pipe) m.task(m.trace.task[i]).added = 0;
        if (pipe && pipe.byRead !== UNKNOWN && m.num(m.words[at + retAt]) < 0) pipe.byRead = 0;
      };
    },
  },
  do_splice_to: indices,
  generic_file_splice_read: indices,
  iter_file_splice_write: indices,
  actor_read_consumer: {
    needs: ['consumed_by_read'],
    bind(m, f) {
      const byReadAt = f.num('consumed_by_read');
      return (i, at) => {
        const pipe = pipeOfTask(m, m.trace.task[i]);
        if (pipe) pipe.byRead = m.num(m.words[at + byReadAt]);
      };
    },
  },
  generic_file_splice_read_ret: {
    needs: [],
    bind: (m) => (i) => {
      const pipe = pipeOfTask(m, m.trace.task[i]);
      if (pipe) pipe.byRead = 0;
    },
  },
  add_to_pipe: {
    needs: ['head', 'tail', 'page', 'offset', 'len'],
    bind(m, f) {
      const [headAt, tailAt, pageAt, offAt, lenAt, refsAt] = [
        'head',
        'tail',
        'page',
        'offset',
        'len',
        'page_refs',
      ].map((name) => f.num(name));
      return (i, at) => {
        const { words } = m;
        const id = m.trace.task[i];
        const pipe = pipeOfTask(m, id);
        if (!pipe) return;
        const task = m.task(id);
        const head = m.num(words[at + headAt]);
        const tail = m.num(words[at + tailAt]);
        task.added = 0;
        setIndices(m, pipe, head, tail);
        // a full pipe refuses the buffer and releases it
        if (head - tail >= (pipe.ringSize === UNKNOWN ? DEF_BUFFERS : pipe.ringSize)) return;
        const ptr = words[at + pageAt] | 0;
        const len = m.num(words[at + lenAt]);
        pipe.buffers.push({ page: ptr, offset: m.num(words[at + offAt]), len });
        setIndices(m, pipe, head + 1, tail);
        task.added = ptr;
        const page = m.page(ptr);
        page.refs = refsAt < 0 ? UNKNOWN : m.num(words[at + refsAt]);
        page.pipe = pipe.ptr;
        page.slot = head;
        page.len = len;
        page.offset = UNKNOWN;
        if (task.spliceTag < 0) return;
        page.device = task.spliceDevice;
        page.qid = task.spliceQueue;
        page.tag = task.spliceTag;
        page.offset = task.spliceOffset;
        page.fill = -1;
        task.spliceOffset += len;
        const slot = m.slot(page.device, page.qid, page.tag);
        if (slot) slot.pages = true;
      };
    },
  },
  ublk_pipe_buf_release: {
    needs: ['page'],
    bind(m, f) {
      const [pageAt, refsAt] = [f.num('page'), f.num('page_refs')];
      return (i, at) => {
        const id = m.trace.task[i];
        const pipe = pipeOfTask(m, id);
        if (!pipe) return;
        const ptr = m.words[at + pageAt] | 0;
        const task = m.task(id);
        const refused = task.added !== 0 && task.added === ptr;
        task.added = 0;
        const k = refused ? pipe.buffers.length - 1 : pipe.buffers.findIndex((buffer) => buffer.page === ptr);
        if (m.w.pages.has(ptr)) {
          const page = m.page(ptr);
          if (refsAt >= 0) page.refs = m.num(m.words[at + refsAt]);
          if (k >= 0) page.pipe = UNKNOWN;
        }
        if (k < 0) return;
        pipe.buffers.splice(k, 1);
        if (!refused) {
          if (pipe.tail < pipe.head) pipe.tail++;
          return;
        }
        pipe.head--;
        if (pipe.ringSize === UNKNOWN && pipe.head - pipe.tail === MIN_BUFFERS) pipe.ringSize = MIN_BUFFERS;
      };
    },
  },
  splice_dismiss_pipe: {
    needs: ['bytes', 'head', 'tail'],
    bind(m, f) {
      const toIndices = indices.bind(m, f);
      const bytesAt = f.num('bytes');
      return (i, at) => {
        toIndices(i, at);
        const pipe = pipeOfTask(m, m.trace.task[i]);
        if (!pipe) return;
        let left = m.num(m.words[at + bytesAt]);
        for (let k = 0; k < pipe.buffers.length && left > 0; k++) {
          const buffer = pipe.buffers[k];
          const used = Math.min(left, buffer.len);
          left -= used;
          // whole buffers are released by the events that follow; the rest of one stays
          if (used < buffer.len)
            pipe.buffers[k] = { page: buffer.page, offset: buffer.offset + used, len: buffer.len - used };
        }
      };
    },
  },
  splice_direct_to_actor_ret: {
    needs: ['ret'],
    bind(m, f) {
      const retAt = f.num('ret');
      return (i, at) => {
        const { totals } = m.w;
        totals.splices++;
        totals.splicedBytes += Math.max(0, m.num(m.words[at + retAt]));
        const pipe = pipeOfTask(m, m.trace.task[i]);
        if (!pipe) return;
        forgetBuffers(m, pipe);
        pipe.head = 0;
        pipe.tail = 0;
      };
    },
  },
};

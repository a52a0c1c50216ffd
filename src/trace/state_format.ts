import { timeText } from './print';
import type { MachineState, SlotState } from './state_types';

const WIDTH = 100;

/** The state as plain tables, at most 100 columns wide; `?` is what the trace does not say. */
export function formatState(state: MachineState): string {
  const when = state.time === null ? '' : `, ${timeText(state.time, 9)} s`;
  const { totals } = state;
  const parts = [
    `State after event ${state.event}${when}`,
    `  SQEs ${totals.sqes}, CQEs ${totals.cqes}, io-wq punts ${totals.punts}, driver copies ${totals.copies}` +
      ` (${show(totals.copiedBytes)} bytes), splices ${totals.splices} (${totals.splicedBytes} bytes)`,
    section(
      'Devices',
      ['dev', 'state', 'queues', 'depth', 'flags', 'disk', 'armed', 'in flight', 'tags'],
      state.devices.map((d) => [
        `ublk${show(d.id)}`,
        d.state,
        d.queues,
        d.depth,
        d.flags,
        d.disk,
        d.armed,
        d.inFlight,
        d.tagsInUse,
      ]),
    ),
    section(
      'Slots',
      ['slot', 'state', 'command', 'user_data', 'request', 'result', 'handled', 'filled'],
      state.slots.map((s) => [
        slotName(s),
        s.state === null ? null : s.state + (s.inferred ? ' (inferred)' : ''),
        s.command.op,
        s.command.userData,
        s.request,
        s.result,
        s.handled,
        s.filled,
      ]),
    ),
    section(
      'Descriptors',
      ['slot', 'op', 'flags', 'start_sector', 'nr_sectors', 'addr'],
      state.slots
        .filter((s) => s.iod.startSector !== null || s.iod.addr !== null)
        .map((s) => [slotName(s), s.iod.op, s.iod.flags, s.iod.startSector, s.iod.nrSectors, s.iod.addr]),
    ),
    section(
      'Rings',
      [
        'ring',
        'fd',
        'owner',
        'SQ head',
        'tail',
        'new',
        'size',
        'CQ head',
        'tail',
        'ready',
        'size',
        'over',
        'waits',
      ],
      state.rings.map((r) => [
        r.id,
        r.fd,
        r.owner,
        r.sq.head,
        r.sq.tail,
        r.sq.pending,
        r.sq.entries,
        r.cq.head,
        r.cq.tail,
        r.cq.ready,
        r.cq.entries,
        r.cq.overflow,
        r.waiting,
      ]),
    ),
    section(
      'SQEs filled',
      ['ring', 'index', 'user_data', 'bytes'],
      state.rings.flatMap((r) => r.sq.sqes.map((sqe) => [r.id, sqe.index, sqe.userData, sqe.bytes])),
    ),
    section(
      'CQEs ready',
      ['ring', 'user_data', 'res', 'flags'],
      state.rings.flatMap((r) =>
        r.cq.ready === null
          ? []
          : newest(r.cq.cqes, r.cq.ready + (r.cq.overflow ?? 0)).map((c) => [
              r.id,
              c.userData,
              c.res,
              c.flags,
            ]),
      ),
    ),
    section(
      'Requests in flight',
      ['ring', 'req', 'user_data', 'opcode', 'state', 'since', 'linked after'],
      state.requests.map((r) => [
        r.ring,
        r.req,
        r.userData,
        r.opcode,
        r.state + (r.queue === null ? '' : ` (${r.queue})`),
        r.since,
        r.link ?? '',
      ]),
    ),
    section(
      'Pipes',
      ['pipe', 'owner', 'size', 'head', 'tail', 'used', 'consumed_by_read'],
      state.pipes.map((p) => [p.id, p.owner, p.ringSize, p.head, p.tail, p.occupancy, p.consumedByRead]),
    ),
    section(
      'Pipe buffers',
      ['pipe', 'page', 'offset', 'len'],
      state.pipes.flatMap((p) => p.buffers.map((b) => [p.id, b.page, b.offset, b.len])),
    ),
    section(
      'Pages',
      ['page', 'refs', 'pipe', 'slot', 'queue:tag', 'at byte', 'filled from'],
      state.pages.map((p) => [
        p.ptr,
        p.refs,
        p.pipe ?? '-',
        p.slot ?? '-',
        p.tag === null ? null : `${show(p.queue)}:${p.tag}`,
        p.requestOffset,
        p.fill,
      ]),
    ),
    section(
      'Block queues',
      ['disk', 'ublk', 'allocated', 'inserted', 'in flight', 'requeued', 'done', 'bytes read', 'written'],
      state.disks.map((d) => [
        `${d.major}:${d.minor}`,
        d.device ?? '-',
        d.allocated,
        d.inserted,
        d.inFlight.length,
        d.requeued,
        d.completed,
        d.bytesRead,
        d.bytesWritten,
      ]),
    ),
    section(
      'Tasks',
      ['task', 'in', 'ring', 'waits', 'plug', 'runs request', 'pipe'],
      state.tasks
        .filter((t) => t.syscall !== null || t.request !== null || (t.plug ?? 0) > 0 || t.pipe !== null)
        .map((t) => [
          `${t.comm}-${t.pid}`,
          t.syscall ?? '-',
          t.ring ?? '-',
          t.waiting,
          t.plug ?? '-',
          t.request === null ? '-' : t.request + (t.requestInferred ? ' (inferred)' : ''),
          t.pipe ?? '-',
        ]),
    ),
    section(
      'Client I/O',
      ['id', 'line', 'op', 'offset', 'length'],
      state.ios.map((io) => [io.id, io.line, io.op, io.offset, io.length]),
    ),
    section(
      'Commands',
      ['line', 'text'],
      state.commands.map((c) => [c.line, c.text]),
    ),
    section(
      'FUSE requests',
      ['connection', 'unique', 'opcode', 'len'],
      state.fuse.map((f) => [f.connection, f.unique, f.opcode, f.len]),
    ),
  ];
  return `${parts.filter((part) => part !== '').join('\n')}\n`;
}

function newest<T>(list: readonly T[], count: number): readonly T[] {
  return list.slice(Math.max(0, list.length - count));
}

type Cell = string | number | boolean | null;

function show(value: Cell): string {
  if (value === null) return '?';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return String(value);
}

function slotName(slot: SlotState): string {
  return `${slot.device === 0 ? '' : `${slot.device}@`}${slot.queue}:${slot.tag}`;
}

/** A headed table, or nothing without rows. Numbers stand at the right; a row that is too wide loses the end of its last column. */
function section(title: string, head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  if (rows.length === 0) return '';
  const cells = rows.map((row) => row.map(show));
  const widths = head.map((name, k) => Math.max(name.length, ...cells.map((row) => row[k].length)));
  const right = head.map((_, k) => rows.every((row) => row[k] === null || typeof row[k] === 'number'));
  const line = (row: readonly string[]): string => {
    const text = row
      .map((cell, k) => (right[k] ? cell.padStart(widths[k]) : cell.padEnd(widths[k])))
      .join('  ')
      .trimEnd();
    return text.length + 2 > WIDTH ? `  ${text.slice(0, WIDTH - 5)}...` : `  ${text}`;
  };
  return [`\n${title}`, line(head), ...cells.map(line)].join('\n');
}

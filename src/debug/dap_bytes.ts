import { fromHex, toHex } from '../uapi/bytes';
import { makeCqe, encodeCqe } from '../uapi/cqe';
import { describeSqeBytes } from '../uapi/io_uring';
import { describeStruct, type ByteField } from '../uapi/layout';
import { encodeIoDesc, IO_DESC_LAYOUT } from '../uapi/ublk_structs';
import type { SlotState } from '../trace/state';
import type { Trace } from '../trace/trace';
import type { VariableNode } from './dap_nodes';
import type { OpenTrace } from './model';

const OPS: Readonly<Record<string, number>> = {
  READ: 0,
  WRITE: 1,
  FLUSH: 2,
  DISCARD: 3,
  WRITE_SAME: 4,
  WRITE_ZEROES: 5,
};

/** The SQE that user space filled at an io_uring_get_sqe; undefined where the trace has no bytes. */
export function sqeBytes(trace: Trace, event: number): Uint8Array<ArrayBuffer> | undefined {
  const text = trace.str(event, 'bytes');
  if (text === undefined || !/^([0-9a-f]{2})*$/i.test(text)) return undefined;
  const given = fromHex(text);
  // trailing zeros are not printed
  const bytes = new Uint8Array(given.length > 64 ? 128 : 64);
  bytes.set(given.subarray(0, bytes.length));
  return bytes;
}

/** The 16 bytes of the CQE that an io_uring_complete filled. */
export function cqeBytes(trace: Trace, event: number): Uint8Array<ArrayBuffer> | undefined {
  const data = trace.big(event, 'user_data');
  const result = trace.num(event, 'result');
  if (data === undefined || result === undefined) return undefined;
  const bytes = new Uint8Array(16);
  const cqe = makeCqe(data, result | 0, (trace.num(event, 'cflags') ?? 0) >>> 0);
  encodeCqe(new DataView(bytes.buffer), 0, cqe);
  return bytes;
}

/** The 24 bytes of a descriptor as the server reads them; undefined while a part of it is unknown. */
export function descriptorBytes(slot: SlotState): Uint8Array<ArrayBuffer> | undefined {
  const { op, flags, startSector, nrSectors, addr } = slot.iod;
  const code = op === null ? undefined : OPS[op];
  if (code === undefined || startSector === null || nrSectors === null) return undefined;
  const bytes = new Uint8Array(24);
  encodeIoDesc(new DataView(bytes.buffer), 0, {
    opFlags: code | ((Number(flags ?? 0) << 8) >>> 0),
    nrSectors,
    startSector: BigInt(startSector),
    addr: BigInt.asUintN(64, BigInt(addr ?? 0)),
  });
  return bytes;
}

/** Bytes behind a memory reference: `sqe:EVENT`, `cqe:EVENT`, `iod:EVENT:DEVICE:QUEUE:TAG`. */
export function memoryAt(open: OpenTrace, reference: string): Uint8Array<ArrayBuffer> | undefined {
  const [kind, ...rest] = reference.split(':');
  const [event, device, queue, tag] = rest.map(Number);
  if (!Number.isInteger(event) || event < 0 || event >= open.length) return undefined;
  switch (kind) {
    case 'sqe':
      return sqeBytes(open.trace, event);
    case 'cqe':
      return cqeBytes(open.trace, event);
    case 'iod': {
      const slot = open.states
        .at(event)
        .slots.find((s) => s.device === device && s.queue === queue && s.tag === tag);
      return slot && descriptorBytes(slot);
    }
    default:
      return undefined;
  }
}

/** A node `bytes` whose children are the fields with offset, hexadecimal and name. */
export function bytesNode(
  kind: 'sqe' | 'cqe' | 'iod',
  memory: string,
  bytes: Uint8Array | undefined,
): VariableNode {
  if (bytes === undefined)
    return { name: 'bytes', value: 'not in the trace', hint: { attributes: ['readOnly'] } };
  return {
    name: 'bytes',
    value: `${bytes.length} bytes`,
    memory,
    children: () =>
      fieldsOf(kind, bytes).map(({ name, offset, size, hex, value }) => ({
        name: `${String(offset).padStart(3, '0')} ${name}`,
        value: value === '' ? spaced(hex) : `${value}  [${spaced(hex)}]`,
        type: `${size} ${size === 1 ? 'byte' : 'bytes'} at ${offset}`,
      })),
  };
}

function fieldsOf(kind: 'sqe' | 'cqe' | 'iod', bytes: Uint8Array): ByteField[] {
  if (kind === 'sqe') return describeSqeBytes(bytes);
  if (kind === 'iod') return describeStruct(IO_DESC_LAYOUT, bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const field = (name: string, offset: number, size: number, value: string): ByteField => ({
    name,
    offset,
    size,
    hex: toHex(bytes.subarray(offset, offset + size)),
    value,
  });
  return [
    field('user_data', 0, 8, `0x${view.getBigUint64(0, true).toString(16)}`),
    field('res', 8, 4, String(view.getInt32(8, true))),
    field('flags', 12, 4, `0x${view.getUint32(12, true).toString(16)}`),
  ];
}

function spaced(hex: string): string {
  return hex.replace(/(..)(?=.)/g, '$1 ');
}

/** Bytes in base64, as readMemory sends them. */
export function base64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

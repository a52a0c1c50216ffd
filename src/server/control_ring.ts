import { IORING_SETUP } from '../uapi/io_uring_abi';
import { IORING_OP } from '../uapi/io_uring_ops';
import { UBLK_NO_QUEUE_ID } from '../uapi/ublk_abi';
import { encodeUblkCmd } from '../uapi/ublk_cmds';
import { encodeParams, type UblkParams } from '../uapi/ublk_params';
import { decodeDevInfo, type DevInfo, encodeCtrlCmd, encodeDevInfo } from '../uapi/ublk_structs';
import type { Machine } from '../kernel/machine';
import type { Buffer } from '../kernel/memory';
import type { IoTask } from '../kernel/request';
import type { Gen } from '../kernel/sched';
import { UserRing } from './ring_user';

const RING_FLAGS = IORING_SETUP.SQE128 | IORING_SETUP.CQSIZE;
const CONTROL_FD = 3;
const RING_FD = 4;
const CTRL_RING_ENTRIES = 32;

/** A dev_info buffer before the driver has filled it. */
export const EMPTY_INFO: DevInfo = {
  nrHwQueues: 0,
  queueDepth: 0,
  state: 0,
  ioDescSize: 0,
  maxIoBufBytes: 0,
  devId: 0,
  ublksrvPid: 0,
  flags: 0n,
  ublksrvFlags: 0n,
  ownerUid: 0,
  ownerGid: 0,
};

interface CommandFields {
  readonly devId: number;
  readonly addr?: number;
  readonly len?: number;
  readonly data0?: number;
}

/** The ring of the ublk tool on /dev/ublk-control: one command at a time. */
export class ControlRing {
  private constructor(
    private readonly machine: Machine,
    private readonly ring: UserRing,
  ) {}

  static *open(machine: Machine, task: IoTask, facts: boolean): Gen<ControlRing> {
    machine.uring.install(task.tgid, CONTROL_FD, machine.ublk.controlFile);
    const ring = yield* machine.uring.setup(task, CTRL_RING_ENTRIES, CTRL_RING_ENTRIES, RING_FLAGS, RING_FD);
    return new ControlRing(machine, new UserRing(machine.kernel, machine.uring, task, ring, facts));
  }

  /** Sends a command and waits for its result; `encoded` uses the ioctl-style number. */
  *command(nr: number, fields: CommandFields, encoded = false): Gen<number> {
    const cmdArea = this.ring.sqeBase + this.ring.nextOffset + 48;
    this.ring.push(
      {
        opcode: IORING_OP.URING_CMD,
        flags: 0,
        fd: CONTROL_FD,
        cmdOp: encoded ? encodeUblkCmd(nr) : nr,
        udLo: cmdArea >>> 0,
        udHi: Math.floor(cmdArea / 0x100000000),
      },
      (view, at) =>
        encodeCtrlCmd(view, at, {
          devId: fields.devId,
          queueId: UBLK_NO_QUEUE_ID,
          len: fields.len ?? 0,
          addr: BigInt(fields.addr ?? 0),
          data0: BigInt(fields.data0 ?? 0),
          devPathLen: 0,
          pad: 0,
          reserved: 0,
        }),
    );
    yield* this.ring.submit();
    yield* this.ring.waitOne();
    let result = 0;
    this.ring.reap((_lo, _hi, res) => {
      result = res;
    });
    return result;
  }

  infoBuffer(info: DevInfo): Buffer {
    const { memory } = this.machine.kernel;
    const buffer = memory.alloc(64);
    const bytes = memory.touch(buffer, 0, 64);
    encodeDevInfo(new DataView(bytes.buffer, bytes.byteOffset, 64), 0, info);
    return buffer;
  }

  readInfo(buffer: Buffer): DevInfo {
    const bytes = this.machine.kernel.memory.touch(buffer, 0, 64);
    return decodeDevInfo(new DataView(bytes.buffer, bytes.byteOffset, 64), 0);
  }

  paramsBuffer(params: UblkParams): Buffer {
    const { memory } = this.machine.kernel;
    const buffer = memory.alloc(64);
    const bytes = memory.touch(buffer, 0, 64);
    encodeParams(new DataView(bytes.buffer, bytes.byteOffset, 64), 0, params, 64);
    return buffer;
  }
}

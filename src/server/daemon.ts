import { UBLK_F } from '../uapi/ublk_abi';
import type { Machine } from '../kernel/machine';
import type { OpenFile } from '../kernel/open_file';
import type { IoTask } from '../kernel/request';
import type { Gen } from '../kernel/sched';
import type { UblkDevice } from '../kernel/ublk_drv';
import { Qcow2Refused } from './qcow2/format';
import { DATA_FD, META_FD } from './qcow2/meta';
import { openImage } from './qcow2/open';
import type { Qcow2Image } from './qcow2/target';
import type { ServerFaults } from './server_faults';
import { BACKING_FD, UBLKC_FD, UblksrvQueue } from './ublksrv';

/** Gap between two looks of `ublk add` at the daemon's pid file. */
const PID_FILE_POLL = 100_000_000;
const PID_FILE_LOOKS = 30;
/** Descriptor of /dev/ublkcN in a qcow2 daemon. */
const QCOW2_UBLKC_FD = 5;

/** What `ublk add` was told. */
export interface AddOptions {
  readonly version: 'ublksrv-2022-11' | 'ublksrv-1.2';
  readonly target: 'null' | 'loop' | 'qcow2';
  readonly id: number;
  readonly queues: number;
  readonly depth: number;
  readonly maxIoBufBytes: number;
  /** UBLK_F_* asked for. */
  readonly flags: number;
  readonly splice: boolean;
  readonly backing: OpenFile | undefined;
  readonly direct: boolean;
  /** st_blksize of the backing file, bytes. */
  readonly blockSize: number;
  readonly faults: ServerFaults;
  readonly facts: boolean;
  /** qcow2: see the setting `qcow2-link`. */
  readonly linkAsShipped: boolean;
  /** Gets a line of the server's log. */
  readonly log: (text: string) => void;
}

/** A running ublksrv daemon. */
export interface Daemon {
  readonly device: UblkDevice;
  readonly main: IoTask;
  readonly threads: IoTask[];
  readonly options: AddOptions;
  alive: boolean;
  /** Its queue threads have been started. */
  started: boolean;
  /** Tables of the qcow2 image. */
  image: Qcow2Image | undefined;
}

/** fork, setsid, fork: the daemon of a device, with a thread for each queue. */
export function startDaemon(machine: Machine, device: UblkDevice, options: AddOptions): Daemon {
  const { kernel } = machine;
  kernel.skipPid();
  const main = kernel.newTask('ublk');
  const daemon: Daemon = {
    device,
    main,
    threads: [],
    options,
    alive: true,
    started: false,
    image: undefined,
  };
  device.opened = true;
  const qcow2 = options.target === 'qcow2';
  // the qcow2 target opens its image twice, so the descriptors of the others move
  machine.uring.install(main.tgid, qcow2 ? QCOW2_UBLKC_FD : UBLKC_FD, device.charFile);
  if (qcow2 && options.backing) {
    machine.uring.install(main.tgid, DATA_FD, options.backing);
    machine.uring.install(main.tgid, META_FD, options.backing);
  } else if (options.backing) machine.uring.install(main.tgid, BACKING_FD, options.backing);
  for (let q = 0; q < device.info.queues; q++) {
    daemon.threads.push(kernel.newTask('ublk', main.tgid, (main.cpu + q) % kernel.cpus));
  }
  if (qcow2) kernel.sched.start(main, initQcow2(machine, daemon), kernel.costs.exec);
  else startQueues(machine, daemon);
  return daemon;
}

/** The main thread of a qcow2 daemon: reads the tables of its image, then starts the queue. It ends when the image is refused. */
function* initQcow2(machine: Machine, daemon: Daemon): Gen<void> {
  const { backing, log } = daemon.options;
  try {
    if (daemon.threads.length > 1) throw new Qcow2Refused('more than one queue');
    if (!backing?.file) throw new Qcow2Refused('no image');
    daemon.image = yield* openImage(machine.kernel, daemon.main, backing.file);
  } catch (error) {
    if (!(error instanceof Qcow2Refused)) throw error;
    log(`ublksrv: ${backing?.file?.path ?? ''}: ${error.message}`);
    daemon.alive = false;
    machine.kernel.processExit(daemon.main);
    machine.ublk.release(daemon.device);
    return;
  }
  startQueues(machine, daemon);
}

function startQueues(machine: Machine, daemon: Daemon): void {
  const { kernel } = machine;
  const { device, options, main, threads } = daemon;
  daemon.started = true;
  let left = threads.length;
  for (const [q, thread] of threads.entries()) {
    const queue = new UblksrvQueue(
      machine,
      thread,
      device,
      q,
      {
        version: options.version,
        target: options.target,
        image: daemon.image,
        linkAsShipped: options.linkAsShipped,
        splice: options.splice,
        needGetData: (device.info.flags & UBLK_F.NEED_GET_DATA) !== 0,
        backing: options.backing,
        faults: options.faults,
        facts: options.facts,
        log: options.log,
      },
      () => {
        kernel.processExit(thread);
        if (--left > 0) return;
        kernel.processExit(main);
        daemon.alive = false;
        const before = { ...kernel.rec.stamp };
        kernel.sched.stampAs(main);
        machine.ublk.release(device);
        Object.assign(kernel.rec.stamp, before);
      },
    );
    kernel.sched.start(thread, queue.run(), kernel.costs.exec);
  }
}

/** Looks for the pid file, which the daemon writes when its queues are set up; the tool goes on without it after 3 s. */
export function* pidFile(daemon: Daemon): Gen<void> {
  const ready = (): boolean => daemon.started && daemon.threads.every((thread) => thread.state === 'parked');
  for (let i = 0; i < PID_FILE_LOOKS && !ready(); i++) yield PID_FILE_POLL;
}

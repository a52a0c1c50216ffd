import { describe, expect, it } from 'vitest';
import type { Machine } from '../../src/kernel/machine';
import type { Gen } from '../../src/kernel/sched';
import { ControlRing, EMPTY_INFO } from '../../src/server/control_ring';
import { UBLK_CMD } from '../../src/uapi/ublk_cmds';
import { machine, runTasks } from '../kernel/support';

/** Sends control commands one after the other; gives their results. */
function control(m: Machine, send: (ring: ControlRing) => Gen<void>): void {
  runTasks(m.kernel, function* (task): Gen<void> {
    yield* send(yield* ControlRing.open(m, task, true));
  });
}

describe('the control device', () => {
  it('refuses what comes out of order or makes no sense', () => {
    const m = machine();
    const results: Record<string, number> = {};
    control(m, function* (ring): Gen<void> {
      const info = { ...EMPTY_INFO, nrHwQueues: 1, queueDepth: 4, maxIoBufBytes: 65536 };
      const good = ring.infoBuffer(info);
      const add = function* (fields: Partial<typeof info>, id = 0): Gen<number> {
        return yield* ring.command(UBLK_CMD.ADD_DEV, {
          devId: id,
          addr: ring.infoBuffer({ ...info, ...fields }).addr,
          len: 64,
        });
      };
      results.noDevice = yield* ring.command(UBLK_CMD.START_DEV, { devId: 0, data0: 1 });
      results.depth0 = yield* add({ queueDepth: 0 });
      results.depthBig = yield* add({ queueDepth: 5000 });
      results.noQueues = yield* add({ nrHwQueues: 0 });
      results.shortInfo = yield* ring.command(UBLK_CMD.ADD_DEV, { devId: 0, addr: good.addr, len: 8 });
      results.badAddress = yield* ring.command(UBLK_CMD.ADD_DEV, { devId: 0, addr: 4096, len: 64 });
      results.add = yield* add({});
      results.again = yield* add({});
      results.startFirst = yield* ring.command(UBLK_CMD.START_DEV, { devId: 0, data0: 99 });
      results.noPid = yield* ring.command(UBLK_CMD.START_DEV, { devId: 0, data0: 0 });
      results.noParams = yield* ring.command(UBLK_CMD.GET_PARAMS, { devId: 0, addr: good.addr, len: 64 });
      results.recovery = yield* ring.command(UBLK_CMD.START_USER_RECOVERY, { devId: 0 });
      results.features = yield* ring.command(UBLK_CMD.GET_FEATURES, { devId: 0, addr: good.addr, len: 8 });
      results.stop = yield* ring.command(UBLK_CMD.STOP_DEV, { devId: 0 });
      results.del = yield* ring.command(UBLK_CMD.DEL_DEV, { devId: 0 });
      results.gone = yield* ring.command(UBLK_CMD.STOP_DEV, { devId: 0 });
    });
    expect(results).toEqual({
      noDevice: -19,
      depth0: -22,
      depthBig: -22,
      noQueues: -22,
      shortInfo: -22,
      badAddress: -22,
      add: 0,
      again: -17,
      startFirst: -22,
      noPid: -22,
      noParams: -22,
      recovery: -22,
      features: -95,
      stop: 0,
      del: 0,
      gone: -19,
    });
    expect(m.ublk.ids()).toEqual([]);
  });
});

import type { FaultEffect, FaultPlan, FaultSite } from '../kernel/faults';
import type { Fault } from '../session/ast';
import type { ServerFaults } from './server_faults';

/** The faults of a session, matched and used up as the run meets them. */
export class SessionFaults {
  private readonly states: { fault: Fault; armed: boolean; seen: number; struck: number }[];

  constructor(faults: readonly Fault[]) {
    this.states = faults.map((fault) => ({ fault, armed: false, seen: 0, struck: 0 }));
  }

  /** Faults whose line the script has passed may strike from now on. */
  arm(index: number): void {
    for (const state of this.states) if (state.fault.armedAt <= index) state.armed = true;
  }

  unused(): Fault[] {
    return this.states.filter((state) => state.struck === 0).map((state) => state.fault);
  }

  readonly plan: FaultPlan = (site) => this.strike(site)?.effect;

  readonly server: ServerFaults = {
    mistake: (queue, tag, offset, length) => {
      const fault = this.strike({ kind: 'server', queue, tag, offset, length });
      return fault?.effect.mistake;
    },
    commit: (queue, tag, offset, length, result) => {
      const effect: FaultEffect = this.strike({ kind: 'commit', queue, tag, offset, length })?.effect ?? {};
      return { result: effect.error ?? effect.short ?? result, delayNs: effect.delayNs ?? 0 };
    },
  };

  private strike(site: FaultSite): Fault | undefined {
    for (const state of this.states) {
      const { fault } = state;
      if (!state.armed || fault.kind !== site.kind || !matches(fault, site)) continue;
      state.seen++;
      if (fault.nth !== undefined ? state.seen !== fault.nth : state.struck >= fault.count) continue;
      state.struck++;
      return fault;
    }
    return undefined;
  }
}

function matches(fault: Fault, site: FaultSite): boolean {
  if (fault.queue !== undefined && site.queue !== undefined && fault.queue !== site.queue) return false;
  if (fault.tag !== undefined && fault.tag !== site.tag) return false;
  if (fault.op !== undefined && fault.op !== site.op) return false;
  if (fault.offset !== undefined && site.offset !== undefined) {
    const end = fault.offset + (fault.length ?? 1);
    if (site.offset >= end || site.offset + Math.max(site.length ?? 0, 1) <= fault.offset) return false;
  }
  return true;
}

import { diffState, type Leaf, type MachineState, type SlotState, slotId } from '../trace/state';
import { bytesNode, descriptorBytes } from './dap_bytes';
import type { VariableNode } from './dap_nodes';

/** What an event changed, by path: the value before it. */
type Changes = ReadonlyMap<string, Leaf | undefined>;

/** The state after an event as nodes, with what that event changed marked. Names and order are the same at every event. */
export class StateNodes {
  private readonly changes: Changes;

  constructor(
    private readonly state: MachineState,
    before: MachineState | undefined,
  ) {
    this.changes = new Map(
      before === undefined ? [] : diffState(before, state).map((c) => [c.path, c.before]),
    );
  }

  /** Rings with their SQ, CQ and requests in flight. */
  rings(): VariableNode[] {
    return this.state.rings.map((ring) => {
      const requests = this.state.requests.filter((req) => req.ring === ring.id);
      const { sq, cq } = ring;
      const node = this.entity(
        `ring ${ring.id}`,
        `SQ ${show(sq.pending)}/${show(sq.entries)}, CQ ${show(cq.ready)}/${show(cq.entries)}, in flight ${ring.inFlight}`,
        `ring:${ring.id}`,
        ring,
      );
      return {
        ...node,
        children: () => [
          ...(node.children?.() ?? []),
          {
            name: 'requests',
            value: `${requests.length}`,
            items: requests.length,
            children: () =>
              requests.map((req) =>
                this.entity(
                  `req ${req.req}`,
                  `${show(req.opcode)} ${req.state}`,
                  `req:${req.ring}:${req.req}`,
                  req,
                ),
              ),
          },
        ],
      };
    });
  }

  /** Slots of all devices; devices first. */
  slots(): VariableNode[] {
    return [
      ...this.state.devices.map((device) =>
        this.entity(
          `device ${device.index}`,
          `ublk${show(device.id)} ${show(device.state)}, armed ${device.armed}, in flight ${device.inFlight}`,
          `device:${device.index}`,
          device,
        ),
      ),
      ...this.state.slots.map((slot) => {
        const { iod, ...rest } = slot;
        return this.entity(
          slotName(slot),
          `${show(slot.state)}, request ${show(slot.request)}`,
          slotId(slot),
          rest,
        );
      }),
    ];
  }

  /** Descriptors as the server reads them. */
  descriptors(event: number): VariableNode[] {
    return this.state.slots.map((slot) => {
      const { iod } = slot;
      const id = slotId(slot);
      const value =
        iod.startSector === null ? '?' : `${show(iod.op)} sector ${iod.startSector} + ${show(iod.nrSectors)}`;
      const memory = `iod:${event}:${slot.device}:${slot.queue}:${slot.tag}`;
      const node = this.entity(slotName(slot), value, id, iod, 'iod.');
      return {
        ...node,
        memory,
        children: () => [...(node.children?.() ?? []), bytesNode('iod', memory, descriptorBytes(slot))],
      };
    });
  }

  /** Pipes, with their buffers. */
  pipes(): VariableNode[] {
    return this.state.pipes.map((pipe) =>
      this.entity(
        `pipe ${pipe.id}`,
        `${show(pipe.occupancy)}/${show(pipe.ringSize)} buffers, owner ${show(pipe.owner)}`,
        `pipe:${pipe.id}`,
        pipe,
      ),
    );
  }

  /** Pages of requests that were seen in a pipe. */
  pages(): VariableNode[] {
    return this.state.pages.map((page) =>
      this.entity(
        `page ${page.ptr}`,
        `refs ${show(page.refs)}, q${show(page.queue)} tag ${show(page.tag)} + ${show(page.requestOffset)}`,
        `page:${page.ptr}`,
        page,
      ),
    );
  }

  /** Disks: those below or beside the ublk devices first. */
  disks(): VariableNode[] {
    const disks = [...this.state.disks].sort((a, b) => Number(a.device !== null) - Number(b.device !== null));
    return disks.map((disk) =>
      this.entity(
        `disk ${disk.major},${disk.minor}`,
        `${disk.device === null ? '' : `device ${disk.device}, `}in flight ${disk.inFlight.length}, completed ${disk.completed}`,
        `disk:${disk.major},${disk.minor}`,
        disk,
      ),
    );
  }

  private entity(name: string, value: string, id: string, of: object, prefix = ''): VariableNode {
    const path = `${id}:${prefix}`;
    return {
      name,
      value: this.changedBelow(path) ? `${value} · changed` : value,
      children: () => this.fields(path, of),
    };
  }

  private fields(prefix: string, of: object): VariableNode[] {
    return Object.entries(of).map(([name, value]): VariableNode => {
      const path = prefix + name;
      if (Array.isArray(value)) {
        return {
          name,
          value: this.marked(`${value.length}`, `${path}.count`),
          path: `${path}.count`,
          ...(value.length === 0 ? {} : { items: value.length, children: () => items(value) }),
        };
      }
      if (value !== null && typeof value === 'object') {
        const below = this.changedBelow(`${path}.`);
        return { name, value: below ? '… · changed' : '…', children: () => this.fields(`${path}.`, value) };
      }
      return { name, value: this.marked(show(value as Leaf), path), path };
    });
  }

  private marked(value: string, path: string): string {
    if (!this.changes.has(path)) return value;
    const was = this.changes.get(path);
    return was === undefined ? `${value} (new)` : `${value} (was ${show(was)})`;
  }

  private changedBelow(prefix: string): boolean {
    for (const path of this.changes.keys()) if (path.startsWith(prefix)) return true;
    return false;
  }
}

/** `q0 tag 3`, with the device where there are several. */
function slotName(slot: SlotState): string {
  return `${slot.device === 0 ? '' : `device ${slot.device} `}q${slot.queue} tag ${slot.tag}`;
}

/** The parts of a list, named by their place in it. */
function items(list: readonly unknown[]): VariableNode[] {
  return list.map((item, k) => {
    if (item === null || typeof item !== 'object') return { name: `[${k}]`, value: String(item) };
    const fields = Object.entries(item);
    return {
      name: `[${k}]`,
      value: fields.map(([name, value]) => `${name} ${String(value)}`).join(', '),
      children: () => fields.map(([name, value]) => ({ name, value: String(value) })),
    };
  });
}

function show(value: Leaf): string {
  return value === null ? '?' : String(value);
}

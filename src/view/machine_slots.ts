import { type SlotState, slotId } from '../trace/state';
import type { MachinePart, SlotDrawing } from '../webview/protocol_faces';
import type { Scene } from './machine_scene';

/** Slots that are all drawn. */
const ALL = 96;
/** Slots drawn around the one that matters when there are more, and busy ones drawn besides. */
const AROUND = 32;
const BUSY = 96;

/** Slots of all queues, or those that matter: around the focused tag, and those that are not idle. */
export function drawSlots(scene: Scene, leftOut: string[]): SlotDrawing[] {
  const { state, t } = scene;
  const { slots } = state;
  if (slots.length <= ALL) return slots.map((slot) => drawSlot(scene, slot));
  const { changes } = scene;
  const tags = new Set([...changes.lasts('slot')].map(Number));
  const changed = slots.map((slot) => tags.has(slot.tag) && changes.of(slotId(slot)));
  const centre = Math.max(
    0,
    slots.findIndex((slot, k) => changed[k] || isFocused(scene, slot)),
  );
  const from = Math.max(0, Math.min(centre - AROUND / 2, slots.length - AROUND));
  const chosen: SlotState[] = [];
  let busy = 0;
  let hidden = 0;
  for (let k = 0; k < slots.length; k++) {
    const slot = slots[k];
    if (k >= from && k < from + AROUND) chosen.push(slot);
    else if (!changed[k] && isIdle(slot)) continue;
    else if (changed[k] || busy < BUSY) {
      chosen.push(slot);
      busy++;
    } else hidden++;
  }
  const rest = slots.length - chosen.length - hidden;
  if (rest > 0) leftOut.push(t('{0} more slots, all idle', rest.toLocaleString('en')));
  if (hidden > 0) leftOut.push(t('{0} more slots with requests', hidden.toLocaleString('en')));
  return chosen.map((slot) => drawSlot(scene, slot));
}

function isFocused(scene: Scene, slot: SlotState): boolean {
  return scene.isFocusTag(slot.device, slot.queue, slot.tag);
}

function isIdle(slot: SlotState): boolean {
  return (slot.state === 'ACTIVE' || slot.state === 'FREE' || slot.state === null) && isNone(slot);
}

function isNone(slot: SlotState): boolean {
  return slot.request === 'none' || slot.request === null;
}

function drawSlot(scene: Scene, slot: SlotState): SlotDrawing {
  const { changes, t, state } = scene;
  const id = slotId(slot);
  const row = scene.rowOfTag(slot.device, slot.queue, slot.tag);
  const label = isNone(slot) ? '' : scene.label(row) || descriptorText(slot);
  const device = state.devices[slot.device];
  const means = stateHelp(slot, scene);
  return {
    id,
    device: `ublk${device?.id ?? '?'}`,
    queue: slot.queue,
    tag: slot.tag,
    title: t('q{0} tag {1}', slot.queue, slot.tag),
    text: label,
    state: changes.value(`${id}:state`, t('state'), slot.state, means),
    values: [
      changes.value(`${id}:state`, t('state'), slot.state, means),
      changes.value(`${id}:request`, t('request'), slot.request, t('Where its block request is.')),
      ...changes.fields(id, slot, [
        ['command.op', t('parked command')],
        ['result', t('result'), t('What the last COMMIT carried: bytes or -errno.')],
        ['deliveries', t('deliveries')],
        ['handled', t('handled'), t('Bytes that splices asked for in this delivery.')],
        ['filled', t('filled'), t('Bytes of the request that hold data.')],
        ['iod.op', t('descriptor: operation')],
        ['iod.startSector', t('descriptor: sector')],
        ['iod.nrSectors', t('descriptor: sectors')],
        ['iod.addr', t('descriptor: address')],
      ]),
    ],
    changed: changes.of(id),
    gone: false,
    request: isNone(slot) ? -1 : row,
    focused: isFocused(scene, slot),
  };
}

function descriptorText(slot: SlotState): string {
  const { op, nrSectors, startSector } = slot.iod;
  if (op === null) return '';
  return nrSectors === null ? op : `${op} ${nrSectors} @ ${startSector ?? '?'}`;
}

function stateHelp(slot: SlotState, { t }: Scene): string {
  switch (slot.state) {
    case 'FREE':
      return t('No command of this tag is in the driver.');
    case 'ACTIVE':
      return t('A command is parked here; the next request of this tag completes it.');
    case 'OWNED':
      return t('The server works on the request of this tag.');
    case 'NEED_GET_DATA':
      return t('The server was asked for a buffer; the data is not copied yet.');
    case 'GET_DATA_QUEUED':
      return t('The server named a buffer; the second delivery is queued.');
    case 'CANCELED':
      return t('The parked command was answered with -ENODEV and is never armed again.');
    case 'ABORTED':
      return t('The server died while it owned the request.');
    default:
      return t('The trace does not say.');
  }
}

/** The ublk devices. */
export function drawDevices(scene: Scene): MachinePart[] {
  const { changes, t, state } = scene;
  return state.devices.map((device) => {
    const id = `device:${device.index}`;
    return {
      id,
      title: `ublk${device.id ?? '?'}`,
      text: t('{0}, {1} armed, {2} in flight', changes.show(device.state), device.armed, device.inFlight),
      values: changes.fields(id, device, [
        ['state', t('state')],
        ['armed', t('armed slots')],
        ['inFlight', t('requests in flight')],
        ['tagsInUse', t('tags in use')],
        ['queues', t('queues')],
        ['depth', t('depth')],
        ['flags', t('flags')],
        ['disk', t('disk')],
      ]),
      changed: changes.of(id),
      gone: false,
      request: -1,
      focused: false,
    };
  });
}

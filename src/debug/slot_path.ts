import { slotId } from '../trace/state';
import type { OpenTrace } from './model';

/**
 * Id that state paths of the slot of a request begin with (`slot:0:3`, `slot:1@0:3`); undefined where queue or tag is unknown, or
 * which of several devices it is.
 */
export function slotOfRequest(open: OpenTrace, row: number): string | undefined {
  const { requests, states } = open;
  const [queue, tag] = [requests.queue[row], requests.tag[row]];
  if (queue < 0 || tag < 0 || requests.isSqe(row)) return undefined;
  const events = requests.events(row);
  const { devices } = states.at(events[events.length - 1] ?? -1);
  const names = requests.deviceNames(row).map((name) => name.replace(',', ':'));
  const found = devices.find((device) => device.disk !== null && names.includes(device.disk));
  if (found === undefined && devices.length > 1) return undefined;
  return slotId({ device: found?.index ?? 0, queue, tag });
}

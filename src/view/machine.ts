import type { OpenTrace } from '../debug/model';
import type { MachineView } from '../webview/protocol_faces';
import { changeLines } from './machine_changes';
import { drawDisks, drawPages, drawPipes } from './machine_data';
import { drawLinks } from './machine_links';
import { english, type Translate } from './machine_names';
import { drawClients, drawTasks, totalValues } from './machine_people';
import { drawRingRequests, drawRings } from './machine_rings';
import { Scene } from './machine_scene';
import { drawDevices, drawSlots } from './machine_slots';
import { eventStory } from './machine_story';
import { Changes } from './machine_values';

/**
 * The machine after an event as the machine face draws it. `focus` is the row of the focused request, -1 for none: it decides what
 * is shown of a large machine and where arrows run. Numbers outside the trace mean its nearest end.
 */
export function machineView(open: OpenTrace, event: number, focus = -1, t: Translate = english): MachineView {
  const e = Math.max(-1, Math.min(Math.trunc(event), open.length - 1));
  const before = e < 0 ? undefined : open.states.at(e - 1);
  const state = open.states.at(e);
  const changes = new Changes(before, state, t);
  const scene = new Scene(open, e, focus, before, state, changes);
  const leftOut: string[] = [];
  const view = {
    event: e,
    title: eventStory(open, e, t),
    by: byLine(open, e),
    changes: changeLines(changes, before, state),
    totals: totalValues(scene),
    clients: drawClients(scene, leftOut),
    tasks: drawTasks(scene, leftOut),
    devices: drawDevices(scene),
    rings: drawRings(scene, leftOut),
    requests: drawRingRequests(scene, leftOut),
    slots: drawSlots(scene, leftOut),
    pipes: drawPipes(scene, leftOut),
    pages: drawPages(scene, leftOut),
    disks: drawDisks(scene, leftOut),
    leftOut,
  };
  return { ...view, links: drawLinks(scene, view) };
}

function byLine(open: OpenTrace, e: number): string {
  if (e < 0) return '';
  const { comm, pid } = open.trace.taskOf(open.trace.task[e]);
  return `${open.trace.nameOf(e)} · ${comm}-${pid}`;
}

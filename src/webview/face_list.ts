import type { FaceSlot } from './faces';
import { MachineFace } from './machine/machine_face';
import { SequenceFace } from './sequence/sequence_face';
import { TimelineFace } from './timeline/timeline_face';

/** The faces in the order of the tabs. */
export const FACES: readonly FaceSlot[] = [
  { face: 'timeline', title: 'Timeline', component: TimelineFace },
  { face: 'sequence', title: 'Sequence', component: SequenceFace },
  { face: 'machine', title: 'Machine', component: MachineFace },
];

import type { FaceSlot } from './faces';
import { MachineFace } from './machine/machine_face';
import { SequenceFace } from './sequence/sequence_face';
import { TimelineFace } from './timeline/timeline_face';
import { said } from './words';

/** The faces in the order of the tabs. */
export const FACES: readonly FaceSlot[] = [
  { face: 'timeline', title: said('Timeline'), component: TimelineFace },
  { face: 'sequence', title: said('Sequence'), component: SequenceFace },
  { face: 'machine', title: said('Machine'), component: MachineFace },
];

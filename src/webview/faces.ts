import type { ComponentType } from 'preact';
import type { Face } from './protocol_data';
import type { Store } from './store';

/** What a face gets. It shows `store.cursors`, and moves the cursor by `store.move` and `store.step` only. */
export interface FaceProps {
  readonly store: Store;
}

export interface FaceSlot {
  readonly face: Face;
  /** English; the shell translates it. */
  readonly title: string;
  /** Mounted while the face is shown, removed when another is; undefined: not in this build. */
  readonly component: ComponentType<FaceProps> | undefined;
}

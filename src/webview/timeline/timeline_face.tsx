import type { FaceProps } from '../faces';

/** Placeholder until the drawing stands. */
export function TimelineFace({ store }: FaceProps) {
  return <div class="face">{store.trace.value?.name}</div>;
}

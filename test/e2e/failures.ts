import { afterEach } from 'vitest';
import type { Workbench } from './workbench';

/** Keeps a picture of the window whenever a test of this block fails. */
export function pictureFailures(workbench: () => Workbench | undefined): void {
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') await workbench()?.shot(`failed-${task.name.replace(/\W+/g, '-')}`);
  });
}

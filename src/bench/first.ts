import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { matchRequests } from '../trace/requests';
import { busyTime } from './measure';
import { readTrace } from './workloads';

/**
 * Seconds of processor for a text that is the first one read and matched: the work of a thread that has compiled nothing yet, with
 * what compiling takes.
 */
export function firstTime(bytes: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(__filename, { workerData: bytes });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

/** Does the work of {@link firstTime} where this is its thread; false elsewhere. */
export function ranFirst(): boolean {
  if (isMainThread || !(workerData instanceof Uint8Array)) return false;
  const start = busyTime();
  const { length } = matchRequests(readTrace(workerData));
  if (length > 0) parentPort?.postMessage((busyTime() - start) / 1000);
  return true;
}

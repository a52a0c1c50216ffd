import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join, normalize, relative, resolve } from 'node:path';
import type { SimulatedFile } from '../simulate';
import { fileError, systemMessage } from './errors';

/** Writes simulated files below a folder, holes as holes. A path that leads out of the folder is refused. */
export function saveFiles(folder: string, files: Iterable<SimulatedFile>): void {
  for (const file of files) {
    const place = join(resolve(folder), normalize(`/${file.path}`));
    if (relative(resolve(folder), place).startsWith('..') || /(^|\/)\.\.(\/|$)/.test(file.path)) {
      throw fileError(file.path, `leads out of ${folder}: not saved`);
    }
    try {
      makeFolder(dirname(place));
      writeRanges(place, file);
    } catch (error) {
      throw fileError(place, systemMessage(error));
    }
  }
}

/** mkdir -p. Node's own recursive form never ends where a file system such as /proc answers ENOENT to mkdir. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder);
}

/** Beside the place first, then renamed: whoever reads meanwhile sees the old file or the whole new one. */
function writeRanges(place: string, file: SimulatedFile): void {
  const beside = `${place}.${process.pid}.part`;
  try {
    fillFile(beside, file);
    renameSync(beside, place);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

function fillFile(path: string, file: SimulatedFile): void {
  const fd = openSync(path, 'w');
  try {
    ftruncateSync(fd, file.size);
    for (const { offset, bytes } of file.ranges) {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, offset + at);
    }
  } finally {
    closeSync(fd);
  }
}

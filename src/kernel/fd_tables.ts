import type { OpenFile } from './open_file';

/** Open files of every process, by thread group and descriptor. */
export class FdTables {
  private readonly tables = new Map<number, Map<number, OpenFile>>();

  /** Puts a file behind a descriptor. */
  install(tgid: number, fd: number, file: OpenFile): void {
    const table = this.tables.get(tgid);
    if (table) table.set(fd, file);
    else this.tables.set(tgid, new Map([[fd, file]]));
  }

  /** The file behind a descriptor, undefined for a bad one. */
  get(tgid: number, fd: number): OpenFile | undefined {
    return this.tables.get(tgid)?.get(fd);
  }
}

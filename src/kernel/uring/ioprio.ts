/** block/ioprio.c: what an I/O priority may be. */
const EINVAL = -22;

/** ioprio_check_cap for root. */
export function ioprioError(ioprio: number): number {
  if (ioprio === 0) return 0;
  const level = ioprio & 7;
  switch (ioprio >> 13) {
    case 0:
      return level === 0 ? 0 : EINVAL;
    case 1:
    case 2:
    case 3:
      return 0;
    default:
      return EINVAL;
  }
}

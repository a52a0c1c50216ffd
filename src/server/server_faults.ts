/** What a server is told to do wrong; see the session's `#: fault` lines. */
export interface ServerFaults {
  /** The mistake that strikes this delivery, if any; offsets and lengths are bytes of the device. */
  mistake(queue: number, tag: number, offset: number, length: number): string | undefined;
  /** The result that is committed instead of the true one. */
  commitResult(queue: number, tag: number, result: number): number;
}

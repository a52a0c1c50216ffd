/** What a server is told to do wrong; see the session's `#: fault` lines. */
export interface ServerFaults {
  /** The mistake that strikes this delivery, if any; offsets and lengths are bytes of the device. */
  mistake(queue: number, tag: number, offset: number, length: number): string | undefined;
  /** What is committed instead of the true result, and how long the server takes over it, ns. */
  commit(
    queue: number,
    tag: number,
    offset: number,
    length: number,
    result: number,
  ): { result: number; delayNs: number };
}

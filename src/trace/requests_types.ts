/** How the payload went between the client's request and the server's backend. */
export type DataPath =
  | 'copy'
  | 'get-data'
  | 'user-copy'
  | 'splice'
  | 'registered'
  | 'auto-buf'
  | 'batch'
  | 'none'
  | 'unknown';

/** How a CQE came about. */
type Via = 'inline' | 'task-work' | 'io-wq';

/** Whether tag and sector stand in the events, or order and time decided. */
export type Confidence = 'exact' | 'inferred';

/** How the request ended: `requeued` is a delivery that was given back, wholly or for the rest. */
export type Status = 'done' | 'failed' | 'requeued' | 'open';

/** One SQE of a request. */
export interface RequestSqe {
  /** 64 bits, hexadecimal with 0x. */
  readonly user_data: string;
  /** Empty where the trace does not print it. */
  readonly opcode: string;
  /** Name of a ublk or FUSE command. */
  readonly cmd?: string;
  /** res of its CQE, null without one. For COMMIT_AND_FETCH only a refusal: its CQE otherwise delivers the next request. */
  readonly result: number | null;
  readonly via: Via | null;
}

/** One request of a table. Times are ns, offset and length bytes, result bytes or -errno. */
export interface RequestRow {
  readonly device: string;
  readonly queue: number | null;
  readonly tag: number | null;
  readonly life: number;
  readonly op: string;
  readonly offset: number | null;
  readonly length: number | null;
  readonly result: number | null;
  readonly start: number;
  readonly end: number | null;
  readonly path: DataPath;
  readonly status: Status;
  readonly confidence: Confidence;
  readonly sqes: readonly RequestSqe[];
  /** The command whose CQE delivered it, NEED_GET_DATA, and the COMMIT that ended it. */
  readonly commands: readonly RequestSqe[];
  /** Numbers of its events, in order. */
  readonly events: Uint32Array;
}

/** One element of `requests --json`. */
export interface RequestJson {
  readonly device: string;
  readonly queue: number | null;
  readonly tag: number | null;
  readonly life: number;
  readonly op: string;
  readonly offset: number | null;
  readonly length: number | null;
  readonly result: number | null;
  readonly start_ns: number;
  readonly end_ns: number | null;
  readonly path: DataPath;
  readonly sqes: readonly RequestSqe[];
  readonly commands: readonly RequestSqe[];
  readonly events: readonly number[];
  readonly confidence: Confidence;
  /** Only where the delivery was given back to the block layer, wholly or for the rest. */
  readonly requeued?: true;
}

export interface MatchOptions {
  /** List requests of backing disks too. */
  readonly allDevices?: boolean;
  /** Where a trace has no block and no FUSE request, list the SQEs of its rings. */
  readonly plainSqes?: boolean;
}

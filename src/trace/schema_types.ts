/** Where code of the stack runs. `client` is the application doing I/O, `control` the process of the ublk command. */
export type ContextKind =
  | 'client'
  | 'kworker'
  | 'daemon'
  | 'task-work'
  | 'io-wq'
  | 'interrupt'
  | 'control'
  | 'any';

/** What a field means and its unit. */
export interface FieldSpec {
  readonly unit: 'bytes' | 'sectors' | 'ns' | 'errno' | 'count' | 'id' | 'flags' | 'address' | 'text';
  readonly says: string;
}

/**
 * One event. `text` lists the forms in which kernels print its body, the first being the one that the simulator of 6.1 records.
 * `kind` tells how the line is put together: a tracepoint prints `name: body`, a function probe `name: (place) body`,
 * a system call `sys_name(args)` or `sys_name -> ret`, a fact is ours alone (no kernel prints it).
 */
export interface EventSpec {
  readonly system: 'io_uring' | 'block' | 'syscalls' | 'ublk' | 'splice' | 'sched' | 'fuse' | 'client';
  readonly kind: 'tracepoint' | 'probe' | 'syscall-enter' | 'syscall-exit' | 'fact';
  readonly text: readonly [string, ...string[]];
  /** Function of the kernel, the daemon or the client that the event stands for; media/stack has its pseudo-code. */
  readonly fn: string;
  readonly contexts: readonly ContextKind[];
  /** One sentence for hovers and docs. */
  readonly says: string;
  readonly fields?: Readonly<Record<string, FieldSpec>>;
}

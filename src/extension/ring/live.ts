import type * as vscode from 'vscode';

/** Running ring programs on the kernel of this machine; only where the extension host is a Node process. */
export interface RingLive {
  /** Whether a program can be run there: on Linux, in a trusted workspace of local files. */
  available(uri: vscode.Uri): boolean;
  /** Runs it in a task. */
  run(uri: vscode.Uri): Promise<void>;
}

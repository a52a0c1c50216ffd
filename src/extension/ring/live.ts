import type * as vscode from 'vscode';

/** What of a URI tells where it is. */
export type Place = Pick<vscode.Uri, 'scheme'>;

/** Running ring programs on the kernel of this machine; only where the extension host is a Node process. */
export interface RingLive {
  /** Whether a program can be run there: on Linux, in a trusted workspace of local files. */
  available(uri: Place): boolean;
  /** Runs it in a task. */
  run(uri: vscode.Uri): Promise<void>;
}

/** Whether a program can be run on the kernel of the machine that the extension host is on. */
export function runsHere(
  program: Place,
  host: { readonly platform: string; readonly trusted: boolean; readonly folders: readonly Place[] },
): boolean {
  const local = [program, ...host.folders].every(({ scheme }) => scheme === 'file');
  return host.platform === 'linux' && host.trusted && local;
}

/** Where the program of a task is: a path of its own, or one in a folder of the workspace; undefined where it names none. */
export function programUri(program: unknown, folder: Place | undefined): Place | undefined {
  if (typeof program !== 'string' || program === '') return undefined;
  return program.startsWith('/') ? { scheme: 'file' } : folder;
}

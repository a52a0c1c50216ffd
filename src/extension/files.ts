import * as vscode from 'vscode';
import { sniff } from '../convert/sniff';

/** Trace files beyond this are refused with a message instead of filling the extension host's memory, bytes. */
const LARGEST = 1 << 30;
const CHUNK = 1 << 20;

/** A file that cannot be read; the message names it and says why. */
export class FileError extends Error {
  override readonly name = 'FileError';
}

/** The whole file, from any file system that VS Code knows. */
export async function readBytes(uri: vscode.Uri): Promise<Uint8Array> {
  try {
    const { size, type } = await vscode.workspace.fs.stat(uri);
    if (type & vscode.FileType.Directory) throw new FileError(vscode.l10n.t('{0}: is a directory', uri.path));
    if (size > LARGEST) {
      const gib = (size / LARGEST).toFixed(1);
      throw new FileError(
        vscode.l10n.t(
          '{0}: {1} GiB is more than the 1 GiB that is read here; cut it, or use the command line',
          uri.path,
          gib,
        ),
      );
    }
    return await vscode.workspace.fs.readFile(uri);
  } catch (error) {
    if (error instanceof vscode.FileSystemError)
      throw new FileError(
        error.code === 'FileNotFound'
          ? vscode.l10n.t('{0}: there is no such file', uri.path)
          : `${uri.path}: ${error.message}`,
      );
    throw error;
  }
}

/** The text of a trace file in pieces, unpacked where it is gzip. */
export async function* textChunks(uri: vscode.Uri, bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (sniff(bytes.subarray(0, 4096)) !== 'gzip') {
    for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK);
    return;
  }
  const packed = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
  const reader = packed.pipeThrough(new DecompressionStream('gzip')).getReader();
  let length = 0;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      length += next.value.length;
      if (length > LARGEST)
        throw new FileError(vscode.l10n.t('{0}: unpacks to more than the 1 GiB that is read here', uri.path));
      yield next.value;
    }
  } catch (error) {
    if (error instanceof FileError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new FileError(vscode.l10n.t('{0}: damaged gzip data: {1}', uri.path, message));
  }
}

/** Whether the file is there and, when it is a session's own small file, its bytes; undefined where there is none. */
export async function readIfThere(uri: vscode.Uri): Promise<Uint8Array | undefined> {
  try {
    const { type, size } = await vscode.workspace.fs.stat(uri);
    if (type & vscode.FileType.Directory || size > LARGEST) return undefined;
    return await vscode.workspace.fs.readFile(uri);
  } catch {
    return undefined;
  }
}

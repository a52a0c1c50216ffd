/** A failure told in one line; ends the program with this exit code and nothing on stdout. */
export class CliError extends Error {
  override readonly name = 'CliError';
  constructor(
    message: string,
    readonly exitCode = 2,
  ) {
    super(message);
  }
}

/** A command line that cannot be understood. */
export function usageError(message: string): CliError {
  return new CliError(`ublk-trace: ${message}`);
}

/** Something wrong at a place in a file; line and column count from 1. */
export function fileError(file: string, message: string, line = 1, column = 1): CliError {
  return new CliError(`${shownName(file)}:${line}:${column}: ${message}`);
}

/** A file name as it stands in messages: `-` is stdin, control characters are replaced so that the line stays one. */
export function shownName(file: string): string {
  return file === '-' ? '<stdin>' : file.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
}

/** What a failed file system call means, in words. */
export function systemMessage(error: unknown): string {
  const code = codeOf(error);
  switch (code) {
    case 'ENOENT':
      return 'no such file or folder';
    case 'EISDIR':
      return 'is a directory';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'ENOSPC':
      return 'no space left on device';
    case 'ENOTDIR':
      return 'a part of the path is not a directory';
    default:
      return error instanceof Error ? error.message.split('\n')[0]! : String(error);
  }
}

/** The errno name of a Node error, or an empty string. */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return String(error.code);
}

import { describe, expect, it, test } from 'vitest';
import { programUri, runsHere } from '../../src/extension/ring/live';

const file = { scheme: 'file' };
const remote = { scheme: 'vscode-vfs' };
const host = { platform: 'linux', trusted: true, folders: [file] };

describe("running a program on this machine's kernel", () => {
  it('is there on Linux, in a trusted workspace of local files', () => {
    expect(runsHere(file, host)).toBe(true);
    expect(runsHere(file, { ...host, folders: [] })).toBe(true);
  });

  test.each([
    ['on another system', file, { ...host, platform: 'darwin' }],
    ['in a workspace that is not trusted', file, { ...host, trusted: false }],
    ['of a program that is elsewhere', remote, host],
    ['in a virtual workspace', file, { ...host, folders: [file, remote] }],
  ])('is not there %s', (_where, program, where) => {
    expect(runsHere(program, where)).toBe(false);
  });

  it('takes the program of a task from the folder that it belongs to', () => {
    expect(programUri('/a/p.ring.json', remote)).toEqual(file);
    expect(programUri('p.ring.json', remote)).toEqual(remote);
    expect(programUri('p.ring.json', undefined)).toBeUndefined();
    expect(programUri(undefined, file)).toBeUndefined();
    expect(programUri('', file)).toBeUndefined();
  });
});

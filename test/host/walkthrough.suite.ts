import * as assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import * as vscode from 'vscode';
import type { Api } from '../../src/extension/activate';
import type { Node } from '../../src/extension/tree/nodes';
import { MARKS } from '../../src/extension/walkthrough';
import { DebugRun, RunningSessions } from './debug_run';
import { cleared, EXTENSION, inRepository, until } from './support';

interface Step {
  readonly id: string;
  readonly media: { readonly markdown: string };
  readonly description: string;
  readonly completionEvents: readonly string[];
}

describe('walkthrough', () => {
  let api: Api;
  const sessions = new RunningSessions();
  before(async () => {
    api = await cleared();
  });
  after(async () => {
    await sessions.end();
    sessions.dispose();
    await cleared();
  });

  const steps = (): readonly Step[] => {
    const manifest = vscode.extensions.getExtension(EXTENSION)?.packageJSON as {
      contributes: { walkthroughs: readonly { steps: readonly Step[] }[] };
    };
    return manifest.contributes.walkthroughs[0]!.steps;
  };

  it('has five steps whose commands and pictures exist and whose marks are ours', async () => {
    const commands = new Set(await vscode.commands.getCommands(true));
    assert.equal(steps().length, 5);
    for (const { id, description, media } of steps()) {
      const [, name] = /\]\(command:([\w.]+)/.exec(description) ?? [];
      assert.ok(name !== undefined && commands.has(name), `${id}: ${name}`);
      await vscode.workspace.fs.stat(inRepository(media.markdown));
    }
    const marks = steps().flatMap(({ completionEvents }) => completionEvents);
    assert.deepEqual(
      marks,
      Object.values(MARKS).map((mark) => `onContext:${mark}`),
    );
  });

  it('sets the mark of each step once that has happened', async () => {
    await vscode.commands.executeCommand('ublkTrace.runSample');
    await until('the run', () => api.marks.has(MARKS.ran));

    const node: Node = { kind: 'request', id: 'x', parent: api.tree.getChildren()[0], row: 2 };
    const run = await DebugRun.start(() => vscode.commands.executeCommand('ublkTrace.stepTo', node));
    await run.act('stepOver');
    await run.act('stepOver');
    await until('the step', () => api.marks.has(MARKS.stepped));

    await vscode.commands.executeCommand('ublkTrace.showTimeline', 'sample');
    await until('the timeline', () => api.marks.has(MARKS.viewed));
    await vscode.commands.executeCommand('ublkTrace.compareZeroCopy', 'sample');
    await until('the comparison', () => api.marks.has(MARKS.compared));
    await vscode.commands.executeCommand('ublkTrace.openRecording', 'rfc-loop-zc.ublktrace');
    await until('the recording', () => api.marks.has(MARKS.recorded));
  });
});

import * as assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import * as vscode from 'vscode';
import type { Api } from '../../src/extension/activate';
import type { Node } from '../../src/extension/tree/nodes';
import { DEBUG_TYPE, DebugRun, RunningSessions } from './debug_run';
import { cleared, folder, gzip, remove, sample, until, write } from './support';

const REQUESTS = 100_000;

/** A recording of so many reads: each is issued and completed, 64 tags in turn. Its text is beyond what an editor shows. */
function recording(requests: number): string {
  const lines = ['# tracer: nop', '#'];
  for (let k = 0; k < requests; k++) {
    const time = (n: number): string => `${100 + Math.floor(n / 1e6)}.${String(n % 1e6).padStart(6, '0')}`;
    const sector = (k * 8) % 0x1000000;
    const head = `             fio-${1000 + (k % 4)}    [00${k % 2}] .....`;
    const tag = k % 64;
    lines.push(
      `${head} ${time(k * 20)}: ublk_queue_rq: (ublk_queue_rq+0x4/0xb0 [ublk_drv]) qid=0 tag=${tag} sector=${sector} len=4096 flags=0x800000 last=1`,
    );
    lines.push(`${head} ${time(k * 20 + 1)}: block_rq_issue: 259,0 R 4096 () ${sector} + 8 none,0,0 [fio]`);
    lines.push(`${head} ${time(k * 20 + 10)}: block_rq_complete: 259,0 R () ${sector} + 8 none,0,0 [0]`);
  }
  return `${lines.join('\n')}\n`;
}

describe('tree', () => {
  let api: Api;
  const sessions = new RunningSessions();

  before(async () => {
    api = await cleared();
    await api.traces.open(sample('loop-zc.ublk'));
  });
  afterEach(() => sessions.end());
  after(async () => {
    sessions.dispose();
    await cleared();
    await remove('many.txt.gz', 'pins.ublk', 'faulty.ublk');
  });

  /** The first node below `from` (depth first) that fits. */
  function find(fits: (node: Node) => boolean, from?: Node): Node | undefined {
    for (const node of api.tree.getChildren(from)) {
      if (fits(node)) return node;
      if (['trace', 'group', 'page', 'pins', 'request'].includes(node.kind)) {
        const below = find(fits, node);
        if (below !== undefined) return below;
      }
    }
    return undefined;
  }

  const label = (node: Node): string => String(api.tree.getTreeItem(node).label);

  it('leads from trace by queue and tag to requests and events, each with its icon', async () => {
    const path: string[] = [];
    let node: Node | undefined = api.tree.getChildren()[0];
    while (node !== undefined) {
      path.push(node.kind);
      const item = api.tree.getTreeItem(node);
      assert.ok(item.iconPath instanceof vscode.ThemeIcon && item.iconPath.id !== '', node.id);
      assert.ok(item.accessibilityInformation, node.id);
      node = api.tree.getChildren(node)[0];
    }
    assert.deepEqual(path, ['trace', 'group', 'group', 'request', 'event']);
  });

  it('shows only what a filter lets through, and says so above', async () => {
    const { requests } = api.traces.current!.open;
    const before: Node[] = [];
    find((node) => !before.push(node));
    await vscode.commands.executeCommand('ublkTrace.filter', 'op == READ && tag == 0');
    // VS Code asks for what is below the rows that it shows still
    for (const node of before) {
      api.tree.getTreeItem(node);
      api.tree.getChildren(node);
    }
    const wanted = [...Array(requests.length).keys()].filter(
      (row) => requests.op(row) === 'READ' && requests.tag[row] === 0,
    );
    assert.ok(wanted.length > 0);
    assert.equal(
      api.tree.message,
      `Filter: op == READ && tag == 0 (${wanted.length} of ${requests.length} requests)`,
    );
    const rows: number[] = [];
    find((node) => {
      if (node.kind === 'request') rows.push(node.row);
      return false;
    });
    assert.deepEqual(rows, wanted);
    await vscode.commands.executeCommand('ublkTrace.clearFilter');
    assert.equal(api.tree.message, undefined);
  });

  it('refuses a filter that says nothing, with the column', async () => {
    const message = await api.tree.applyFilter('tga == 3').then(String, String);
    assert.match(message, /unknown field 'tga'; did you mean 'tag'/);
    assert.equal(api.tree.filter, '');
  });

  it('copies a request as the lines of its events', async () => {
    const node = find(({ kind }) => kind === 'request')!;
    assert.ok(node.kind === 'request');
    await vscode.env.clipboard.writeText('');
    await vscode.commands.executeCommand('ublkTrace.copyText', node);
    const text = await until('a text in the clipboard', async () => {
      const read = await vscode.env.clipboard.readText();
      return read !== '' && read;
    });
    const { open } = api.traces.current!;
    const lines = [...open.requests.events(node.row)].map((event) => open.printer.line(event));
    assert.deepEqual(text.trimEnd().split('\n').slice(1), lines);
  });

  it('follows the debugger, and the debugger follows it', async () => {
    const node = find(({ kind }) => kind === 'request')!;
    const events = api.tree.getChildren(node);
    const [, event] = events;
    assert.ok(event?.kind === 'event');
    const run = await DebugRun.start(() => vscode.commands.executeCommand('ublkTrace.stepTo', event));
    const { cursor } = api.traces.current!.open;
    await until('the cursor there', () => cursor.event === event.event);
    await vscode.commands.executeCommand('ublkTrace.requests.focus');
    await until('the tree to be seen', () => api.tree.visible);
    await run.act('stepOver');
    const next = events[2];
    assert.ok(next?.kind === 'event');
    assert.equal(cursor.event, next.event);
    await until('it to be selected', () => api.tree.selected?.id === next.id);
    await vscode.commands.executeCommand('ublkTrace.showPlace', events[4]);
    await until('a stop', () => /another view/.test(run.stopped.description ?? ''));
  });

  it('keeps pins when the session runs again, also edited', async () => {
    const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(sample('loop-zc.ublk')));
    const uri = await write('pins.ublk', text);
    api = await cleared();
    const first = await api.traces.open(uri);
    const request = find(({ kind }) => kind === 'request')!;
    const event = api.tree.getChildren(request)[3]!;
    assert.ok(event.kind === 'event');
    await vscode.commands.executeCommand('ublkTrace.pin', request);
    await vscode.commands.executeCommand('ublkTrace.pin', event);
    const name = first.open.trace.nameOf(event.event);
    const pinned = (): string[] => {
      const pins = find(({ kind }) => kind === 'pins');
      return pins === undefined
        ? []
        : api.tree.getChildren(pins).map((node) => label(node).replace(/ @ \S+ \S+/, ''));
    };
    const before = pinned();
    assert.equal(before.length, 2);
    assert.equal(before[1], name);

    await write('pins.ublk', text.replace(/^ublk add/m, 'truncate -s 1M other.img\nublk add'));
    await until('the file to be seen as changed', () => api.traces.current?.freshness === 'changed');
    await vscode.commands.executeCommand('ublkTrace.rerun');
    assert.notEqual(api.traces.current?.open, first.open);
    assert.deepEqual(pinned(), before);
    // Closed and opened again, as after a reload of the window.
    api.traces.close(api.traces.current!);
    await api.traces.open(uri);
    assert.deepEqual(pinned(), before);
    await vscode.commands.executeCommand('ublkTrace.unpin', find(({ kind }) => kind === 'pins') && request);
  });

  it('lists broken rules, counts them in its badge, and puts them at the session line into Problems', async () => {
    const faulty = [
      '#: kernel 6.1+splice-zc',
      'truncate -s 16M disk.img',
      'ublk add -t loop -f disk.img -z -q 1 -d 4',
      '#: fault server no-commit',
      'dd if=/dev/ublkb0 of=/dev/null bs=16k count=4 iflag=direct &',
      'sleep 3',
    ];
    api = await cleared();
    const uri = await write('faulty.ublk', faulty.join('\n'));
    const { open } = await api.traces.open(uri);
    const found = await until('problems', () => {
      const rules = vscode.languages.getDiagnostics(uri).filter(({ source }) => source === 'ublk rules');
      return rules.length > 0 && rules;
    });
    assert.equal(found.length, open.violations.length);
    assert.match(String(found[0]!.code), /^INV-\d+$/);
    assert.equal(
      found[0]!.range.start.line,
      faulty.findIndex((line) => line.startsWith('dd')),
    );
    assert.ok((found[0]!.relatedInformation ?? []).length > 0, 'no evidence');
    assert.equal(api.tree.badge, found.length);
    const list = find(({ kind }) => kind === 'violations');
    assert.ok(list);
    assert.equal(api.tree.getChildren(list).length, found.length);
  });

  it('stays quick with 100,000 requests, by pages; a text too large for an editor comes in excerpts', async () => {
    api = await cleared();
    const entry = await api.traces.open(await write('many.txt.gz', await gzip(recording(REQUESTS))));
    const { open } = entry;
    assert.equal(open.requests.length, REQUESTS);
    api.tree.arrange('time');
    const pages = api.tree.getChildren(api.tree.getChildren()[0]);
    assert.deepEqual([pages.length, pages[0]!.kind, label(pages[0]!)], [100, 'page', '1–1,000']);
    const requests = api.tree.getChildren(pages[42]);
    assert.equal(requests.length, 1000);
    await vscode.commands.executeCommand('ublkTrace.filter', 'offset == 8k');
    assert.match(api.tree.message ?? '', /of 100,000 requests\)$/);
    await vscode.commands.executeCommand('ublkTrace.clearFilter');

    const [first] = api.tree.getChildren(
      api.tree.getChildren(api.tree.getChildren(api.tree.getChildren()[0])[42])[7],
    );
    assert.ok(first?.kind === 'event');
    await vscode.commands.executeCommand('ublkTrace.showPlace', first);
    const editor = await until('the excerpt', () => {
      const active = vscode.window.visibleTextEditors.find(
        ({ document }) => document.uri.scheme === 'ublk-excerpt',
      );
      return active;
    });
    const { line } = editor.selection.active;
    assert.equal(editor.document.lineAt(line).text, open.printer.line(first.event));

    // A breakpoint two lines further down, in the excerpt.
    const { uri } = editor.document;
    vscode.debug.addBreakpoints([
      new vscode.SourceBreakpoint(new vscode.Location(uri, new vscode.Position(line + 2, 0))),
    ]);
    open.cursor.move(0, undefined);
    const run = await DebugRun.start(() =>
      vscode.debug.startDebugging(folder(), {
        type: DEBUG_TYPE,
        request: 'launch',
        name: 'many',
        program: entry.uri.scheme === 'file' ? entry.uri.fsPath : entry.uri.toString(),
        stopOnEntry: true,
      }),
    );
    const stop = await run.act('continue');
    assert.equal(stop.reason, 'breakpoint');
    assert.equal(open.cursor.event, first.event + 2);
    api.tree.arrange('tag');
  });
});

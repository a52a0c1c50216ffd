import { describe, expect, it } from 'vitest';
import { parseStackFile, StackIndex } from '../../src/debug/stack';
import { EVENTS, eventNames } from '../../src/trace/schema';
import { stackTexts } from '../support/stack';

const texts = stackTexts();
const index = new StackIndex(texts);

const fn = (name: string, body: string): string => `int ${name}(void)\n{\n${body}\n}\n`;

describe('the pseudo-code of media/stack', () => {
  it('has no problems', () => {
    expect(index.problems).toEqual([]);
    expect(index.files.length).toBeGreaterThan(8);
  });

  it('has exactly one labelled line for each event of the schema', () => {
    const labels = index.files.flatMap((file) => file.labels.map((label) => label.event));
    expect([...labels].sort()).toEqual([...eventNames()].sort());
  });

  it.each(eventNames())('%s lies in the function that the schema names', (name) => {
    expect(index.locate(name)?.function).toBe(EVENTS[name].fn);
  });

  it('finds the events of a line again', () => {
    for (const name of eventNames()) {
      const at = index.locate(name)!;
      expect(index.eventsAt(at.file, at.line)).toEqual([name]);
      expect(index.functionAt(at.file, at.line)?.name).toBe(at.function);
    }
  });

  describe.each(texts)('$name', ({ name, text }) => {
    const lines = text.split('\n');

    it('is plain ASCII of at most 100 columns without tabs, and ends with a newline', () => {
      const bad = lines.flatMap((line, i) =>
        /^[ -~]{0,100}$/.test(line) ? [] : [`${name}:${i + 1}: ${line}`],
      );
      expect(bad).toEqual([]);
      expect(text.endsWith('\n')).toBe(true);
    });

    it('says in its header what it teaches, who runs here, what orders them and for which version', () => {
      const header = text.slice(0, text.indexOf('*/'));
      expect(header).toContain(`/*\n * ${name} - `);
      expect(header).toContain(' * Lesson: ');
      expect(header).toMatch(/^ \* Runs here/m);
      expect(header).toMatch(/^ \* (Locks|Order)/m);
      expect(header).toMatch(/^ \* (Kernel|Version): /m);
    });

    it('defines each function once, and with code in it', () => {
      const functions = index.files.find((file) => file.name === name)!.functions;
      const names = functions.map((f) => f.name);
      expect(new Set(names).size).toBe(names.length);
      expect(functions.filter((f) => f.endLine - f.line < 3)).toEqual([]);
    });

    it('has balanced brackets in every function', () => {
      for (const f of index.files.find((file) => file.name === name)!.functions) {
        const code = withoutComments(lines.slice(f.line - 1, f.endLine).join('\n'));
        for (const pair of ['()', '{}', '[]']) {
          const count = (c: string): number => code.split(c).length;
          expect(`${f.name} ${pair} ${count(pair[0]!)}`).toBe(`${f.name} ${pair} ${count(pair[1]!)}`);
        }
      }
    });
  });

  it('names no function twice over all files', () => {
    const seen = new Map<string, string>();
    for (const file of index.files) {
      for (const f of file.functions) {
        expect(`${f.name} in ${seen.get(f.name) ?? file.name}`).toBe(`${f.name} in ${file.name}`);
        seen.set(f.name, file.name);
      }
    }
  });

  it('refers to files that exist', () => {
    const names = new Set(texts.map((file) => file.name));
    const wrong = texts.flatMap(({ name, text }) =>
      [...text.matchAll(/\b([a-z][\w-]*\.c)\b/g)].flatMap(([, ref]) =>
        names.has(ref!) || ref === 'rw.c' ? [] : [`${name}: ${ref}`],
      ),
    );
    expect(wrong).toEqual([]);
  });
});

describe('parseStackFile', () => {
  it('reports malformed, unknown and homeless labels with their place', () => {
    const text = [
      'x(); //@ io_splice', // in no function
      'int f(void)',
      '{',
      '    a();  //@ io_slice',
      '    b();  //@ ublk_queue_rq later',
      '    c();  //@',
      '    d();  //@ do_splice //@ io_splice',
      '    e();  //@ ublk_queue_rq',
      '}',
    ].join('\r\n');
    const file = parseStackFile('f.c', text);
    expect(file.problems.map((p) => [p.line, p.column, p.message.slice(0, 13)])).toEqual([
      [1, 6, 'label of "io_'],
      [4, 11, 'unknown event'],
      [5, 11, 'a label is on'],
      [6, 11, 'a label is on'],
      [7, 11, 'a label is on'],
    ]);
    expect(file.labels).toEqual([{ event: 'ublk_queue_rq', line: 8, function: 'f' }]);
  });

  it('finds functions with arguments over several lines, and no structs, prototypes or macros', () => {
    const text = [
      '#define F(x) y(x)',
      'struct s {',
      '    int (*f)(void);',
      '};',
      'int proto(void);',
      'static const struct ops o = {',
      '    .f = g,',
      '};',
      'static ssize_t *long_one(struct file *in,',
      '                         size_t len)',
      '{',
      '    if (len) {',
      '        g();',
      '    }',
      '}',
    ].join('\n');
    expect(parseStackFile('f.c', text)).toMatchObject({
      functions: [{ name: 'long_one', line: 9, endLine: 15 }],
      problems: [],
    });
  });

  it('reports bodies without header and functions without end', () => {
    expect(parseStackFile('f.c', '{\n').problems).toMatchObject([
      { line: 1, message: expect.stringContaining('header') },
    ]);
    expect(parseStackFile('f.c', 'int f(void)\n{\n  x();\n').problems).toMatchObject([
      { line: 1, message: expect.stringContaining('closing brace') },
    ]);
  });
});

describe('StackIndex', () => {
  const two = new StackIndex([
    { name: 'a.c', text: fn('io_splice', '  x(); //@ io_splice\n\n  y(); //@ do_splice') },
    { name: 'b.c', text: fn('g', '  x(); //@ io_splice') },
  ]);

  it('keeps the first of two labels and reports the other', () => {
    expect(two.locate('io_splice')).toEqual({ file: 'a.c', line: 3, function: 'io_splice' });
    expect(two.problems).toMatchObject([
      { file: 'b.c', line: 3, message: 'event "io_splice" has a label already in a.c:3' },
    ]);
  });

  it('moves a breakpoint to the next labelled line', () => {
    expect(two.breakableLine('a.c', 1)).toBe(3);
    expect(two.breakableLine('a.c', 4)).toBe(5);
    expect(two.breakableLine('a.c', 5)).toBe(5);
    expect(two.breakableLine('a.c', 6)).toBeUndefined();
    expect(two.breakableLine('none.c', 1)).toBeUndefined();
  });

  it('knows nothing of lines and events that are not there', () => {
    expect(two.locate('ublk_queue_rq')).toBeUndefined();
    expect(two.eventsAt('a.c', 4)).toEqual([]);
    expect(two.functionAt('a.c', 99)).toBeUndefined();
  });
});

function withoutComments(code: string): string {
  return code
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\/\/.*$/gm, '')
    .replace(/"[^"]*"/g, '""');
}

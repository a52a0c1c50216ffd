import type { StackIndex } from '../../src/debug/stack';
import { EVENTS, eventNames, eventSpec } from '../../src/trace/schema';
import type { EventSpec } from '../../src/trace/schema_types';

const SYSTEMS: Record<EventSpec['system'], string> = {
  block: 'Tracepoints of the block layer, and probes on the functions of blk-mq between them.',
  ublk: 'Function probes on ublk_drv. Events of functions that only later kernels have say so in the pseudo-code.',
  io_uring: 'Tracepoints of io_uring, probes on its functions, and two facts of user space.',
  syscalls: 'The three system calls of io_uring. Their text is that of a system call, without `event:`.',
  splice: 'Function probes on the splice path, pipes, and the additions of the RFC of November 2022.',
  sched: 'A tracepoint of the scheduler; recordings have it only where it was switched on.',
  fuse: 'Tracepoints of FUSE.',
  client: 'Facts that only a simulation knows: what clients asked for and got, and where bytes came from.',
};

const KINDS: Record<EventSpec['kind'], string> = {
  tracepoint: 'tracepoint',
  probe: 'probe',
  'syscall-enter': 'call',
  'syscall-exit': 'return',
  fact: 'fact',
};

/** docs/events.md: one table a system, from the schema. */
export function eventsDoc(stack: StackIndex): string {
  const parts = [
    '# Events',
    '',
    '<!-- Generated from src/trace/schema*.ts by `npx vitest run test/trace/events_doc.test.ts -u`. Do not edit. -->',
    '',
    `The ${eventNames().length} events that the product writes, reads and steps through. A line of a trace is`,
    '`comm-pid [cpu] flags seconds: event: text`; the table gives the text, `{name}` being a field. Where kernels print',
    'an event in several ways all are listed, that of 6.1 first. The function links to the annotated pseudo-code in which',
    'the event has its line.',
    '',
    '*Kind*: a **tracepoint** is always there; a **probe** needs a kprobe on its function and its `{loc}`',
    'is the place that the kernel prints; a **fact** is known to the simulator only, no kernel prints it.',
    '',
  ];
  for (const [system, says] of Object.entries(SYSTEMS)) {
    parts.push(`## ${system}`, '', says, '');
    parts.push(
      '| event | kind | text | function | runs in | meaning |',
      '| --- | --- | --- | --- | --- | --- |',
    );
    for (const name of eventNames()) {
      if (EVENTS[name].system === system) parts.push(row(name, eventSpec(name)!, stack));
    }
    parts.push('');
  }
  return parts.join('\n');
}

function row(name: string, spec: EventSpec, stack: StackIndex): string {
  const forms = spec.text.map((text) => `\`${text.replace(/\{(\w+):\w\}/g, '{$1}').trim()}\``);
  const file = stack.locate(name)?.file;
  const fn = file ? `[\`${spec.fn}\`](../media/stack/${file})` : `\`${spec.fn}\``;
  const fields = Object.entries(spec.fields ?? {}).map(
    ([field, { unit, says }]) => `\`${field}\` (${unit}): ${says}`,
  );
  const cells = [
    `\`${name}\``,
    KINDS[spec.kind],
    forms.join('<br>'),
    fn,
    spec.contexts.join(', '),
    [spec.says, ...fields].join('<br>'),
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

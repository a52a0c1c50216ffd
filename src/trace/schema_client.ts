import type { EventSpec } from './schema_types';

/** Facts about clients and devices that only the simulator knows; a recording of a real kernel has none of them. */
export const CLIENT_EVENTS = {
  session_command: {
    system: 'client',
    kind: 'fact',
    text: ['line {line:d}, {text:s}'],
    fn: 'execve',
    contexts: ['client', 'control'],
    says: 'A command of the session starts.',
  },
  session_command_done: {
    system: 'client',
    kind: 'fact',
    text: ['line {line:d}, status {status:d}'],
    fn: 'exit',
    contexts: ['client', 'control'],
    says: 'A command of the session ended with this exit status.',
  },
  app_io_submit: {
    system: 'client',
    kind: 'fact',
    text: ['id {id:d}, line {line:d}, {op:s} offset {offset:d} length {length:d}'],
    fn: 'do_io',
    contexts: ['client'],
    says: 'The client asks for this I/O.',
  },
  app_io_done: {
    system: 'client',
    kind: 'fact',
    text: ['id {id:d}, result {result:d}'],
    fn: 'do_io',
    contexts: ['client', 'interrupt', 'daemon', 'any'],
    says: 'The I/O of the client is done; result is bytes or -errno.',
  },
  page_fill: {
    system: 'client',
    kind: 'fact',
    text: [
      'dev_id {dev_id:d}, qid {qid:d}, tag {tag:d}, offset {offset:d}, length {length:d}, from {source:s}',
    ],
    fn: 'page_fill',
    contexts: ['any'],
    says: 'Bytes of the request now hold data, and this is where the data came from.',
  },
  page_expose: {
    system: 'client',
    kind: 'fact',
    text: [
      'dev_id {dev_id:d}, qid {qid:d}, tag {tag:d}, offset {offset:d}, length {length:d}, filled {filled:d}',
    ],
    fn: 'page_expose',
    contexts: ['any'],
    says: 'Bytes of a READ become visible to the client; filled tells how many of them were ever written by the backend.',
  },
  command_output: {
    system: 'client',
    kind: 'fact',
    text: ['{text:s}'],
    fn: 'write',
    contexts: ['client', 'control'],
    says: 'A line that a command of the session printed.',
  },
} as const satisfies Record<string, EventSpec>;

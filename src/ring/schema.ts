/** The JSON schema of ring programs, from the tables of fields and meanings. */
import {
  COMMON_FIELDS,
  type FieldSpec,
  FILE_KINDS,
  OP_FIELDS,
  OPEN_FLAGS,
  SETUP_BITS,
} from '../uapi/sqe_fields';
import { FLAG_MEANINGS, KEY_MEANINGS, type Meaning, OP_MEANINGS } from './meanings';

type Json = { readonly [key: string]: unknown };

const NAME = '^[A-Za-z][A-Za-z0-9_]*$';
const U64 = '^(0x[0-9a-fA-F]{1,16}|-?[0-9]{1,20})$';
const U32_MAX = 0xffffffff;

/** A meaning as Markdown. */
export function meaningText({ says, since, differs }: Meaning): string {
  return [says, `Since Linux ${since}.`, ...(differs === undefined ? [] : [differs])].join(' ');
}

/** The schema, draft 7: what editors understand. */
export function ringSchema(): Json {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Ring program',
    description: 'One io_uring ring, files and buffers with known contents, and the calls of an application.',
    ...object(
      {
        name: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9_-]*$', description: 'Name of the program.' },
        description: { type: 'string', description: 'What it shows.' },
        ring: {
          description: 'The ring: sizes and setup flags.',
          ...object(
            {
              entries: { ...integer(1, 4096), description: 'SQ entries; rounded up to a power of two.' },
              cq_entries: {
                ...integer(1, 8192),
                description: 'CQ entries; twice the SQ where it is left out.',
              },
              setup: { description: 'Setup flags.', ...flags('setup', SETUP_BITS, false) },
            },
            ['entries'],
          ),
        },
        limits: {
          description: 'Limits of the process.',
          ...object({ fsize: { ...integer(0), description: 'RLIMIT_FSIZE, bytes; its signal is ignored.' } }),
        },
        files: {
          description: 'Files by name, opened before the run.',
          type: 'object',
          maxProperties: 16,
          propertyNames: { pattern: NAME },
          additionalProperties: { oneOf: FILE_KINDS.map(fileOf) },
        },
        buffers: {
          description: 'Buffers by name, page aligned.',
          type: 'object',
          maxProperties: 16,
          propertyNames: { pattern: NAME },
          additionalProperties: object(
            {
              size: { ...integer(1), description: 'Bytes.' },
              fixed: { type: 'boolean', description: 'Registered, in the order of the list.' },
            },
            ['size'],
          ),
        },
        steps: { type: 'array', description: 'What the application does.', items: { oneOf: steps() } },
      },
      ['name', 'ring', 'steps'],
    ),
    definitions: { sqe: sqe() },
  };
}

function steps(): Json[] {
  const count = integer(0, U32_MAX);
  return [
    object(
      {
        submit: {
          type: 'array',
          description: 'SQEs that are put behind those still in the SQ; then io_uring_enter.',
          items: { $ref: '#/definitions/sqe' },
        },
        to_submit: { ...count, description: 'How many to submit instead of all.' },
        wait: { ...count, description: 'Enter with GETEVENTS and this min_complete.' },
      },
      ['submit'],
    ),
    object(
      {
        reap: {
          description: 'Takes that many CQEs, or all that can still come.',
          anyOf: [integer(1, U32_MAX), { const: 'all' }],
        },
      },
      ['reap'],
    ),
    object({ sleep_us: { ...count, description: 'Microseconds outside the kernel.' } }, ['sleep_us']),
    object({ close: { ...fileRef(), description: 'close(2) of a file or of one end of a pipe.' } }, [
      'close',
    ]),
  ];
}

function fileOf(kind: (typeof FILE_KINDS)[number]): Json {
  const fixed = { type: 'boolean', description: 'Registered too; a pipe takes two indices.' };
  const own: Json = {
    file: {
      size: { ...integer(0), description: 'Bytes.' },
      cached: { type: 'boolean', description: 'false: dropped from the page cache before the run.' },
      open: flags('open', bitsOf(OPEN_FLAGS), false),
    },
    pipe: {
      size: { ...integer(0), description: 'Capacity, bytes: 4096 for each slot.' },
      fill: { ...integer(0), description: 'Bytes that are in it before the run.' },
      open: flags('open', bitsOf(['NONBLOCK']), false),
    },
  }[kind as 'file' | 'pipe'] ?? { open: flags('open', bitsOf(OPEN_FLAGS), false) };
  const says = { file: 'Regular file on ext4.', pipe: 'Pipe; its ends are NAME.r and NAME.w.' }[
    kind as 'file' | 'pipe'
  ];
  return object({ kind: { const: kind, description: says ?? `/dev/${kind}.` }, fixed, ...own }, ['kind']);
}

function bitsOf(names: readonly string[]): Record<string, number> {
  return Object.fromEntries(names.map((name, i) => [name, i]));
}

/** One SQE: what every op takes, and by its op what else. */
function sqe(): Json {
  const ops = Object.keys(OP_FIELDS);
  const common = Object.fromEntries(
    Object.entries(COMMON_FIELDS).map(([key, spec]) => [key, field(key, spec)]),
  );
  const all = Object.assign({}, ...Object.values(OP_FIELDS)) as Record<string, FieldSpec>;
  return {
    type: 'object',
    required: ['op', 'user_data'],
    properties: {
      op: {
        description: KEY_MEANINGS.op,
        anyOf: [described(ops, OP_MEANINGS), integer(0, 255)],
      },
      user_data: { type: 'string', pattern: U64, description: KEY_MEANINGS.user_data },
      ...common,
      ...Object.fromEntries(Object.entries(all).map(([key, spec]) => [key, field(key, spec)])),
    },
    additionalProperties: false,
    allOf: ops.map((op) => {
      const own = OP_FIELDS[op] ?? {};
      const required = Object.keys(own).filter((key) => own[key]?.required);
      const names = ['op', 'user_data', ...Object.keys(COMMON_FIELDS), ...Object.keys(own)];
      return {
        if: { properties: { op: { const: op } }, required: ['op'] },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
        then: { propertyNames: { enum: names }, ...(required.length > 0 ? { required } : {}) },
      };
    }),
  };
}

function field(key: string, spec: FieldSpec): Json {
  const description = KEY_MEANINGS[key];
  return { ...(description === undefined ? {} : { description }), ...valueSchema(key, spec) };
}

function valueSchema(key: string, spec: FieldSpec): Json {
  const wide = Number.MAX_SAFE_INTEGER;
  switch (spec.kind) {
    case 'file':
      return fileRef();
    case 'name':
      return { type: 'string', pattern: NAME };
    case 'i64':
      return { anyOf: [integer(-wide, wide), { type: 'string', pattern: U64 }] };
    case 'u64':
      return { type: 'string', pattern: U64 };
    case 'u32':
      return integer(0, U32_MAX);
    case 'u16':
      return integer(0, 0xffff);
    case 'i32':
      return { type: 'integer' };
    case 'ns':
      return integer(0, wide);
    case 'iov': {
      const number = integer(0, U32_MAX);
      const piece = object({ buf: { type: 'string', pattern: NAME }, buf_off: number, len: number }, [
        'buf',
        'len',
      ]);
      return { type: 'array', minItems: 1, maxItems: 8, items: piece };
    }
    case 'flags':
      return flags(key, spec.bits ?? {}, true);
  }
}

function flags(field: string, bits: Readonly<Record<string, number>>, raw: boolean): Json {
  const names = described(Object.keys(bits), FLAG_MEANINGS[field] ?? {});
  const item = raw ? { anyOf: [names, { type: 'string', pattern: '^0x[0-9a-fA-F]{1,8}$' }] } : names;
  return { type: 'array', uniqueItems: true, items: item };
}

function described(names: readonly string[], meanings: Readonly<Record<string, Meaning>>): Json {
  return {
    enum: names,
    markdownEnumDescriptions: names.map((name) => {
      const meaning = meanings[name];
      return meaning === undefined ? '' : meaningText(meaning);
    }),
  };
}

function fileRef(): Json {
  return { type: 'string', pattern: '^[A-Za-z][A-Za-z0-9_]*(\\.[rw])?$' };
}

function integer(minimum: number, maximum?: number): Json {
  return { type: 'integer', minimum, ...(maximum === undefined ? {} : { maximum }) };
}

function object(properties: Json, required: readonly string[] = []): Json {
  return {
    type: 'object',
    ...(required.length > 0 ? { required } : {}),
    properties,
    additionalProperties: false,
  };
}

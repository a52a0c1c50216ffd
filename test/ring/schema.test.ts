import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMON_FIELDS, OP_FIELDS, SETUP_BITS } from '../../src/uapi/sqe_fields';
import { FLAG_MEANINGS, KEY_MEANINGS, OP_MEANINGS } from '../../src/ring/meanings';
import { ringSchema } from '../../src/ring/schema';

const PROGRAMS = join(__dirname, '..', 'fixtures', 'ring');

describe('the schema of ring programs', () => {
  it('is the shipped file (update: vitest -u)', async () => {
    await expect(`${JSON.stringify(ringSchema(), null, 1)}\n`).toMatchFileSnapshot(
      '../../media/schemas/ring-program.schema.json',
    );
  });

  it('tells every op, flag and key', () => {
    expect(Object.keys(OP_MEANINGS).sort()).toEqual(Object.keys(OP_FIELDS).sort());
    expect(Object.keys(FLAG_MEANINGS.setup!).sort()).toEqual(Object.keys(SETUP_BITS).sort());
    for (const fields of [COMMON_FIELDS, ...Object.values(OP_FIELDS)]) {
      for (const [key, spec] of Object.entries(fields)) {
        if (spec.kind !== 'flags') expect(KEY_MEANINGS[key], key).toBeTypeOf('string');
        else
          expect(Object.keys(FLAG_MEANINGS[key] ?? {}).sort(), key).toEqual(Object.keys(spec.bits!).sort());
      }
    }
  });

  it('takes the given programs and refuses broken ones', () => {
    const schema = ringSchema();
    const given = readdirSync(PROGRAMS).filter((name) => !name.includes('.expect.'));
    for (const name of given) {
      const value = JSON.parse(readFileSync(join(PROGRAMS, name), 'utf8')) as unknown;
      expect(violations(schema, schema, value), name).toEqual([]);
    }
    const nop = (more: object): object => ({
      name: 'x',
      ring: { entries: 1 },
      steps: [{ submit: [{ op: 'NOP', user_data: '1', ...more }] }],
    });
    expect(violations(schema, schema, nop({}))).toEqual([]);
    for (const bad of [{ op: 'NOPE' }, { user_data: 1 }, { len: 4 }, { flags: ['LINK'] }, { op: 'READ' }])
      expect(violations(schema, schema, nop(bad)), JSON.stringify(bad)).not.toEqual([]);
  });
});

type Schema = Record<string, unknown>;

/** What of a value breaks a schema: only the keywords that the schema uses. */
function violations(root: Schema, schema: Schema, value: unknown, at = ''): string[] {
  if (typeof schema.$ref === 'string')
    return violations(
      root,
      (root.definitions as Record<string, Schema>)[schema.$ref.split('/').at(-1)!]!,
      value,
      at,
    );
  const found: string[] = [];
  const fail = (what: string): number => found.push(`${at}: ${what}`);
  const all = (list: unknown): string[][] =>
    (list as Schema[]).map((each) => violations(root, each, value, at));
  if (schema.const !== undefined && value !== schema.const) fail('const');
  if (Array.isArray(schema.enum) && !schema.enum.includes(value)) fail('enum');
  if (schema.anyOf && !all(schema.anyOf).some((list) => list.length === 0)) fail('anyOf');
  if (schema.oneOf && all(schema.oneOf).filter((list) => list.length === 0).length !== 1) fail('oneOf');
  if (schema.allOf) found.push(...all(schema.allOf).flat());
  if (schema.if && violations(root, schema.if as Schema, value, at).length === 0)
    found.push(...violations(root, schema.then as Schema, value, at));
  if (schema.type === 'string' && typeof value !== 'string') fail('type');
  if (schema.type === 'boolean' && typeof value !== 'boolean') fail('type');
  if (schema.type === 'integer' && !Number.isInteger(value)) fail('type');
  if (typeof value === 'string' && schema.pattern && !new RegExp(schema.pattern as string).test(value))
    fail('pattern');
  if (typeof value === 'number' && value < ((schema.minimum as number | undefined) ?? -Infinity))
    fail('minimum');
  if (typeof value === 'number' && value > ((schema.maximum as number | undefined) ?? Infinity))
    fail('maximum');
  if (schema.type === 'array' && !Array.isArray(value)) fail('type');
  if (Array.isArray(value)) {
    if (schema.items)
      for (const [i, item] of value.entries())
        found.push(...violations(root, schema.items as Schema, item, `${at}[${i}]`));
    return found;
  }
  if (typeof value !== 'object' || value === null) {
    if (schema.type === 'object') fail('type');
    return found;
  }
  for (const key of (schema.required as string[] | undefined) ?? [])
    if (!Object.hasOwn(value, key)) fail(`needs ${key}`);
  const properties = (schema.properties as Record<string, Schema> | undefined) ?? {};
  for (const [key, inner] of Object.entries(value)) {
    if (schema.propertyNames)
      found.push(...violations(root, schema.propertyNames as Schema, key, `${at} key ${key}`));
    if (Object.hasOwn(properties, key))
      found.push(...violations(root, properties[key]!, inner, `${at}.${key}`));
    else if (schema.additionalProperties === false) fail(`has no ${key}`);
    else if (typeof schema.additionalProperties === 'object')
      found.push(...violations(root, schema.additionalProperties as Schema, inner, `${at}.${key}`));
  }
  return found;
}

/** Reading checked values out of a JSON text; every complaint has a place. */
import { type JsonMember, type JsonNode, placeAt, ProgramError } from './json_text';

/** Complains about values of one text. */
export class JsonReader {
  constructor(readonly text: string) {}

  fail(message: string, at: number): never {
    throw new ProgramError(message, at, placeAt(this.text, at));
  }

  /** Members by key; complains about keys that are not in `allowed` and about missing ones. */
  object(
    node: JsonNode,
    what: string,
    allowed: readonly string[],
    required: readonly string[],
  ): Map<string, JsonMember> {
    if (node.type !== 'object') this.fail(`${what} must be an object`, node.at);
    const found = new Map<string, JsonMember>();
    for (const member of node.members) {
      if (!allowed.includes(member.key)) {
        this.fail(
          `${what} has no ${JSON.stringify(member.key)}; it can have ${allowed.join(', ')}`,
          member.keyAt,
        );
      }
      found.set(member.key, member);
    }
    for (const key of required)
      if (!found.has(key)) this.fail(`${what} needs ${JSON.stringify(key)}`, node.at);
    return found;
  }

  /** Members of an object whose keys are names. */
  named(node: JsonNode, what: string, most: number): readonly JsonMember[] {
    if (node.type !== 'object') this.fail(`${what} must be an object`, node.at);
    if (node.members.length > most) this.fail(`at most ${most} ${what}`, node.members[most]!.keyAt);
    for (const { key, keyAt } of node.members) {
      if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(key)) {
        this.fail(`${JSON.stringify(key)} is not a name: a letter, then letters, digits and _`, keyAt);
      }
    }
    return node.members;
  }

  items(node: JsonNode, what: string): readonly JsonNode[] {
    if (node.type !== 'array') this.fail(`${what} must be a list`, node.at);
    return node.items;
  }

  string(node: JsonNode, what: string): string {
    if (node.type !== 'string') this.fail(`${what} must be a string`, node.at);
    return node.value;
  }

  boolean(node: JsonNode, what: string): boolean {
    if (node.type !== 'boolean') this.fail(`${what} must be true or false`, node.at);
    return node.value;
  }

  /** A whole number in [min, max]. */
  integer(node: JsonNode, what: string, min: number, max: number): number {
    if (node.type !== 'number' || !Number.isInteger(node.value))
      this.fail(`${what} must be a whole number`, node.at);
    if (node.value < min || node.value > max) {
      this.fail(`${what} must be from ${min} to ${max}, not ${node.text}`, node.at);
    }
    return node.value;
  }

  /** A 64-bit value: a whole number, or a decimal or 0x string. The result is unsigned. */
  word64(node: JsonNode, what: string): bigint {
    let value: bigint;
    if (node.type === 'number') {
      if (!Number.isSafeInteger(node.value)) {
        this.fail(`${what} must be a whole number, beyond 2^53 as a string`, node.at);
      }
      value = BigInt(node.value);
    } else return this.word64Text(node, what);
    return BigInt.asUintN(64, value);
  }

  /** A 64-bit value given as a string. */
  word64Text(node: JsonNode, what: string): bigint {
    const text = this.string(node, what);
    if (!/^(0x[0-9a-fA-F]{1,16}|-?[0-9]{1,20})$/.test(text)) {
      this.fail(`${what} must be a decimal or 0x number of 64 bits, not ${JSON.stringify(text)}`, node.at);
    }
    const value = BigInt(text);
    if (value > 0xffffffffffffffffn || value < -0x8000000000000000n)
      this.fail(`${what} does not fit 64 bits`, node.at);
    return BigInt.asUintN(64, value);
  }

  /** A list of flag names, and 0x strings of raw bits. */
  flags(node: JsonNode, what: string, bits: Readonly<Record<string, number>>, raw: boolean): number {
    let value = 0;
    const seen = new Set<string>();
    for (const item of this.items(node, what)) {
      const name = this.string(item, `an entry of ${what}`);
      if (seen.has(name)) this.fail(`${name} is given twice in ${what}`, item.at);
      seen.add(name);
      const bit = Object.hasOwn(bits, name) ? bits[name] : undefined;
      if (bit !== undefined) value = (value | bit) >>> 0;
      else if (raw && /^0x[0-9a-fA-F]{1,8}$/.test(name)) value = (value | Number(name)) >>> 0;
      else
        this.fail(
          `${what} has no ${JSON.stringify(name)}; it can have ${Object.keys(bits).join(', ')}`,
          item.at,
        );
    }
    return value;
  }
}

/** Longest body whose fields are looked for, in characters. */
const MAX_BODY = 2000;

/**
 * The template of a body that a function probe (`(place) key=value ...`) or a key=value tracepoint printed,
 * or undefined when it is not made of such fields. The template reads exactly the text that it was made from.
 */
export function learnForm(body: string): string | undefined {
  if (body.length > MAX_BODY || body.includes('{') || body.includes('}')) return undefined;
  let rest = body;
  let text = '';
  const names = new Set<string>();
  if (rest.startsWith('(')) {
    const close = rest.indexOf(')');
    if (close < 0) return undefined;
    text = '({loc:s})';
    names.add('loc');
    rest = rest.slice(close + 1);
    if (rest === '') return text;
    if (!rest.startsWith(' ')) return undefined;
    text += ' ';
    rest = rest.slice(1);
  }
  const parts = rest.split(' ');
  for (const [index, part] of parts.entries()) {
    const match = /^([A-Za-z_]\w*)=(.*)$/.exec(part);
    if (!match || names.has(match[1])) return undefined;
    names.add(match[1]);
    text += `${index ? ' ' : ''}${match[1]}=${valueForm(match[1], match[2])}`;
  }
  return text;
}

function valueForm(name: string, value: string): string {
  if (/^0x(0|[1-9a-f][0-9a-f]{0,15})$/.test(value)) return `0x{${name}:x}`;
  if (/^(0|-?[1-9]\d{0,17})$/.test(value)) return `{${name}:d}`;
  if (/^[1-9]\d{18,19}$/.test(value) && BigInt(value) <= 0xffffffffffffffffn) return `{${name}:u}`;
  return `{${name}:s}`;
}

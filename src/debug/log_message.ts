/** A backslash and what it makes literal, or an expression in braces. */
const PARTS = /\\([\\{}])|\{([^{}]*)\}/g;

/** A log message whose `{expressions}` are replaced; `\{`, `\}` and `\\` stand for the character itself. */
export function logParts(message: string, value: (expression: string) => string): string {
  return message.replace(PARTS, (_, literal: string | undefined, expression: string | undefined) =>
    literal === undefined ? value(expression ?? '') : literal,
  );
}

/** The expressions of a log message, in order. */
export function logExpressions(message: string): string[] {
  const found: string[] = [];
  logParts(message, (expression) => {
    found.push(expression);
    return '';
  });
  return found;
}

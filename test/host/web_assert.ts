// Stands for 'node:assert/strict' in the bundle for the web worker extension host: what the suites use of it.

function fail(what: string, actual: unknown, expected: unknown, message: string | undefined): never {
  const detail = `${JSON.stringify(actual)} ${what} ${JSON.stringify(expected)}`;
  throw new Error(message === undefined ? detail : `${message}: ${detail}`);
}

export function ok(value: unknown, message?: string): asserts value {
  if (!value) throw new Error(message ?? `${JSON.stringify(value)} is not true`);
}

export function equal(actual: unknown, expected: unknown, message?: string): void {
  if (!Object.is(actual, expected)) fail('is not', actual, expected, message);
}

export function notEqual(actual: unknown, expected: unknown, message?: string): void {
  if (Object.is(actual, expected)) fail('is', actual, expected, message);
}

/** Of plain data only. */
export function deepEqual(actual: unknown, expected: unknown, message?: string): void {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) fail('is not', actual, expected, message);
}

export function match(text: string, pattern: RegExp, message?: string): void {
  if (!pattern.test(text)) throw new Error(`${message ?? 'no match'}: ${text} does not match ${pattern}`);
}

export async function rejects(promise: Promise<unknown>, pattern: RegExp): Promise<void> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason ?? new Error('no reason'),
  );
  if (!(error instanceof Error)) throw new Error(`not rejected with an error: ${String(error)}`);
  match(error.message, pattern);
}

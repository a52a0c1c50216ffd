/** Time since the start of the trace or since the line before: `83.58 µs`, `102.97 ms`. Always four digits or fewer. */
export function nsText(ns: number): string {
  if (ns < 1000) return `${Math.round(ns)} ns`;
  const [unit, size] = ns < 1e6 ? ['µs', 1e3] : ns < 1e9 ? ['ms', 1e6] : ['s', 1e9];
  const value = ns / (size as number);
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : value < 10_000 ? 0 : 0)} ${unit}`;
}

/** Translates an English text and fills in `{0}`, `{1}`, … as vscode.l10n.t does. */
export type Words = (text: string, ...values: readonly (string | number)[]) => string;

/** Words from the host's table of translations; what it lacks stays English. */
export function wordsFrom(strings: Readonly<Record<string, string>>): Words {
  return (text, ...values) =>
    (strings[text] ?? text).replace(/\{(\d+)\}/g, (hole, k: string) => String(values[Number(k)] ?? hole));
}

/** Marks an English text that is translated where it is shown, so that it can be collected. */
export function said(text: string): string {
  return text;
}

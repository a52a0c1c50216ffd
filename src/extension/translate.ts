/**
 * Turns a message of ours into the language of the person, with `{0}`, `{1}` ... replaced; `vscode.l10n.t` is one. Modules that
 * know no vscode are handed it. Texts about commands, options and events come from their tables and are English.
 */
export type Translate = (message: string, ...args: (string | number)[]) => string;

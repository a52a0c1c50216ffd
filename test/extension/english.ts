import type { Translate } from '../../src/extension/translate';

/** What vscode.l10n.t does without a translation. */
export const english: Translate = (message, ...args) =>
  message.replace(/\{(\d+)\}/g, (whole, k: string) => String(args[Number(k)] ?? whole));

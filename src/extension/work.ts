import * as vscode from 'vscode';

/** Longest stretch of work before others run, ms. */
const STRETCH_MS = 12;
/** Work that takes longer shows its progress, ms. */
const QUIET_MS = 400;

/** What long work is given: a way to let others run, to tell how far it is, and to see that it was given up. */
export interface Work {
  readonly pause: () => Promise<void>;
  readonly progress: (what: string, share: number | undefined) => void;
  readonly cancelled: () => boolean;
}

/** A pause for sliced work: lets others run whenever the work has run for a stretch, otherwise costs nothing. */
export function turns(): () => Promise<void> {
  let since = Date.now();
  return async () => {
    if (Date.now() - since < STRETCH_MS) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    since = Date.now();
  };
}

/** One who shows progress and takes a cancel himself. */
export type Watcher = Pick<Work, 'progress' | 'cancelled'>;

/**
 * Runs long work in slices; shows a notification with a Cancel button once it has taken a moment, unless a watcher shows how far
 * it is.
 */
export async function longWork<T>(
  title: string,
  run: (work: Work) => Promise<T>,
  watcher?: Watcher,
): Promise<T> {
  const state = { cancelled: false, message: '', share: undefined as number | undefined };
  const shown: { report?: () => void } = {};
  const work: Work = {
    pause: turns(),
    progress: (what, share) => {
      state.message = what;
      state.share = share;
      shown.report?.();
      watcher?.progress(what, share);
    },
    cancelled: () => state.cancelled || watcher?.cancelled() === true,
  };
  const result = run(work);
  if (watcher !== undefined) return await result;
  const timer = setTimeout(() => {
    const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
    void vscode.window.withProgress(options, async (progress, token) => {
      token.onCancellationRequested(() => {
        state.cancelled = true;
      });
      let reported = 0;
      shown.report = () => {
        const next = Math.floor((state.share ?? 0) * 100);
        progress.report({ message: state.message, increment: Math.max(0, next - reported) });
        reported = Math.max(reported, next);
      };
      shown.report();
      await result.catch(() => undefined);
    });
  }, QUIET_MS);
  try {
    return await result;
  } finally {
    clearTimeout(timer);
  }
}

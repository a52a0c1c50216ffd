import type { Port } from './client';
import type { SavedView } from './protocol';
import { PROTOCOL_VERSION } from './protocol';
import type { Keeper } from './store';

/** What VS Code gives a webview, once per load. */
interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

/** The channel to the extension and the memory across reloads. */
export function connect(): { port: Port; keeper: Keeper } {
  const api = acquireVsCodeApi();
  return {
    port: {
      post: (message) => api.postMessage(message),
      listen: (receive) => {
        const listener = (event: MessageEvent): void => receive(event.data);
        window.addEventListener('message', listener);
        return () => window.removeEventListener('message', listener);
      },
    },
    keeper: {
      get: () => savedView(api.getState()),
      set: (view) => api.setState(view),
    },
  };
}

/** A kept view of this version; anything else is as if nothing were kept. */
export function savedView(state: unknown): SavedView | undefined {
  if (typeof state !== 'object' || state === null) return undefined;
  return 'version' in state && state.version === PROTOCOL_VERSION ? (state as SavedView) : undefined;
}

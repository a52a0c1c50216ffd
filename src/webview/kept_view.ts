import { PROTOCOL_VERSION, type SavedView } from './protocol';
import type { Store } from './store';

/** What to keep of the view across reloads; undefined while nothing is shown. Reads signals, so an effect runs again when one changes. */
export function keptView(store: Store): SavedView | undefined {
  const trace = store.traces.value[0];
  const [cursor, ...others] = store.cursors.value;
  if (trace === undefined || cursor === undefined) return undefined;
  return {
    version: PROTOCOL_VERSION,
    uri: trace.uri,
    face: store.face.value,
    cursor,
    others,
    active: store.active.value,
    from: store.range.value.from,
    to: store.range.value.to,
    scroll: store.scroll.value,
    zooms: store.zooms.value,
    notes: store.notes.value,
    sidePanel: store.sidePanel.value,
  };
}

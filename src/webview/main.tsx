import { effect } from '@preact/signals-core';
import { render } from 'preact';
import { Client } from './client';
import { keptView } from './kept_view';
import { Shell } from './shell/shell';
import { Store } from './store';
import { putHues } from './timeline/theme';
import { connect } from './vscode_api';

/** How long the view rests before it is kept: dragging must not write at every frame, ms. */
const REST = 200;

const { port, keeper } = connect();
const store = new Store(new Client(port), keeper, matchMedia('(max-width: 760px)').matches);

let timer: ReturnType<typeof setTimeout> | undefined;
effect(() => {
  const view = keptView(store);
  if (view === undefined || !store.ready.value) return;
  clearTimeout(timer);
  timer = setTimeout(() => store.keep(view), REST);
});
effect(() => {
  // A cursor of no event has nothing to explain; a closed panel nobody to explain it to.
  store.epoch.value;
  store.cursor.value;
  if (store.sidePanel.value && store.ready.value) store.wantExplanation();
});

putHues(document);
render(<Shell store={store} />, document.body);
void store.start();

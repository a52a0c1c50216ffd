import { copyMermaid, copyPng, copySvg, saveMermaid, savePng, saveSvg } from './pictures';
import type { Store } from './store';

/** Does what commands of the host ask of the view; returns what stops that. */
export function hostCommands(store: Store): () => void {
  return store.client.on('command', ({ name, face }) => {
    switch (name) {
      case 'fit':
      case 'search':
        store.run(name);
        break;
      case 'face':
        if (face !== undefined) store.face.value = face;
        break;
      case 'savePng':
        void savePng(store);
        break;
      case 'saveSvg':
        void saveSvg(store);
        break;
      case 'saveMermaid':
        void saveMermaid(store);
        break;
      case 'copyPng':
        void copyPng(store);
        break;
      case 'copySvg':
        void copySvg(store);
        break;
      case 'copyMermaid':
        void copyMermaid(store);
        break;
    }
  });
}

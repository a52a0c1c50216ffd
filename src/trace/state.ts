/** The state of the machine at any event: types, replay, seeking, paths and text. */
export * from './state_types';
export { type Snapshot, StateReducer } from './state_reducer';
export { StateCache, stateAt } from './snapshots';
export { ChangeIndex, STRETCH } from './state_changes';
export {
  diffState,
  type Leaf,
  pathReader,
  readPath,
  slotId,
  type StateChange,
  stateLeaves,
  type StatePath,
  statePaths,
} from './state_paths';
export { formatState } from './state_format';

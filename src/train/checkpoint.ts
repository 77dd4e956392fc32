/** Checkpoints: everything that going on bit for bit needs, in one file that is whole or not there. */
export { CheckpointError } from './checkpoint/errors.js';
export {
  type CheckpointInfo,
  findNotFinite,
  type LoadCheckpointOptions,
  loadCheckpoint,
  readCheckpointInfo,
  type SaveCheckpointOptions,
  saveCheckpoint,
} from './checkpoint/file.js';
export {
  CheckpointKeeper,
  type CheckpointKeeperOptions,
  hasCheckpoint,
  type LastCheckpoint,
  loadLast,
  type SavedCheckpoint,
} from './checkpoint/keeper.js';
export {
  type CheckpointState,
  randomStates,
  restoreRandomStates,
  restoreState,
  type Trained,
  takeState,
} from './checkpoint/state.js';

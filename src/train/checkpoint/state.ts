/** What a checkpoint holds, and how it is taken from and given back to what trains. */
import type { LoaderState } from '../../data/types.js';
import type { AnyModule } from '../../nn/module.js';
import type { StateDict } from '../../nn/state-dict.js';
import type { ExponentialMovingAverage, MovingAverageState } from '../../optim/average.js';
import type { CommonOptions, Optimizer } from '../../optim/optimizer.js';
import type { OptimizerState } from '../../optim/state.js';
import { type Tensor, torch } from '../../torch/index.js';

/** Everything that going on bit for bit needs. What is not a tensor must fit JSON; NaN, infinities and bigints are kept. */
export interface CheckpointState {
  /** Optimiser steps done. */
  readonly step: number;
  /** Epoch the next step belongs to, counted from 0. */
  readonly epoch: number;
  readonly model: StateDict;
  /** What `optimizer.state()` gave. */
  readonly optimizer?: OptimizerState;
  /** What `ExponentialMovingAverage.state()` gave. */
  readonly average?: MovingAverageState;
  /** Random states by device, from `randomStates()`. */
  readonly random?: Readonly<Record<string, Tensor>>;
  readonly loader?: LoaderState;
  /** How good these very weights are, for choosing the best; absent where they were not evaluated. */
  readonly score?: number;
  readonly schedule?: unknown;
  /** Metrics so far. */
  readonly metrics?: unknown;
  /** Anything else. */
  readonly extra?: unknown;
  /** Any other tensors. */
  readonly tensors?: Readonly<Record<string, Tensor>>;
}

/** Random states of the CPU and of every accelerator that is there, by device. */
export function randomStates(): Record<string, Tensor> {
  const states: Record<string, Tensor> = { cpu: torch.getRngState('cpu') };
  for (let i = 0; i < torch.cuda.deviceCount(); i++) states[`cuda:${i}`] = torch.getRngState(`cuda:${i}`);
  if (torch.mps.isAvailable()) states.mps = torch.getRngState('mps');
  return states;
}

/** Goes back to random states that `randomStates` gave. States of devices that are not here are left out, and named in the answer. */
export function restoreRandomStates(states: Readonly<Record<string, Tensor>>): string[] {
  const here = new Set(Object.keys(randomStates()));
  const missing: string[] = [];
  for (const [device, state] of Object.entries(states)) {
    if (here.has(device)) torch.setRngState(state, device);
    else missing.push(device);
  }
  return missing;
}

/** What trains. */
export interface Trained<O extends CommonOptions = CommonOptions> {
  readonly model: AnyModule;
  readonly optimizer?: Optimizer<O> | undefined;
  readonly average?: ExponentialMovingAverage | undefined;
}

/**
 * The state of what trains, with the random states of all devices. The tensors are the model's and the optimiser's own: save them
 * before the next step. `saveCheckpoint` takes what they hold when it is called.
 */
export function takeState<O extends CommonOptions>(
  trained: Trained<O>,
  facts: Omit<CheckpointState, 'model' | 'optimizer' | 'average' | 'random'>,
): CheckpointState {
  return {
    ...facts,
    model: trained.model.stateDict(),
    ...(trained.optimizer === undefined ? {} : { optimizer: trained.optimizer.state() }),
    ...(trained.average === undefined ? {} : { average: trained.average.state() }),
    random: randomStates(),
  };
}

/**
 * Puts a state back into what trains: weights, optimiser, average, random states. The loader, the schedule and the metrics are the
 * caller's to put back.
 * @throws StateDictError, ArgumentError when the state is of another model or optimiser
 */
export function restoreState<O extends CommonOptions>(trained: Trained<O>, state: CheckpointState): void {
  trained.model.loadStateDict(state.model);
  if (trained.optimizer !== undefined && state.optimizer !== undefined) trained.optimizer.loadState(state.optimizer);
  if (trained.average !== undefined && state.average !== undefined) trained.average.loadState(state.average);
  if (state.random !== undefined) restoreRandomStates(state.random);
}

/** Everything a piece of training changes, copied before and put back afterwards: weights, buffers, gradients, optimiser, random numbers. */

import type { Generator } from '../torch/generator.js';
import { native } from '../torch/load.js';
import { keep } from '../torch/memory.js';
import { defaultGenerator } from '../torch/random.js';
import type { Tensor } from '../torch/tensor.js';
import { withoutGradients } from './engine.js';
import type { CommonOptions, Optimizer } from './optimizer.js';

/** A model, as far as its tensors go; every `nn.Module` is one. */
export interface ModelTensors {
  parameters(): Iterable<Tensor>;
  buffers(): Iterable<Tensor>;
}

/** The default generator of every device of this machine. */
function defaultGenerators(): Generator[] {
  const devices = ['cpu'];
  for (const type of ['cuda', 'mps']) for (let i = 0; i < native.deviceCount(type); i++) devices.push(`${type}:${i}`);
  return devices.map((device) => defaultGenerator(device));
}

/** A copy of the state of training that can be gone back to any number of times. */
export class Preserved<Options extends CommonOptions> {
  readonly #tensors: () => Tensor[];
  readonly #copies: readonly Tensor[];
  readonly #gradients: readonly { readonly parameter: Tensor; readonly gradient: Tensor | null }[];
  readonly #optimizer: Optimizer<Options>;
  readonly #snapshot: ReturnType<Optimizer<Options>['snapshot']>;
  readonly #generators: readonly { readonly generator: Generator; readonly state: Tensor }[];
  readonly #modes: readonly { readonly module: object; readonly training: unknown }[];

  constructor(model: ModelTensors, optimizer: Optimizer<Options>, generators: Iterable<Generator>) {
    const parameters = new Set([...model.parameters(), ...optimizer.parameters()]);
    // Asked for anew each time: a module may put another tensor in the place of a buffer.
    this.#tensors = () => [...parameters, ...model.buffers()];
    this.#copies = this.#tensors().map((tensor) => withoutGradients(() => keep(tensor.detach().clone())));
    // The gradients themselves are set aside, not copied: training in between makes its own.
    this.#gradients = [...parameters].map((parameter) => ({ parameter, gradient: parameter.grad }));
    this.#optimizer = optimizer;
    this.#snapshot = optimizer.snapshot();
    this.#generators = [...defaultGenerators(), ...generators].map((generator) => ({
      generator,
      state: keep(generator.getState()),
    }));
    // Of every part: some may be in another mode than the whole, such as frozen normalisation.
    const parts = 'modules' in model && typeof model.modules === 'function' ? [...(model.modules() as object[])] : [];
    this.#modes = [model, ...parts]
      .filter((module) => 'training' in module)
      .map((module) => ({ module, training: Reflect.get(module, 'training') }));
  }

  /** Weights, buffers and optimiser as they were, no gradients: where each sweep starts. */
  rewind(): void {
    withoutGradients(() => {
      for (const [i, tensor] of this.#tensors().entries()) tensor.detach().copy_(this.#copies[i] as Tensor);
    });
    for (const { parameter } of this.#gradients) parameter.grad = null;
    this.#optimizer.restore(this.#snapshot);
  }

  /** Everything as it was. */
  restore(): void {
    this.rewind();
    for (const { parameter, gradient } of this.#gradients) parameter.grad = gradient;
    for (const { generator, state } of this.#generators) generator.setState(state);
    for (const { module, training } of this.#modes) Reflect.set(module, 'training', training);
  }

  /** Frees the copies; nothing can be put back afterwards. */
  dispose(): void {
    for (const copy of this.#copies) copy.dispose();
    for (const { state } of this.#generators) state.dispose();
    for (const { state } of this.#snapshot.slots) for (const { copy } of state.values()) copy.dispose();
  }
}

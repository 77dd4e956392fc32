/** What all optimisers share: parameter groups, the step, clearing gradients, state in and out, what they cost. */
import { ArgumentError } from '../torch/errors.js';
import { native } from '../torch/load.js';
import { Tensor } from '../torch/tensor.js';
import { type Bucket, Gathering, isSparse, Slot } from './bucket.js';
import { laidOutAs, onOneThread, withoutGradients } from './engine.js';
import { describeCost, type MemoryPerParameter, memoryOf } from './memory.js';
import { refuseUnknown, requireBoolean, requireNumber } from './options.js';
import { loadPythonState, type PythonStateDict, pythonState } from './python-state.js';
import {
  loadOptimizerState,
  type OptimizerState,
  optimizerState,
  restoreSnapshot,
  type Snapshot,
  takeSnapshot,
} from './state.js';

/** Options that every optimiser has, per group. */
export interface CommonOptions {
  /** Learning rate: how far a step goes. */
  lr: number;
  /** Share of each weight that pulls it towards zero in each step. */
  weightDecay: number;
  /** Climb instead of descending. */
  maximize: boolean;
}

/** Parameters that are trained with the same options. Options may be changed between steps, as schedules do with `lr`. */
export type ParameterGroup<Options> = Options & {
  readonly params: Tensor[];
  /** For messages and logs. */
  name?: string;
  /** The rate a schedule starts from; set by the first scheduler that takes the group. */
  initialLr?: number;
  /** What came with a Python state dict and means nothing here; it goes back with the next one. */
  extras?: Readonly<Record<string, unknown>>;
};

/** A group as it is given: its parameters, and options that differ from the optimiser's. */
export type GroupSpecification<Options> = Partial<Options> & {
  readonly params: Tensor | Iterable<Tensor>;
  readonly name?: string;
  readonly initialLr?: number;
};

/** What an optimiser is given: `net.parameters()`, one tensor, or groups. */
export type Parameters<Options> = Tensor | Iterable<Tensor> | Iterable<GroupSpecification<Options>>;

/** How the engine computes a step. */
export interface Implementation {
  /**
   * `fused`: one pass over the memory for everything, where the engine has it for the device and type. `foreach`: a few operators
   * over all tensors. Default: fused where it works. Both give PyTorch's numbers.
   */
  readonly implementation?: 'fused' | 'foreach';
}

/** Base of the optimisers. Source of names and behaviour: https://docs.pytorch.org/docs/stable/optim.html */
export abstract class Optimizer<Options extends CommonOptions = CommonOptions> {
  readonly paramGroups: ParameterGroup<Options>[] = [];
  readonly defaults: Readonly<Options>;
  /** In the order of groups and of parameters within them. @internal */
  readonly slots: Slot[][] = [];
  protected readonly implementation: 'fused' | 'foreach' | undefined;
  #made: Tensor[] = [];

  /** Whether the state counts steps (`step` in PyTorch's state dicts). @internal */
  readonly countsSteps: boolean = true;
  /** What PyTorch's groups hold besides, with the values they have there by default. @internal */
  readonly pythonOptions: Readonly<Record<string, unknown>> = { foreach: null, differentiable: false };

  protected constructor(parameters: Parameters<Options>, defaults: Options, given: Partial<Options> & Implementation) {
    if (typeof given !== 'object' || given === null)
      throw new ArgumentError(`${this.name}: options come as an object, e.g. { lr: 0.01 }; got ${String(given)}.`);
    const { implementation, ...options } = given;
    if (implementation !== undefined && implementation !== 'fused' && implementation !== 'foreach')
      throw new ArgumentError(
        `${this.name}: implementation must be 'fused' or 'foreach' (or left out), got '${String(implementation)}'.`,
      );
    refuseUnknown(this.name, given, [...Object.keys(defaults), 'implementation']);
    this.defaults = { ...defaults, ...definedOnly(options) };
    this.implementation = implementation;
    const groups = groupsOf(parameters, this.name);
    if (groups.length === 0)
      throw new ArgumentError(`${this.name}: got no parameters; pass net.parameters(), tensors or groups.`);
    for (const group of groups) this.addParamGroup(group as GroupSpecification<Options>);
  }

  /** The class's name, as messages and state give it. */
  get name(): string {
    return this.constructor.name;
  }

  /** Names of the tensors kept per parameter with a group's options, e.g. `expAvg`. @internal */
  abstract stateNames(options: Readonly<Options>): readonly string[];
  /** Updates the parameters of one bucket. Runs without recording gradients; what it makes is freed after the step. */
  protected abstract update(bucket: Bucket, group: ParameterGroup<Options>): void;
  /** Throws for options that make no sense. Called for every group. */
  protected checkOptions(options: Readonly<Options>): void {
    requireNumber(this.name, 'lr', options.lr, { atLeast: 0 });
    requireNumber(this.name, 'weightDecay', options.weightDecay, { atLeast: 0 });
    requireBoolean(this.name, 'maximize', options.maximize);
  }
  /** Whether a fused operator does this group's work on a device. */
  protected canFuse(_device: string, _group: ParameterGroup<Options>): boolean {
    return false;
  }
  /** What buckets are told apart by besides type and device. */
  protected phaseOf(slot: Slot): number {
    return slot.step;
  }
  /** Makes what the parameter's state lacks. @internal */
  prepare(slot: Slot, names: readonly string[]): void {
    for (const name of names) if (slot.state[name] === undefined) slot.make(name);
  }
  /** Throws for parameters the optimiser cannot train. */
  protected checkParameter(_parameter: Tensor, _where: string): void {}

  /** Adds parameters, e.g. those of layers that were frozen so far. Options that are not given are the optimiser's own. */
  addParamGroup(group: GroupSpecification<Options>): void {
    const index = this.paramGroups.length;
    if (typeof group !== 'object' || group === null || !('params' in group))
      throw new ArgumentError(
        `${this.name}: group ${index} must be an object with params, e.g. { params: layer.parameters(), lr: 0.01 }.`,
      );
    const { params, ...given } = group;
    const { name, initialLr, ...options } = given as Record<string, unknown>;
    refuseUnknown(`${this.name}, group ${index}`, options, Object.keys(this.defaults));
    const known = new Set(this.slots.flat().map((slot) => slot.parameter));
    const tensors = params instanceof Tensor ? [params] : [...params];
    for (const [position, parameter] of tensors.entries()) {
      const where = `${this.name}: parameter ${position} of group ${index}`;
      if (!(parameter instanceof Tensor))
        throw new ArgumentError(`${where} must be a Tensor, got ${typeof parameter}.`);
      if (known.has(parameter))
        throw new ArgumentError(
          `${where} (shape [${parameter.shape.join(', ')}]) is there already; a parameter belongs to one group.`,
        );
      known.add(parameter);
      if (!parameter.isLeaf)
        throw new ArgumentError(
          `${where} (shape [${parameter.shape.join(', ')}]) was computed (${parameter.gradFn?.name ?? 'it has a history'}); only leaves can be trained: detach() it, or give what it was computed from.`,
        );
      if (!parameter.isFloatingPoint())
        throw new ArgumentError(`${where} is ${parameter.dtype}; only floating-point tensors can be trained.`);
      this.checkParameter(parameter, where);
    }
    const made = { ...this.defaults, ...definedOnly(options), params: tensors } as ParameterGroup<Options>;
    if (name !== undefined) made.name = String(name);
    if (initialLr !== undefined) made.initialLr = requireNumber(this.name, 'initialLr', initialLr, { atLeast: 0 });
    this.checkOptions(made);
    this.paramGroups.push(made);
    this.slots.push(tensors.map((parameter) => new Slot(parameter)));
  }

  /** All parameters, in the order of the groups. */
  parameters(): Tensor[] {
    return this.paramGroups.flatMap((group) => group.params);
  }

  /**
   * Changes every parameter that has a gradient. With a closure, calls it first (with gradients recorded) and returns what it gives:
   * the closure clears the gradients, computes the loss and calls `backward`.
   */
  step(): undefined;
  step<T>(closure: () => T): T;
  step<T>(closure?: () => T): T | undefined {
    let result: T | undefined;
    if (closure !== undefined) {
      const before = native.setGradEnabled(true);
      try {
        result = closure();
      } finally {
        native.setGradEnabled(before);
      }
    }
    for (let i = 0; i < this.paramGroups.length; i++) this.#stepGroup(i);
    return result;
  }

  #stepGroup(index: number): void {
    const group = this.paramGroups[index] as ParameterGroup<Options>;
    const slots = this.slots[index] as Slot[];
    const names = this.stateNames(group);
    const before = native.setGradEnabled(false);
    const mark = native.scopeMark();
    // State made now must survive the end of this step's scope.
    const made: Tensor[] = [];
    this.#made = made;
    try {
      const gathering = new Gathering();
      let device = '';
      let canFuse = false;
      for (const slot of slots) {
        const gradient = native.getGrad(slot.parameter.handle);
        if (gradient === null) continue;
        slot.refresh(made);
        const flags = native.flags(gradient);
        const sparse = isSparse(flags);
        if (sparse) this.refuseSparse(slot, group);
        const phase = this.phaseOf(slot);
        for (const name of names)
          if (slot.state[name] === undefined) {
            this.prepare(slot, names);
            for (const each of names) made.push(slot.state[each] as Tensor);
            break;
          }
        // Fused operators walk the memory: the parameter must be dense, the gradient laid out alike.
        if (slot.device !== device) {
          device = slot.device;
          canFuse = this.implementation !== 'foreach' && this.canFuse(device, group);
        }
        const fused = canFuse && slot.order !== 0 && !sparse;
        const fitting = fused && !slot.sharesOrder(flags) ? laidOutAs(gradient, slot.handle) : gradient;
        gathering.add(slot, fitting, phase, fused, sparse);
      }
      for (const bucket of gathering.buckets)
        if (bucket.serial) onOneThread(() => this.update(bucket, group));
        else this.update(bucket, group);
    } finally {
      native.scopeClose(
        mark,
        made.map((tensor) => tensor.handle),
      );
      native.setGradEnabled(before);
    }
  }

  /** To be called with tensors that `update` makes and means to keep. */
  protected madeInStep(tensor: Tensor): void {
    this.#made.push(tensor);
  }

  /** Called for a sparse gradient. */
  protected refuseSparse(slot: Slot, _group: ParameterGroup<Options>): void {
    throw new ArgumentError(
      `${this.name}: the gradient of a parameter of shape [${slot.parameter.shape.join(', ')}] is sparse; only SGD without momentum and weight decay takes those. Make the embedding dense, or give its parameters to such an SGD.`,
    );
  }

  /**
   * Forgets the gradients of the last step. By default they are dropped, and the next `backward` makes new ones, which is faster than
   * adding to zeros; `setToNone: false` fills them with zeros.
   */
  zeroGrad(options: { readonly setToNone?: boolean } = {}): void {
    const drop = options.setToNone ?? true;
    for (const group of this.paramGroups)
      for (const parameter of group.params) {
        if (drop) native.setGrad(parameter.handle, null);
        else {
          const { grad } = parameter;
          if (grad !== null) withoutGradients(() => grad.detach().zero_());
        }
      }
  }

  /** Bytes per parameter that training costs, known before the first step. */
  memoryPerParameter(): MemoryPerParameter {
    return memoryOf(this);
  }

  /** `memoryPerParameter` in a sentence or two, with the totals for these parameters. */
  describeMemory(): string {
    return describeCost(this);
  }

  /**
   * What continuing needs: options (plain data, fits JSON) and tensors (fit a `.safetensors` file). The tensors are the optimiser's
   * own and change with the next step: write them to a file, or clone them, before it.
   */
  state(): OptimizerState {
    return optimizerState(this);
  }

  /** Continues from what `state()` gave. The tensors are copied; the parameters must be those of before, in the same order. */
  loadState(state: OptimizerState): void {
    loadOptimizerState(this, state);
  }

  /** The state as PyTorch's `state_dict` lays it out, ready for `torch.save(…, 'optimizer.pt')`; Python's optimiser loads it. */
  stateDict(): PythonStateDict {
    return pythonState(this as unknown as Optimizer);
  }

  /** Continues from a state dict of `stateDict()` or of PyTorch's optimiser of the same name, read with `torch.load`. */
  loadStateDict(dict: unknown): void {
    loadPythonState(this as unknown as Optimizer, dict);
  }

  /** A copy of everything, for `restore`. @internal */
  snapshot(): Snapshot {
    return takeSnapshot(this);
  }

  /** Puts options and state back exactly as they were. @internal */
  restore(snapshot: Snapshot): void {
    restoreSnapshot(this, snapshot);
  }

  /** Checks options that were loaded, as the constructor does. @internal */
  check(options: Readonly<Options>): void {
    this.checkOptions(options);
  }

  /** As in PyTorch: the class, and each group with its options in the order of the alphabet. */
  toString(): string {
    const lines = this.paramGroups.map((group, index) => {
      const options = Object.entries(group)
        .filter(([key, value]) => key !== 'params' && key !== 'extras' && value !== undefined)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => `    ${key}: ${Array.isArray(value) ? `[${value.join(', ')}]` : String(value)}`);
      return `Parameter Group ${index}\n${options.join('\n')}\n`;
    });
    return `${this.name} (\n${lines.join('\n')})`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

const definedOnly = (options: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));

/** Groups from tensors or groups. */
function groupsOf(parameters: unknown, name: string): object[] {
  if (parameters instanceof Tensor) return [{ params: [parameters] }];
  if (
    typeof parameters !== 'object' ||
    parameters === null ||
    typeof (parameters as Iterable<unknown>)[Symbol.iterator] !== 'function'
  )
    throw new ArgumentError(
      `${name}: the first argument must be tensors or groups, e.g. net.parameters(); got ${parameters === null ? 'null' : typeof parameters}.`,
    );
  const list = [...(parameters as Iterable<unknown>)];
  if (list.length === 0) return [];
  const tensors = list.filter((x) => x instanceof Tensor).length;
  if (tensors === list.length) return [{ params: list }];
  if (tensors > 0)
    throw new ArgumentError(
      `${name}: the parameters mix tensors with groups; make every entry a group, { params: … }.`,
    );
  return list as object[];
}

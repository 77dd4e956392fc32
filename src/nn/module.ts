/** The building block of networks: holds parameters, buffers and other modules as plain fields, and computes with them. */
import {
  ArgumentError,
  type ConversionOptions,
  type DeviceString,
  type DType,
  type HookHandle,
  Tensor,
} from '../torch/index.js';
import { convertModule } from './conversion.js';
import { deepCopy } from './copy.js';
import { addHook, type BackwardHook, type ForwardHook, type ForwardPreHook, type Hooks } from './hooks.js';
import { formatModule } from './module-print.js';
import { Buffer, type BufferOptions, Parameter } from './parameter.js';
import {
  type LoadStateDictOptions,
  type LoadStateDictResult,
  loadStateDict,
  type StateDict,
  stateDict,
} from './state-dict.js';

/** Any module, whatever its inputs and output. */
export type AnyModule = Module<readonly unknown[], unknown>;

/** What a module keeps beside its fields. @internal */
export interface ModuleInternals {
  /** Names of fields that are buffers, and whether they are saved. */
  buffers: Map<string, boolean>;
  hooks: Hooks | null;
}

/** Where a module keeps what is not a field. @internal */
export const internals = Symbol('praxis.module');

/** One field of a module. `name` is what state dicts and prints call it, `key` what the program calls it. */
export interface ModuleField {
  readonly name: string;
  readonly key: string;
  readonly value: unknown;
}

/** Options of `namedParameters`, `namedBuffers` and their like. */
export interface WalkOptions {
  /** Put before each name. */
  readonly prefix?: string;
  /** Also those of the modules inside. Default true. */
  readonly recurse?: boolean;
  /** Give one that is found in several places only once. Default true. */
  readonly removeDuplicate?: boolean;
}

function collectModules(module: AnyModule, found: Set<AnyModule>): void {
  if (found.has(module)) return;
  found.add(module);
  for (const value of module.moduleValues()) if (value instanceof Module) collectModules(value as AnyModule, found);
}

/**
 * Base class of all networks and layers. Extend it, put parameters (`nn.Parameter`), buffers (`nn.Buffer`, `registerBuffer`) and other modules
 * into plain fields, and write `forward`. Fields are found when they are asked for, in the order in which they were made;
 * `#private` fields, and modules inside arrays, are not found (use `nn.ModuleList`).
 *
 * `Inputs` and `Output` are the types of `forward`: one tensor in and one out unless said otherwise.
 *
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html
 */
export class Module<Inputs extends readonly unknown[] = [Tensor], Output = Tensor> {
  /** Names that state dicts use for fields called otherwise here, e.g. `{ runningMean: 'running_mean' }`; for PyTorch's weights. */
  static readonly stateNames: Readonly<Record<string, string>> = {};

  /** True while training, false while evaluating: changes what Dropout and BatchNorm do. */
  training = true;

  /** @internal */
  [internals]: ModuleInternals = { buffers: new Map(), hooks: null };

  /** Computes the output. Hooks that were registered run with it. */
  forward(..._inputs: Inputs): Output {
    throw new ArgumentError(`${this.constructor.name} has no forward(): define it in the class.`);
  }

  /** The same as `forward`, for those who miss Python's `module(x)`. */
  call(...inputs: Inputs): Output {
    return this.forward(...inputs);
  }

  /** The fields that can hold parameters, buffers and modules. Containers override it. @internal */
  moduleFields(): ModuleField[] {
    const names = (this.constructor as typeof Module).stateNames;
    const fields: ModuleField[] = [];
    for (const key of Object.keys(this)) {
      const value = (this as unknown as Readonly<Record<string, unknown>>)[key];
      if (value instanceof Tensor || value instanceof Module) fields.push({ name: names[key] ?? key, key, value });
    }
    return fields;
  }

  /** The values of `moduleFields`, and possibly others: quicker where names do not matter. Containers override it. @internal */
  moduleValues(): readonly unknown[] {
    return Object.values(this);
  }

  /** Puts a new tensor into a field. Containers override it. @internal */
  setField(key: string, value: Tensor): void {
    (this as unknown as Record<string, unknown>)[key] = value;
  }

  /** Whether a state dict from before this entry existed may lack it. @internal */
  mayLack(_name: string): boolean {
    return false;
  }

  /** Parameters among the fields of this module alone. @internal */
  ownParameters(): (ModuleField & { readonly value: Parameter })[] {
    return this.moduleFields().filter(
      (field): field is ModuleField & { value: Parameter } => field.value instanceof Parameter,
    );
  }

  /** Buffers among the fields of this module alone. @internal */
  ownBuffers(): { name: string; key: string; value: Tensor; persistent: boolean }[] {
    const known = this[internals].buffers;
    const found: { name: string; key: string; value: Tensor; persistent: boolean }[] = [];
    for (const { name, key, value } of this.moduleFields()) {
      // Seen once, the field stays a buffer whatever tensor it holds later.
      if (value instanceof Buffer && !known.has(key)) known.set(key, value.persistent);
      const persistent = known.get(key);
      if (persistent !== undefined && value instanceof Tensor && !(value instanceof Parameter))
        found.push({ name, key, value, persistent });
    }
    return found;
  }

  /**
   * Makes the field `name` a buffer: kept, moved and (when `persistent`) saved, but not learnt. Null keeps the place for later.
   * Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_buffer
   */
  registerBuffer(name: string, tensor: Tensor | null, options: BufferOptions = {}): void {
    if (name.includes('.') || name === '')
      throw new ArgumentError(`registerBuffer(): '${name}' cannot name a buffer; use a name without dots.`);
    if (tensor !== null && !(tensor instanceof Tensor))
      throw new ArgumentError(`registerBuffer('${name}') needs a Tensor or null, got ${typeof tensor}.`);
    this[internals].buffers.set(name, options.persistent ?? true);
    (this as unknown as Record<string, unknown>)[name] = tensor;
  }

  /** Puts a parameter into the field `name`; the same as assigning it, for names made while running. */
  registerParameter(name: string, parameter: Parameter | null): void {
    if (name.includes('.') || name === '')
      throw new ArgumentError(`registerParameter(): '${name}' cannot name a parameter; use a name without dots.`);
    if (parameter !== null && !(parameter instanceof Parameter))
      throw new ArgumentError(
        `registerParameter('${name}') needs an nn.Parameter or null; wrap the tensor: new nn.Parameter(tensor).`,
      );
    (this as unknown as Record<string, unknown>)[name] = parameter;
  }

  /** Puts a module into the field `name`; the same as assigning it, for names made while running. */
  registerModule(name: string, module: AnyModule): void {
    if (name.includes('.') || name === '')
      throw new ArgumentError(`registerModule(): '${name}' cannot name a module; use a name without dots.`);
    (this as unknown as Record<string, unknown>)[name] = module;
  }

  /** Modules directly in this one, each once. */
  children(): AnyModule[] {
    return this.namedChildren().map(([, child]) => child);
  }

  /** Modules directly in this one with their names, each once. */
  namedChildren(): [string, AnyModule][] {
    const seen = new Set<unknown>();
    const found: [string, AnyModule][] = [];
    for (const { name, value } of this.moduleFields())
      if (value instanceof Module && !seen.has(value)) {
        seen.add(value);
        found.push([name, value as AnyModule]);
      }
    return found;
  }

  /** This module and all inside it, each once. */
  modules(): AnyModule[] {
    const found = new Set<AnyModule>();
    collectModules(this as unknown as AnyModule, found);
    return [...found];
  }

  /** This module (under the name `''`) and all inside it with their dotted names. */
  namedModules(options: Omit<WalkOptions, 'recurse'> = {}): [string, AnyModule][] {
    const { prefix = '', removeDuplicate = true } = options;
    const seen = new Set<AnyModule>();
    const found: [string, AnyModule][] = [];
    const visit = (module: AnyModule, name: string): void => {
      if (removeDuplicate && seen.has(module)) return;
      seen.add(module);
      found.push([name, module]);
      for (const field of module.moduleFields())
        if (field.value instanceof Module)
          visit(field.value as AnyModule, name === '' ? field.name : `${name}.${field.name}`);
    };
    visit(this as unknown as AnyModule, prefix);
    return found;
  }

  /** All parameters, each once: what an optimiser takes. */
  parameters(options: Pick<WalkOptions, 'recurse'> = {}): Parameter[] {
    const found = new Set<Parameter>();
    for (const module of options.recurse === false ? [this] : this.modules())
      for (const value of module.moduleValues()) if (value instanceof Parameter) found.add(value);
    return [...found];
  }

  /** All parameters with their dotted names. */
  namedParameters(options: WalkOptions = {}): [string, Parameter][] {
    return this.walk(options, (module) => module.ownParameters());
  }

  /** All buffers, each once. */
  buffers(options: Pick<WalkOptions, 'recurse'> = {}): Tensor[] {
    return this.namedBuffers(options).map(([, buffer]) => buffer);
  }

  /** All buffers with their dotted names. */
  namedBuffers(options: WalkOptions = {}): [string, Tensor][] {
    return this.walk(options, (module) => module.ownBuffers());
  }

  private walk<Value extends Tensor>(
    options: WalkOptions,
    members: (module: AnyModule) => readonly { readonly name: string; readonly value: Value }[],
  ): [string, Value][] {
    const { prefix = '', recurse = true, removeDuplicate = true } = options;
    const modules = recurse
      ? this.namedModules({ prefix, removeDuplicate })
      : ([[prefix, this as unknown as AnyModule]] as [string, AnyModule][]);
    const seen = new Set<Value>();
    const found: [string, Value][] = [];
    for (const [path, module] of modules)
      for (const { name, value } of members(module)) {
        if (removeDuplicate && seen.has(value)) continue;
        seen.add(value);
        found.push([path === '' ? name : `${path}.${name}`, value]);
      }
    return found;
  }

  /** The module at a dotted path, e.g. `network.1.c1`; `''` is this one. */
  getSubmodule(path: string): AnyModule {
    let module = this as unknown as AnyModule;
    const passed: string[] = [];
    for (const part of path === '' ? [] : path.split('.')) {
      const fields = module.moduleFields();
      const next = fields.find((field) => field.name === part || field.key === part)?.value;
      if (!(next instanceof Module)) {
        const names = module.namedChildren().map(([name]) => name);
        const where =
          passed.length === 0 ? this.constructor.name : `'${passed.join('.')}' (${module.constructor.name})`;
        throw new ArgumentError(
          `getSubmodule('${path}'): ${where} has no module '${part}'; it has ${names.length === 0 ? 'none' : names.join(', ')}.`,
        );
      }
      passed.push(part);
      module = next as AnyModule;
    }
    return module;
  }

  /** The parameter at a dotted path, e.g. `network.1.c1.weight`. */
  getParameter(path: string): Parameter {
    const dot = path.lastIndexOf('.');
    const owner = this.getSubmodule(dot < 0 ? '' : path.slice(0, dot));
    const last = path.slice(dot + 1);
    const found = owner.ownParameters().find((field) => field.name === last || field.key === last);
    if (found === undefined)
      throw new ArgumentError(`getParameter('${path}'): ${owner.constructor.name} has no parameter '${last}'.`);
    return found.value;
  }

  /** Calls `visit` with every module inside and then with this one. */
  apply(visit: (module: AnyModule) => void): this {
    for (const child of this.children()) child.apply(visit);
    visit(this as unknown as AnyModule);
    return this;
  }

  /** Turns training mode on (or off) for this module and all inside. */
  train(on = true): this {
    for (const module of this.modules()) module.training = on;
    return this;
  }

  /** Evaluation mode: Dropout passes everything through, BatchNorm uses its running statistics. */
  eval(): this {
    return this.train(false);
  }

  /** Whether the parameters are learnt. */
  requiresGrad_(on = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad_(on);
    return this;
  }

  /** Drops the gradients of all parameters, or fills them with zeros. */
  zeroGrad(options: { readonly setToNone?: boolean } = {}): void {
    for (const parameter of this.parameters()) {
      if (options.setToNone !== false) parameter.grad = null;
      else parameter.grad?.detach_().zero_();
    }
  }

  /**
   * Moves parameters and buffers to a device, or gives them another floating-point type or memory format, in place:
   * parameters stay the same objects, so optimisers keep working. `net.to('cuda')`, `net.to('float64')`, `net.to({ device, dtype })`.
   */
  to(target: DType | DeviceString | Tensor | ConversionOptions | (string & {}), options: ConversionOptions = {}): this {
    convertModule(this as unknown as AnyModule, target, options);
    return this;
  }

  cpu(): this {
    return this.to('cpu');
  }
  cuda(index?: number): this {
    return this.to(index === undefined ? 'cuda' : `cuda:${index}`);
  }
  float(): this {
    return this.to('float32');
  }
  double(): this {
    return this.to('float64');
  }
  half(): this {
    return this.to('float16');
  }
  bfloat16(): this {
    return this.to('bfloat16');
  }

  /** A copy with its own parameters and buffers. What the module shares within itself, the copy shares too. */
  deepCopy(): this {
    return deepCopy(this);
  }

  /**
   * Parameters and persistent buffers by PyTorch's dotted names, without history; they share the module's memory.
   * `keepVars` gives the parameters themselves.
   */
  stateDict(options: { readonly prefix?: string; readonly keepVars?: boolean } = {}): StateDict {
    return stateDict(this as unknown as AnyModule, options);
  }

  /**
   * Copies the tensors of a state dict into this module, or with `assign` takes the tensors themselves.
   * Nothing is changed unless everything fits.
   * @throws StateDictError that lists all missing, unexpected and wrong-shaped entries
   */
  loadStateDict(
    state: StateDict | ReadonlyMap<string, Tensor>,
    options: LoadStateDictOptions = {},
  ): LoadStateDictResult {
    return loadStateDict(this as unknown as AnyModule, state, options);
  }

  /** Calls `hook(module, inputs)` before each forward; inputs it returns (an array) replace the given ones. */
  registerForwardPreHook(hook: ForwardPreHook<this, Inputs>): HookHandle {
    return addHook(this as unknown as AnyModule, 'before', hook as unknown as ForwardPreHook);
  }

  /** Calls `hook(module, inputs, output)` after each forward; what it returns, if anything, replaces the output. */
  registerForwardHook(hook: ForwardHook<this, Inputs, Output>): HookHandle {
    return addHook(this as unknown as AnyModule, 'after', hook as unknown as ForwardHook);
  }

  /**
   * Calls `hook(module, gradInput, gradOutput)` in the backward pass: the gradients with respect to the tensors among the inputs and outputs,
   * null where there is none. An array it returns replaces the gradients of the inputs.
   * Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_full_backward_hook
   */
  registerFullBackwardHook(hook: BackwardHook<this>): HookHandle {
    return addHook(this as unknown as AnyModule, 'backward', hook as unknown as BackwardHook);
  }

  /** What stands between the parentheses when the module is printed. */
  extraRepr(): string {
    return '';
  }

  /** What Python's `print(module)` writes. */
  toString(): string {
    return formatModule(this as unknown as AnyModule);
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

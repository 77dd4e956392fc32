/** Modules that hold modules in order or by name. Source: https://docs.pytorch.org/docs/stable/nn.html#containers */
import { ArgumentError, Tensor } from '../torch/index.js';
import { type AnyModule, Module, type ModuleField } from './module.js';
import { formatList } from './module-print.js';
import { Parameter } from './parameter.js';

function requireModule(value: unknown, title: string): void {
  if (!(value instanceof Module))
    throw new ArgumentError(
      `${title} holds modules only, got ${value === null ? 'null' : typeof value}${typeof value === 'function' ? ' (an activation function? use its layer, e.g. new nn.ReLU())' : ''}.`,
    );
}

/** The place of an index that may count from the end. */
function placeOf(index: number, length: number, title: string): number {
  const place = index < 0 ? index + length : index;
  if (!Number.isInteger(index) || place < 0 || place >= length)
    throw new ArgumentError(`${title}: there is no module ${index}; it holds ${length}.`);
  return place;
}

/** Runs modules one after the other: `new Sequential(a, b)`, or with names `new Sequential({ conv: a, relu: b })`. */
export class Sequential extends Module {
  private readonly layers: Module[] = [];
  /** Names of the modules; null when they are numbered. */
  private readonly names: string[] | null = null;

  constructor(...modules: readonly Module[] | readonly [Readonly<Record<string, Module>> | readonly Module[]]) {
    super();
    const [first] = modules;
    const plain = modules.length === 1 && !(first instanceof Module) && typeof first === 'object' && first !== null;
    if (plain && !Array.isArray(first)) {
      this.names = Object.keys(first as object);
      this.extend(Object.values(first as Readonly<Record<string, Module>>));
    } else this.extend(plain ? (first as readonly Module[]) : (modules as readonly Module[]));
  }

  override moduleFields(): ModuleField[] {
    const numbered = this.layers.map((value, i) => {
      const name = this.names?.[i] ?? String(i);
      return { name, key: name, value };
    });
    // A class that extends this one may have fields of its own.
    return [...numbered, ...super.moduleFields()];
  }

  override moduleValues(): readonly unknown[] {
    return [...this.layers, ...super.moduleValues()];
  }

  override forward(input: Tensor): Tensor {
    let x = input;
    for (const layer of this.layers) x = layer.forward(x);
    return x;
  }

  /** How many modules it holds. */
  get length(): number {
    return this.layers.length;
  }

  /** The module at a place (negative counts from the end), or of a name. */
  at(place: number | string): Module {
    const index = typeof place === 'number' ? place : (this.names?.indexOf(place) ?? -1);
    if (typeof place === 'string' && index < 0) throw new ArgumentError(`Sequential: there is no module '${place}'.`);
    return this.layers[placeOf(index, this.layers.length, 'Sequential')] as Module;
  }

  /** Adds a module at the end. */
  append(module: Module): this {
    return this.extend([module]);
  }

  /** Adds modules at the end. */
  extend(modules: readonly Module[]): this {
    for (const module of modules) {
      requireModule(module, 'Sequential');
      if (this.names !== null && this.names.length === this.layers.length) this.names.push(String(this.layers.length));
      this.layers.push(module);
    }
    return this;
  }

  /** Puts a module before the one at a place. */
  insert(index: number, module: Module): this {
    requireModule(module, 'Sequential');
    this.layers.splice(index, 0, module);
    this.names?.splice(index, 0, String(index));
    return this;
  }

  /** Puts a module in the place of another. */
  set(index: number, module: Module): this {
    requireModule(module, 'Sequential');
    this.layers[placeOf(index, this.layers.length, 'Sequential')] = module;
    return this;
  }

  /** The modules from `start` to before `end`, as a Sequential of the same modules. */
  slice(start?: number, end?: number): Sequential {
    return new Sequential(...this.layers.slice(start, end));
  }

  [Symbol.iterator](): IterableIterator<Module> {
    return this.layers[Symbol.iterator]();
  }
}

/** A list of modules, found by `parameters()` as those in a plain array are not. */
export class ModuleList<M extends AnyModule = Module> extends Module<never[], never> {
  private readonly list: M[] = [];

  constructor(modules: Iterable<M> = []) {
    super();
    this.extend(modules);
  }

  override moduleFields(): ModuleField[] {
    return [...this.list.map((value, i) => ({ name: String(i), key: String(i), value })), ...super.moduleFields()];
  }

  override moduleValues(): readonly unknown[] {
    return [...this.list, ...super.moduleValues()];
  }

  get length(): number {
    return this.list.length;
  }

  /** The module at a place; negative counts from the end. */
  at(index: number): M {
    return this.list[placeOf(index, this.list.length, 'ModuleList')] as M;
  }

  append(module: M): this {
    return this.extend([module]);
  }

  extend(modules: Iterable<M>): this {
    for (const module of modules) {
      requireModule(module, 'ModuleList');
      this.list.push(module);
    }
    return this;
  }

  insert(index: number, module: M): this {
    requireModule(module, 'ModuleList');
    this.list.splice(index, 0, module);
    return this;
  }

  set(index: number, module: M): this {
    requireModule(module, 'ModuleList');
    this.list[placeOf(index, this.list.length, 'ModuleList')] = module;
    return this;
  }

  [Symbol.iterator](): IterableIterator<M> {
    return this.list[Symbol.iterator]();
  }

  override toString(): string {
    return formatList(this as unknown as AnyModule);
  }
}

/** Modules by name, in the order in which they were put in. */
export class ModuleDict<M extends AnyModule = Module> extends Module<never[], never> {
  private readonly map = new Map<string, M>();

  constructor(modules: Readonly<Record<string, M>> | Iterable<readonly [string, M]> = {}) {
    super();
    this.update(modules);
  }

  override moduleFields(): ModuleField[] {
    return [...[...this.map].map(([name, value]) => ({ name, key: name, value })), ...super.moduleFields()];
  }

  override moduleValues(): readonly unknown[] {
    return [...this.map.values(), ...super.moduleValues()];
  }

  get size(): number {
    return this.map.size;
  }

  /** The module of a name. */
  get(name: string): M {
    const found = this.map.get(name);
    if (found === undefined)
      throw new ArgumentError(`ModuleDict: there is no module '${name}'; it holds ${[...this.map.keys()].join(', ')}.`);
    return found;
  }

  set(name: string, module: M): this {
    requireModule(module, 'ModuleDict');
    if (name === '' || name.includes('.'))
      throw new ArgumentError(`ModuleDict: '${name}' cannot name a module; use a name without dots.`);
    this.map.set(name, module);
    return this;
  }

  update(modules: Readonly<Record<string, M>> | Iterable<readonly [string, M]>): this {
    const pairs = Symbol.iterator in modules ? (modules as Iterable<readonly [string, M]>) : Object.entries(modules);
    for (const [name, module] of pairs) this.set(name, module);
    return this;
  }

  has(name: string): boolean {
    return this.map.has(name);
  }

  delete(name: string): boolean {
    return this.map.delete(name);
  }

  clear(): void {
    this.map.clear();
  }

  keys(): IterableIterator<string> {
    return this.map.keys();
  }

  values(): IterableIterator<M> {
    return this.map.values();
  }

  entries(): IterableIterator<[string, M]> {
    return this.map.entries();
  }

  [Symbol.iterator](): IterableIterator<[string, M]> {
    return this.map.entries();
  }
}

/** `  (0): Parameter containing: [torch.float32 of size 2x3]`, a line of the print. */
function describe(name: string, parameter: Parameter): string {
  const device = parameter.device === 'cpu' || parameter.device === 'meta' ? '' : ` (${parameter.device})`;
  return `(${name}): Parameter containing: [torch.${parameter.dtype} of size ${parameter.shape.join('x')}${device}]`;
}

function toParameter(value: Tensor): Parameter {
  if (!(value instanceof Tensor)) throw new ArgumentError('A list of parameters holds tensors only.');
  return value instanceof Parameter ? value : new Parameter(value);
}

/** A list of parameters, found by `parameters()` as those in a plain array are not. */
export class ParameterList extends Module<never[], never> {
  private readonly list: Parameter[];

  constructor(parameters: Iterable<Tensor> = []) {
    super();
    this.list = Array.from(parameters, toParameter);
  }

  override moduleFields(): ModuleField[] {
    return [...this.list.map((value, i) => ({ name: String(i), key: String(i), value })), ...super.moduleFields()];
  }

  override moduleValues(): readonly unknown[] {
    return [...this.list, ...super.moduleValues()];
  }

  override setField(key: string, value: Tensor): void {
    if (/^\d+$/.test(key)) this.list[Number(key)] = toParameter(value);
    else super.setField(key, value);
  }

  get length(): number {
    return this.list.length;
  }

  at(index: number): Parameter {
    return this.list[placeOf(index, this.list.length, 'ParameterList')] as Parameter;
  }

  append(parameter: Tensor): this {
    this.list.push(toParameter(parameter));
    return this;
  }

  [Symbol.iterator](): IterableIterator<Parameter> {
    return this.list[Symbol.iterator]();
  }

  override extraRepr(): string {
    return this.list.map((parameter, i) => `  ${describe(String(i), parameter)}`).join('\n');
  }
}

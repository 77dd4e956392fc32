/** Chooses, from all operators of all engines, those that become methods of `Tensor` and functions of `torch`. */
import { toCamelCase } from '../../src/torch/names.js';
import type { SchemaArgument } from '../../src/torch/schema.js';
import type { Overload, Snapshots } from './snapshots.js';

export interface SurfaceOperator {
  /** Without namespace `aten::`, e.g. `index_select`. */
  readonly aten: string;
  /** In TypeScript, e.g. `indexSelect`; in `torch.linalg` without the prefix. */
  readonly name: string;
  readonly overloads: readonly Overload[];
  /** Overloads that write into a given tensor: they become the option `out`. */
  readonly outOverloads: readonly Overload[];
}

export interface Surface {
  readonly methods: readonly SurfaceOperator[];
  readonly functions: Readonly<Record<FunctionSpace, readonly SurfaceOperator[]>>;
  /** Methods whose only positional argument is a list of integers: `x.view(2, 3)` is `x.view([2, 3])`. */
  readonly varargsMethods: readonly string[];
  /** Methods whose operator has `self` elsewhere than in front, and where: `x.where(condition, other)` is where(condition, x, other). */
  readonly selfPositions: Readonly<Record<string, number>>;
}

export const functionSpaces = ['torch', 'linalg', 'fft', 'special', 'nn'] as const;
export type FunctionSpace = (typeof functionSpaces)[number];

/** Written by hand: attributes in PyTorch, or more than the bare operator. */
const HAND_WRITTEN_METHODS = new Set(
  `size stride item to backward data set_data retains_grad is_leaf output_nr
   numel dim mT mH matrix_H numpy_T T H layout device dtype grad storage_offset is_floating_point is_pinned is_inference is_contiguous
   record_stream`.split(/\s+/),
);
const HAND_WRITTEN_FUNCTIONS = new Set(
  `zeros ones empty full rand randn randint randperm arange linspace logspace eye tensor range from_file scalar_tensor
   zeros_like ones_like empty_like full_like rand_like randn_like randint_like`.split(/\s+/),
);

/** Not shown by PyTorch's Python either: parts of other operators, gradient formulas, compiler internals. */
const INTERNAL = new Set(
  `alias slice index copy copy_sparse_to_sparse_ slice_inverse nonzero_numpy size stride unique_dim unique_dim_consecutive
   normal_functional quantized_max_pool3d mkldnn_rnn_layer fake_quantize_per_channel_affine_cachemask
   fake_quantize_per_tensor_affine_cachemask miopen_ctc_loss convolution_overrideable align_tensors
   align_to align_as refine_names rename rename_ to_mkldnn_backward data_ptr`.split(/\s+/),
);
const INTERNAL_PATTERN = /_backward|_overrideable$|^sym_|^lift/;

/** Names of dimensions existed only up to 1.13 and print as strings; they are not part of the typed surface. */
const isNamedDimension = (argument: SchemaArgument) =>
  argument.type.base === 'str' && /^(dim|dims|dim0|dim1|names|out_dim|start_dim|end_dim|order)$/.test(argument.name);

const isOutOverload = (overload: Overload) => overload.schema.arguments.some((a) => a.keywordOnly && a.alias?.write);

export function selectSurface(snapshots: Snapshots): Surface {
  const methods = new Map<string, Overload[]>();
  const functions = new Map<FunctionSpace, Map<string, Overload[]>>(functionSpaces.map((space) => [space, new Map()]));
  for (const [key, binding] of snapshots.bindings) {
    const found = snapshots.overloads.get(`aten::${key}`);
    if (found === undefined || found.schema.arguments.some(isNamedDimension)) continue;
    const { name } = found;
    if (name.startsWith('_') || INTERNAL.has(name) || INTERNAL_PATTERN.test(name)) continue;
    if (binding.isMethod && !HAND_WRITTEN_METHODS.has(name)) append(methods, name, found);
    const space = binding.module === '' ? 'torch' : binding.module;
    if (!binding.isFunction || !isSpace(space)) continue;
    if (space === 'torch' && HAND_WRITTEN_FUNCTIONS.has(name)) continue;
    append(functions.get(space)!, name, found);
  }
  const selected = toOperators(methods, '');
  return {
    methods: selected,
    functions: Object.fromEntries(
      functionSpaces.map((space) => [space, toOperators(functions.get(space)!, space)]),
    ) as Record<FunctionSpace, SurfaceOperator[]>,
    varargsMethods: selected
      .filter((operator) => operator.overloads.some(takesVarargs))
      .map((operator) => operator.name),
    selfPositions: Object.fromEntries(
      selected
        .map((operator) => [operator.name, selfPosition(operator)] as const)
        .filter(([, position]) => position !== 0),
    ),
  };
}

/** Where the operator takes the tensor that a method is called on; all its overloads must agree, or run time could not know. */
function selfPosition(operator: SurfaceOperator): number {
  const positions = operator.overloads.map(({ schema }) => schema.arguments.findIndex(({ name }) => name === 'self'));
  const [first = -1] = positions;
  if (first < 0 || positions.some((position) => position !== first))
    throw new Error(`The method overloads of ${operator.aten} take self at positions ${positions.join(', ')}.`);
  return first;
}

/** Python's rule: a lone positional list of integers may be spread; not one that may be null, as other overloads then compete. */
export function takesVarargs(overload: Overload): boolean {
  const positional = overload.schema.arguments.filter((a) => !a.keywordOnly && a.name !== 'self');
  const type = positional[0]?.type;
  if (type === undefined || positional.length > 1 || type.optional) return false;
  return type.list && (type.base === 'int' || type.base === 'SymInt');
}

function toOperators(byName: ReadonlyMap<string, Overload[]>, space: string): SurfaceOperator[] {
  const operators: SurfaceOperator[] = [];
  for (const [aten, overloads] of byName) {
    const plain = overloads.filter((overload) => !isOutOverload(overload));
    // Left with `out` overloads only when the plain ones belong elsewhere; nothing to call without them.
    if (plain.length === 0) continue;
    const prefix = `${space}_`;
    const name = toCamelCase(aten.startsWith(prefix) ? aten.slice(prefix.length) : aten);
    if (name.startsWith('_')) continue;
    operators.push({ aten, name, overloads: plain, outOverloads: overloads.filter(isOutOverload) });
  }
  return operators.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function append(map: Map<string, Overload[]>, name: string, overload: Overload): void {
  const list = map.get(name);
  if (list === undefined) map.set(name, [overload]);
  else list.push(overload);
}

const isSpace = (name: string): name is FunctionSpace => (functionSpaces as readonly string[]).includes(name);

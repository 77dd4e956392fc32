/** The few of the engine's operators that TypeScript cannot call, each with its reason. test/torch/operators.test.ts holds the list exact. */

/** An operator that is registered in the engine but has no form in JavaScript. */
export interface UnsupportedOperator {
  /** Name with overload, without `aten::`, e.g. `set_.source_Storage`. */
  readonly operator: string;
  /** What it takes or gives that has no JavaScript form, and what to use instead where there is something. */
  readonly reason: string;
}

const storage =
  'it takes a Storage, and storages have no handles of their own; use set_(tensor) or set_(tensor, storageOffset, size, stride)';
const cells = 'it takes packed weights of a TorchScript class (rnn.CellParamsBase), which only TorchScript can make';

/** Every `aten::` operator of libtorch 1.13 to 2.14 that `native.resolve` refuses. */
export const unsupportedOperators: readonly UnsupportedOperator[] = [
  {
    operator: 'get_gradients',
    reason: "it gives a dictionary of distributed autograd's gradients by tensor, and needs an RPC context to exist",
  },
  { operator: 'qscheme', reason: 'it gives a quantisation scheme, an enumeration without a JavaScript form' },
  { operator: 'quantized_gru.data', reason: cells },
  { operator: 'quantized_gru.input', reason: cells },
  { operator: 'quantized_lstm.data', reason: cells },
  { operator: 'quantized_lstm.input', reason: cells },
  { operator: 'set.source_Storage', reason: storage },
  { operator: 'set.source_Storage_out', reason: storage },
  { operator: 'set.source_Storage_storage_offset', reason: storage },
  { operator: 'set.source_Storage_storage_offset_out', reason: storage },
  { operator: 'set_.source_Storage', reason: storage },
  { operator: 'set_.source_Storage_storage_offset', reason: storage },
  {
    operator: 'sym_is_contiguous',
    reason: 'it gives a symbolic boolean, which only a tracing compiler can use; use isContiguous()',
  },
];

const reasons = new Map(unsupportedOperators.map((x) => [x.operator, x.reason]));

/**
 * Why an operator cannot be called, or undefined when it can.
 * @param name with its namespace, e.g. `aten::qscheme`
 * @param overload empty for the overload without a name
 */
export function unsupportedReason(name: string, overload: string): string | undefined {
  if (!name.startsWith('aten::')) return undefined;
  const bare = name.slice('aten::'.length);
  return reasons.get(overload === '' ? bare : `${bare}.${overload}`);
}

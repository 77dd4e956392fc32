import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { dtypeCodes } from '../../src/torch/dtype.js';
import { native as bridge } from '../../src/torch/load.js';
import type { Handle, NativeBridge, NativeValue } from '../../src/torch/native.js';
import { withPrintOptions } from '../../src/torch/print.js';
import { formatHandle } from '../../src/torch/print-adapter.js';
import { contextOf, elementsOf, type PrintCases, settingsOf, type TensorDescription } from './print-cases.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const codes: Readonly<Record<string, number>> = dtypeCodes;

function has(operator: string, overload = ''): boolean {
  return bridge.resolve(`aten::${operator}`, overload) >= 0;
}

function call(name: string, ...values: NativeValue[]): Handle {
  const [operator, overload = ''] = name.split('.') as [string, string?];
  return bridge.call(bridge.resolve(`aten::${operator}`, overload), null, ...values) as Handle;
}

function tensor(values: readonly number[], shape: readonly number[] = [values.length], dtype = 'float32'): Handle {
  const bytes = new Uint8Array(Float64Array.from(values).buffer);
  return call('to.dtype', bridge.fromBytes(bytes, 0, shape, codes.float64!, false), codes[dtype]!);
}

function leaf(values: readonly number[], shape?: readonly number[]): Handle {
  const made = tensor(values, shape);
  call('requires_grad_', made, true);
  return made;
}

/** The engine's tensor for a stored case; null when it has a gradient history or a layout made elsewhere in this file. */
function fromDescription(description: TensorDescription): Handle | null {
  const { dtype, shape, device, layout = 'strided', sparse, quantization, requiresGrad } = description;
  if (description.gradFnName || description.nested) return null;
  let made: Handle;
  if (sparse && layout === 'sparse_coo' && device === undefined) {
    const [indices, values] = sparse.parts.map((part) => fromDescription(part.tensor)) as [Handle, Handle];
    made = call('_sparse_coo_tensor_unsafe', indices, values, shape);
  } else if (layout !== 'strided') {
    return null;
  } else if (device === 'meta') {
    made = call('empty.memory_format', shape, codes[dtype]!, null, 'meta');
  } else if (quantization) {
    if (typeof quantization.scale !== 'number') return null;
    const values = tensor(elementsOf(description) as number[], shape);
    made = call('quantize_per_tensor', values, quantization.scale, quantization.zeroPoint as number, codes[dtype]!);
  } else {
    made = dense(elementsOf(description), shape, dtype);
  }
  if (requiresGrad) call('requires_grad_', made, true);
  return made;
}

function dense(values: readonly (number | bigint | boolean)[], shape: readonly number[], dtype: string): Handle {
  const from = (array: ArrayBufferView, as: string): Handle =>
    bridge.fromBytes(new Uint8Array(array.buffer), 0, shape, codes[as]!, false);
  if (dtype === 'float4_e2m1fn_x2') return call('view.dtype', from(Uint8Array.from(values as number[]), 'uint8'), 45);
  if (dtype === 'uint64') return from(BigUint64Array.from(values.map(BigInt)), dtype);
  if (/^u?int/.test(dtype))
    return call('to.dtype', from(BigInt64Array.from(values.map(BigInt)), 'int64'), codes[dtype]!);
  if (dtype === 'bool') return from(Uint8Array.from(values.map(Number)), dtype);
  const wide = from(Float64Array.from(values.map(Number)), dtype.startsWith('complex') ? 'complex128' : 'float64');
  return call('to.dtype', wide, codes[dtype]!);
}

const modern = has('scaled_dot_product_attention');

describe('tensors of the engine print as in Python', () => {
  const golden: PrintCases = JSON.parse(readFileSync(join(root, 'test/golden/print.json'), 'utf8'));

  test('stored prints, with the tensors rebuilt in the engine', () => {
    let compared = 0;
    for (const item of golden.cases) {
      if (!modern && codes[item.tensor.dtype]! > codes.bfloat16!) continue;
      const made = fromDescription(item.tensor);
      if (!made) continue;
      const text = withPrintOptions(settingsOf(item), () => formatHandle(bridge, made, contextOf(item)));
      assert.equal(text, item.text, JSON.stringify(item.tensor).slice(0, 300));
      compared++;
    }
    assert.ok(compared > (modern ? 650 : 450), `${compared} compared`);
  });

  test('the operation that made it', () => {
    const x = leaf([1.5, 2]);
    assert.equal(formatHandle(bridge, x), 'tensor([1.5000, 2.0000], requires_grad=True)');
    assert.equal(formatHandle(bridge, call('mul.Tensor', x, x)), 'tensor([2.2500, 4.0000], grad_fn=<MulBackward0>)');
    assert.equal(formatHandle(bridge, call('sum', x)), 'tensor(3.5000, grad_fn=<SumBackward0>)');
    assert.equal(formatHandle(bridge, call('select.int', x, 0, 1)), 'tensor(2., grad_fn=<SelectBackward0>)');
    assert.equal(formatHandle(bridge, call('detach', x)), 'tensor([1.5000, 2.0000])');
    const changed = call('mul.Tensor', x, x);
    call('fill_.Scalar', call('select.int', changed, 0, 0), 5);
    assert.equal(formatHandle(bridge, changed), 'tensor([5., 4.], grad_fn=<CopySlices>)');
    assert.equal(bridge.isGradEnabled(), true);
  });

  test('conjugate and negative views, which share the memory of the original', () => {
    const z = call('view_as_complex', tensor([1, 2, -0.5, 4], [2, 2]));
    assert.equal(formatHandle(bridge, call('_conj', z)), 'tensor([ 1.0000-2.j, -0.5000-4.j])');
    assert.equal(formatHandle(bridge, call('imag', call('_conj', z))), 'tensor([-2., -4.])');
  });

  test('only the corners of a huge tensor are read, whatever its strides', () => {
    const row = tensor([1, 2, 3, 4, 5, 6, 7, 8], [8, 1]);
    const before = process.memoryUsage().rss;
    const text = formatHandle(bridge, call('expand', row, [8, 1_000_000_000]));
    const line = (n: number): string =>
      `[${Array(3).fill(`${n}.`).join(', ')},  ..., ${Array(3).fill(`${n}.`).join(', ')}]`;
    const lines = [1, 2, 3].map(line).concat('...', [6, 7, 8].map(line));
    assert.equal(text, `tensor([${lines.join(',\n        ')}])`);
    assert.ok(process.memoryUsage().rss - before < 50e6);
  });

  test('corners come out in their places', () => {
    const numbers = Array.from({ length: 2 * 9 * 3 * 8 * 7 }, (_, i) => i);
    const x = tensor(numbers, [2, 9, 3, 8, 7], 'int64');
    const whole = withPrintOptions({ threshold: Infinity }, () => formatHandle(bridge, x));
    const corner = withPrintOptions({ edgeitems: 1 }, () => formatHandle(bridge, x));
    const last = numbers.at(-1)!;
    assert.ok(whole.includes(`${last - 1}, ${last}]]]]])`));
    // First and last of every dimension longer than two, in row-major order.
    const expected: number[] = [];
    for (const a of [0, 1]) {
      for (const b of [0, 8])
        for (const c of [0, 2])
          for (const d of [0, 7]) for (const e of [0, 6]) expected.push((((a * 9 + b) * 3 + c) * 8 + d) * 7 + e);
    }
    assert.deepEqual(corner.match(/\d+/g)!.map(Number), expected);
  });

  test('compressed, mkldnn, nested and per-channel quantised tensors', () => {
    const grid = tensor([1, 0, 0, 2.5], [2, 2]);
    assert.equal(
      formatHandle(bridge, call('to_sparse_csr', grid)),
      `tensor(crow_indices=tensor([0, 1, 2]),
       col_indices=tensor([0, 1]),
       values=tensor([1.0000, 2.5000]), size=(2, 2), nnz=2,
       layout=torch.sparse_csr)`,
    );
    assert.equal(
      formatHandle(bridge, call('to_mkldnn', grid)),
      'tensor([[1.0000, 0.0000],\n        [0.0000, 2.5000]], layout=torch._mkldnn)',
    );
    const scales = tensor([0.1, 0.5]);
    const zeros = tensor([3, 1], [2], 'int64');
    assert.equal(
      formatHandle(bridge, call('quantize_per_channel', grid, scales, zeros, 0, codes.quint8!)),
      `tensor([[1.0000, 0.0000],
        [0.0000, 2.5000]], size=(2, 2), dtype=torch.quint8,
       quantization_scheme=torch.per_channel_affine,
       scale=tensor([0.1000, 0.5000], dtype=torch.float64),
       zero_point=tensor([3, 1]), axis=0)`,
    );
    const nested = call('_nested_tensor_from_tensor_list', [grid, tensor([1, 2], [1, 2])]);
    assert.equal(
      formatHandle(bridge, nested),
      `nested_tensor([
  tensor([[1.0000, 0.0000],
          [0.0000, 2.5000]]),
  tensor([[1., 2.]])
])`,
    );
  });

  test('values of another device are copied to the processor first', () => {
    // The engine is told it looks at an accelerator; the copy it is asked for then is a real operator call.
    const elsewhere: NativeBridge = { ...bridge, device: () => 'cuda:0' };
    const x = tensor([0.5, 1.5, 2.5], [3, 1], 'float16');
    const text = `tensor([[0.5000,  ..., 0.5000],
        [1.5000,  ..., 1.5000],
        [2.5000,  ..., 2.5000]], device='cuda:0', dtype=torch.float16)`;
    const options = { threshold: 4, edgeitems: 1 };
    const printed = withPrintOptions(options, () => formatHandle(elsewhere, call('expand', x, [3, 5])));
    assert.equal(printed, text.replace('\n        [1.5000,  ..., 1.5000]', '\n        ...'));
  });

  test('a disposed tensor can be looked at, and printing leaves no handle behind', () => {
    const x = leaf(Array.from({ length: 2000 }, (_, i) => i));
    const before = bridge.memory().handles;
    formatHandle(bridge, x);
    formatHandle(bridge, call('to_sparse', call('detach', x)));
    assert.ok(bridge.memory().handles <= before + 2);
    bridge.dispose(x);
    assert.equal(formatHandle(bridge, x), 'tensor(<disposed>)');
  });
});

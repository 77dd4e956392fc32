/**
 * Held by the compiler, never run: what the generated surface accepts, and (`@ts-expect-error`) what it must refuse.
 * `test/types.test.ts` compiles this file.
 */
import type { DType } from '../../src/torch/dtype.js';
import type { AtenOps } from '../../src/torch/generated/aten-ops.generated.js';
import type {
  TorchFftFunctions,
  TorchFunctions,
  TorchLinalgFunctions,
  TorchNnFunctions,
  TorchSpecialFunctions,
} from '../../src/torch/generated/functions.generated.js';
import type { Generator } from '../../src/torch/generator.js';
import type { Tensor } from '../../src/torch/tensor.js';
import type { Scalar } from '../../src/torch/types.js';

declare const torch: TorchFunctions;
declare const linalg: TorchLinalgFunctions;
declare const fft: TorchFftFunctions;
declare const special: TorchSpecialFunctions;
declare const nn: TorchNnFunctions;
declare const aten: AtenOps;
declare const x: Tensor;
declare const y: Tensor;
declare const generator: Generator;

/** Compiles only when the value has exactly the type. */
function exactly<Expected>() {
  return <Actual>(_value: Actual & (Same<Expected, Actual> extends true ? unknown : never)): void => {};
}
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

export function methods(): void {
  // Tensor or number, keyword-only arguments by name.
  exactly<Tensor>()(x.add(y));
  x.add(2);
  x.add(2n, { alpha: 3 });
  x.add({ re: 1, im: 2 });
  x.mul(Math.random() < 0.5 ? y : 2);
  // @ts-expect-error alpha stands behind the schema's *
  x.add(y, 2);
  // @ts-expect-error a string is no number
  x.add('2');
  // @ts-expect-error misspelt option
  x.add(y, { apha: 2 });
  // @ts-expect-error methods have no out, as in PyTorch
  x.add(y, { out: y });

  // Reductions: by position, by name, mixed.
  x.sum();
  x.sum(1);
  x.sum([0, 1], true);
  x.sum(1, { keepdim: true });
  x.sum({ dim: 1, keepdim: true, dtype: 'float64' });
  x.sum({ dtype: 'float64' });
  x.sum(null);
  // @ts-expect-error no such element type
  x.sum({ dtype: 'float23' });
  // @ts-expect-error camelCase is keepdim, as PyTorch writes it in one word
  x.sum(1, { keepDim: true });
  // @ts-expect-error dimensions are numbers
  x.sum('batch');
  x.var(1, { correction: 0 });
  x.std({ dim: [0, 1], keepdim: true });
  x.argmax();
  x.softmax(-1);
  x.softmax({ dim: -1, dtype: 'float32' });

  // Several results by name and by position.
  const { values, indices } = x.max(1);
  values.add(indices);
  const [largest, where] = x.topk(3, { dim: 0, largest: true });
  exactly<Tensor>()(largest);
  exactly<Tensor>()(where);
  exactly<Tensor>()(x.max());
  exactly<Tensor>()(x.max(y));
  const takesTensor = (_: Tensor) => {};
  takesTensor(x.sort({ descending: true }).values);
  takesTensor(x.max(1)[1]);
  // @ts-expect-error there are two results
  takesTensor(x.max(1)[2]);
  // @ts-expect-error frexp has mantissa and exponent
  x.frexp().indices;

  // Lists of integers may be spread where Python allows it.
  x.view(2, 3).view([2, 3]).reshape(-1).permute(0, 2, 1).expand(2, -1).expand([2, -1], { implicit: false });
  x.repeat(2, 1).tile(2, 2).flip(0, 1).squeeze(0, 1).squeeze(0).newZeros(2, 3).newZeros([2, 3], { dtype: 'int64' });
  x.view('int32');
  // @ts-expect-error sizes are numbers
  x.view('2', '3');
  // @ts-expect-error transpose takes two dimensions
  x.transpose(0);

  // In-place methods return the tensor itself, whatever its class.
  exactly<Tensor>()(x.add_(1).relu_().clamp_({ min: 0 }).zero_());
  x.normal_(0, 1, { generator });
  x.uniform_({ from: -1, to: 1 });
  x.copy_(y, { nonBlocking: true });
  x.indexPut_([null, y], x, true);
  x.requiresGrad_();

  // Other kinds of results.
  exactly<Tensor[]>()(x.split(2, { dim: 1 }));
  exactly<Tensor[]>()(x.split([1, 2]));
  exactly<Tensor[]>()(x.unbind());
  exactly<boolean>()(x.equal(y));
  x.contiguous({ memoryFormat: 'channelsLast' });
  // @ts-expect-error no such memory format
  x.contiguous({ memoryFormat: 'channels_last' });
  x.div(y, { roundingMode: 'floor' });
  // @ts-expect-error PyTorch knows trunc and floor
  x.div(y, { roundingMode: 'ceil' });
  x.where(y, 0).maskedFill(y, -Infinity);
  x.scatterReduce(0, y, x, 'amax', { includeSelf: false });
  // @ts-expect-error private operators are reached through torch.ops.aten
  x._softmax(1, false);
  // @ts-expect-error snake_case is for torch.ops.aten
  x.index_select(0, y);
}

export function functions(): void {
  torch.cat([x, y], 1);
  torch.cat([x, y], { dim: 1, out: x });
  torch.cat([], 0);
  // @ts-expect-error a list of tensors
  torch.cat(x);
  // @ts-expect-error of tensors
  torch.cat([1, 2]);
  torch.einsum('ij,jk->ik', [x, y]);
  torch.where(x, y, 0);
  exactly<Tensor[]>()(torch.where(x));
  torch.add(x, 1, { alpha: 2, out: y });
  torch.pow(2, x);
  torch.pow(x, 2);
  // @ts-expect-error one of the two is a tensor
  torch.pow(2, 2);
  torch.sort(x, { stable: true, descending: true });
  torch.max(x, 1, { out: [x, y] }).indices.add(1);
  torch.conv2d(x, y, null, { stride: 2, padding: 'same' });
  torch.conv2d(x, y, { padding: [1, 1] });
  torch.conv2d(x, y, undefined, 1, 1);
  // @ts-expect-error padding is valid or same
  torch.conv2d(x, y, { padding: 'full' });
  torch.meshgrid([x, y], { indexing: 'ij' });
  torch.normal(0, x);
  torch.bernoulli(x, { generator });
  torch.stack([x, y]).sum({ dim: 0 });
  exactly<DType>()(torch.promoteTypes('float32', 'int64'));
  exactly<boolean>()(torch.allclose(x, y, { atol: 1e-6 }));
  torch.clamp(x, 0, 1);
  torch.clamp(x, { max: y });
  torch.nanToNum(x, { nan: 0 });
  torch.hannWindow(8, { dtype: 'float64', device: 'cuda:0' });
  // @ts-expect-error no such device
  torch.hannWindow(8, { device: 'tpu' });
  // @ts-expect-error creation functions are written by hand and not part of this interface
  torch.zeros(2);

  linalg.svd(x, { fullMatrices: false }).Vh.add(1);
  linalg.vectorNorm(x, 2, { dim: [0, 1] });
  linalg.norm(x, 'fro');
  linalg.solve(x, y, { left: false });
  // @ts-expect-error the prefix is the name space
  linalg.linalgSvd(x);
  fft.rfft(x, { norm: 'ortho' });
  // @ts-expect-error PyTorch knows forward, backward and ortho
  fft.rfft(x, { norm: 'unitary' });
  special.logSoftmax(x, 1);
  nn.scaledDotProductAttention(x, x, x, { isCausal: true });
  nn.gelu(x, { approximate: 'tanh' });
}

export function operators(): void {
  aten.add.Tensor(x, y, { alpha: 2 });
  aten.add(x, y);
  aten.add(x, 2);
  aten.relu.default(x);
  aten._softmax(x, 1, false);
  aten.index_select(x, 0, y);
  aten._foreach_add_.Scalar([x, y], 1);
  aten.sum.dim_IntList(x, [1], { keepdim: true });
  exactly<Tensor>()(aten.native_layer_norm(x, [3], null, null, 1e-5)[1]);
  const scalar: Scalar = aten._local_scalar_dense(x);
  x.add(scalar);
  // @ts-expect-error no such operator
  aten.addd(x, y);
  // @ts-expect-error no such overload
  aten.add.Tensors(x, y);
  // @ts-expect-error this overload takes a tensor
  aten.add.Tensor(x, 2);
  // @ts-expect-error names are PyTorch's own here
  aten.indexSelect(x, 0, y);
}

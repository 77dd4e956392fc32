import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as init from '../../src/nn/init.js';
import { type DType, Generator, type Tensor, torch } from '../../src/torch/index.js';
import { runPython, skipLive } from '../support/python.js';

interface InitCase {
  readonly call: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly seed: number;
  readonly positional: readonly number[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly generator: number | null;
  readonly bytes: string;
  readonly next: number;
}
interface InitCases {
  readonly torch: string;
  readonly gains: readonly (readonly [init.Nonlinearity, number | null, number])[];
  readonly cases: readonly InitCase[];
}

type InitFunction = (tensor: Tensor, ...rest: unknown[]) => Tensor;
const functions = init as unknown as Readonly<Record<string, InitFunction>>;

const goldenFile = fileURLToPath(new URL('../golden/init.json', import.meta.url));
const script = fileURLToPath(new URL('../../scripts/golden/init.py', import.meta.url));
const golden: InitCases = JSON.parse(readFileSync(goldenFile, 'utf8'));
const modern = Number(torch.version.split('.')[0]) >= 2;

const about = (item: InitCase): string => JSON.stringify({ ...item, bytes: undefined });

function make(item: InitCase, extra: Readonly<Record<string, unknown>> = {}): { tensor: Tensor; next: number } {
  const tensor = torch.full(item.shape, 7, { dtype: item.dtype, requiresGrad: true });
  const generator = item.generator === null ? {} : { generator: new Generator().manualSeed(item.generator) };
  torch.manualSeed(item.seed);
  const given = functions[item.call]!(tensor, ...item.positional, { ...item.options, ...generator, ...extra });
  assert.equal(given, tensor, `${item.call} gives its tensor back`);
  assert.ok(tensor.requiresGrad && tensor.isLeaf, `${item.call} leaves a leaf`);
  return { tensor, next: torch.rand(1).item() };
}

const bytesOf = (tensor: Tensor): string =>
  Buffer.from((tensor.detach().contiguous().view('uint8').toTypedArray() as Uint8Array).buffer).toString('base64');

/** The elements a case stores, as doubles. */
function stored(item: InitCase): Tensor {
  const bytes = Buffer.from(item.bytes, 'base64');
  return torch.tensor(new Uint8Array(bytes)).view(item.dtype).reshape(item.shape).to('float64');
}

describe('nn.init has PyTorch’s numbers', () => {
  test('the stored cases of 2.13 cover every function', () => {
    assert.equal(new Set(golden.cases.map((item) => item.call)).size, 14);
    assert.ok(golden.cases.length > 230);
    assert.ok(golden.cases.filter((item) => item.generator !== null).length > 40);
  });

  test('stored cases: values of uniform and fixed functions to the bit, of the others to the last digits', () => {
    let compared = 0;
    for (const item of golden.cases) {
      // Engines before 2 draw half types otherwise, and normal numbers of few elements in float64.
      if (!modern && item.dtype === 'bfloat16') continue;
      const { tensor, next } = make(item);
      const exact = !/normal|orthogonal|sparse/i.test(item.call);
      if (exact) assert.equal(bytesOf(tensor), item.bytes, about(item));
      else {
        const difference = tensor.detach().to('float64').sub(stored(item)).abs().max().item();
        const scale = Math.max(1e-3, stored(item).abs().max().item());
        assert.ok(difference <= (item.dtype === 'bfloat16' ? 0.01 : 2e-6) * scale, `${difference}: ${about(item)}`);
      }
      assert.equal(next, item.next, `random state after ${about(item)}`);
      compared++;
    }
    assert.ok(compared > 200, `${compared}`);
  });

  test('live: every case to the bit, with the Python of the same engine', { skip: skipLive }, () => {
    const live = runPython<InitCases>([script]);
    assert.ok(live.cases.length >= 190);
    for (const item of live.cases) {
      // Python's truncated normal drew through the inverse distribution before; ours does when told to.
      const inverse = !modern && item.call === 'truncNormal_' ? { method: 'inverse' } : {};
      const { tensor, next } = make(item, inverse);
      assert.equal(bytesOf(tensor), item.bytes, about(item));
      assert.equal(next, item.next, `random state after ${about(item)}`);
    }
  });

  test('gains', () => {
    for (const [name, slope, gain] of golden.gains)
      assert.equal(init.calculateGain(name, slope ?? undefined), gain, name);
  });
});

describe('nn.init keeps its promises', () => {
  test('Kaiming: fan-in keeps the spread of what goes forward, fan-out of what comes back', () => {
    torch.manualSeed(1);
    const deviation = (weight: Tensor): number => weight.std().item();
    const wide = torch.empty(400, 100);
    init.kaimingNormal_(wide, { nonlinearity: 'relu' });
    assert.ok(Math.abs(deviation(wide) - Math.sqrt(2 / 100)) < 0.002);
    init.kaimingNormal_(wide, { nonlinearity: 'relu', mode: 'fanOut' });
    assert.ok(Math.abs(deviation(wide) - Math.sqrt(2 / 400)) < 0.002);
    const bound = Math.sqrt(6 / (3 * 25));
    const kernel = init.kaimingUniform_(torch.empty(64, 3, 5, 5), { nonlinearity: 'relu' });
    assert.ok(kernel.abs().max().item() <= bound && kernel.abs().max().item() > 0.98 * bound);
  });

  test('orthogonal rows, whatever the shape', () => {
    for (const shape of [
      [4, 9],
      [9, 4],
      [6, 2, 3, 3],
    ]) {
      const matrix = init.orthogonal_(torch.empty(shape, { dtype: 'float64' }), { gain: 2 }).flatten(1);
      const small = shape[0]! < matrix.size(1) ? matrix.matmul(matrix.t()) : matrix.t().matmul(matrix);
      assert.ok(torch.allclose(small, torch.eye(small.size(0), { dtype: 'float64' }).mul(4)), String(shape));
    }
  });

  test('a dirac convolution passes its channels on', () => {
    const weight = init.dirac_(torch.empty(6, 3, 3, 3), { groups: 2 });
    const image = torch.randn(2, 6, 5, 5);
    const out = torch.conv2d(image, weight, null, [1, 1], [1, 1], [1, 1], 2);
    assert.ok(torch.equal(out, image));
  });

  test('a truncated normal stays within its bounds, also in half precision and in the tail', () => {
    torch.manualSeed(3);
    // The old engine's CPU has no logarithm for float16.
    for (const dtype of modern ? (['float32', 'bfloat16', 'float16'] as const) : (['float32', 'bfloat16'] as const)) {
      const middle = init.truncNormal_(torch.empty(5000, { dtype }), { std: 1, a: -0.7, b: 0.9 });
      assert.ok(middle.min().item() >= -0.702 && middle.max().item() <= 0.902, dtype);
      const tail = init.truncNormal_(torch.empty(5000, { dtype }), { a: 3, b: 4 }).float();
      assert.ok(tail.min().item() >= 3 && tail.max().item() <= 4, dtype);
      // Mean of a standard normal cut to [3, 4]: (φ(3) − φ(4)) / (Φ(4) − Φ(3)).
      assert.ok(Math.abs(tail.mean().item() - 3.2614) < 0.02, `${dtype}: ${tail.mean().item()}`);
    }
    const old = init.truncNormal_(torch.empty(20000), { std: 2, a: -1, b: 3, method: 'inverse' });
    assert.ok(old.min().item() >= -1 && old.max().item() <= 3 && Math.abs(old.mean().item() - 0.71) < 0.05);
  });

  test('nothing is recorded and nothing happens to a tensor without elements', () => {
    const weight = torch.zeros(3, 2, { requiresGrad: true });
    const result = init.kaimingUniform_(weight);
    assert.equal(result.gradFn, null);
    const state = torch.getRngState();
    for (const fill of [init.kaimingUniform_, init.kaimingNormal_, init.orthogonal_, init.truncNormal_])
      assert.equal(fill(torch.empty(0, 4)).numel(), 0);
    assert.ok(torch.equal(state, torch.getRngState()));
  });

  test('a generator leaves the default one alone', () => {
    const state = torch.getRngState();
    const first = init.kaimingNormal_(torch.empty(5, 5), { generator: new Generator().manualSeed(4) });
    const second = init.kaimingNormal_(torch.empty(5, 5), { generator: new Generator().manualSeed(4) });
    assert.ok(torch.equal(first, second));
    assert.ok(torch.equal(state, torch.getRngState()));
  });

  test('bad input gets one clear sentence', () => {
    const says = (run: () => unknown, pattern: RegExp): void => {
      assert.throws(run, (error: Error) => pattern.test(error.message) && !error.message.includes('\n'));
    };
    says(() => init.kaimingUniform_(torch.empty(3)), /at least 2 dimensions.*\[3\].*zeros_/);
    says(() => init.kaimingUniform_(torch.empty(3, 2), { mode: 'fan_in' as 'fanIn' }), /'fanIn' or 'fanOut'.*fan_in/);
    says(() => init.calculateGain('gelu' as 'relu'), /gelu.*leakyRelu/);
    says(() => init.dirac_(torch.empty(5, 2, 3), { groups: 2 }), /5 output channels.*2 groups/);
    says(() => init.dirac_(torch.empty(5, 2)), /3 to 5 dimensions.*\[5, 2\]/);
    says(() => init.eye_(torch.empty(5)), /must have 2 dimensions/);
    says(() => init.orthogonal_(torch.empty(5)), /at least 2 dimensions/);
    says(() => init.sparse_(torch.empty(5, 5), 1.5), /between 0 and 1.*1\.5/);
    says(() => init.truncNormal_(torch.empty(5), { a: 2, b: 1 }), /a < b/);
    says(() => init.constant_(torch.empty(5), Number.NaN), /must be a number/);
    says(() => init.zeros_(null as unknown as Tensor), /must be a Tensor, got null/);
    says(() => init.uniform_([1] as unknown as Tensor), /must be a Tensor, got object/);
  });
});

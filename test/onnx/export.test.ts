/** Files of exported networks: what stands in them, what ONNX's own checker says, and what is refused. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import * as nn from '../../src/nn/index.js';
import { exportOnnx, type OnnxOptions, toOnnx } from '../../src/onnx/index.js';
import { type Tensor, torch } from '../../src/torch/index.js';
import { type RawField, readFields } from '../../src/track/tensorboard/protobuf.js';
import { python, skipLive } from '../support/python.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'praxis-onnx-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** The fields of a message with a number. */
const all = (message: Uint8Array, number: number): RawField[] =>
  [...readFields(Buffer.from(message))].filter(({ field }) => field === number);
const texts = (message: Uint8Array, number: number): string[] =>
  all(message, number).map(({ bytes }) => bytes.toString());

/** Names of operators, of weights with their first numbers, of inputs with their sizes. */
function read(model: Uint8Array) {
  const [graph] = all(model, 7).map(({ bytes }) => bytes) as [Buffer];
  const sizes = (info: Buffer): (string | number)[] => {
    const [type] = all(info, 2) as [RawField];
    const [tensor] = all(type.bytes, 1) as [RawField];
    const [shape] = all(tensor.bytes, 2) as [RawField];
    return all(shape.bytes, 1).map(({ bytes }) => texts(bytes, 2)[0] ?? Number(all(bytes, 1)[0]?.integer));
  };
  const values = (number: number) =>
    Object.fromEntries(all(graph, number).map(({ bytes }) => [texts(bytes, 1)[0], sizes(bytes)]));
  return {
    opset: Number(all((all(model, 8)[0] as RawField).bytes, 2)[0]?.integer),
    operators: all(graph, 1).map(({ bytes }) => texts(bytes, 4)[0]),
    nodes: all(graph, 1).map(({ bytes }) => texts(bytes, 3)[0]),
    weights: all(graph, 5).map(({ bytes }) => texts(bytes, 8)[0]),
    inputs: values(11),
    outputs: values(12),
    metadata: Object.fromEntries(all(model, 14).map(({ bytes }) => [texts(bytes, 1)[0], texts(bytes, 2)[0]])),
  };
}

class Net extends nn.Module {
  body = new nn.Sequential(new nn.Conv2d(3, 4, 3, { padding: 1 }), new nn.BatchNorm2d(4), new nn.ReLU());
  head = new nn.Linear(4, 2);
  override forward(x: Tensor): Tensor {
    return this.head.forward(this.body.forward(x).mean([2, 3]));
  }
}

class Of extends nn.Module {
  constructor(private readonly compute: (x: Tensor) => unknown) {
    super();
  }
  override forward(x: Tensor): Tensor {
    return this.compute(x) as Tensor;
  }
}

const example = torch.randn([1, 3, 8, 8]);
const make = (options: OnnxOptions = {}): Uint8Array => toOnnx(new Net().eval(), example, options);

describe('what stands in the file', () => {
  test('operators and weights under their modules’ names, an open batch, words of one’s own', () => {
    const model = read(make({ inputNames: ['picture'], outputNames: ['logits'], metadata: { classes: '["a","b"]' } }));
    assert.deepEqual(model.operators, ['Conv', 'BatchNormalization', 'Relu', 'ReduceMean', 'Gemm']);
    assert.deepEqual(model.nodes.slice(0, 3), ['/body/0/Conv', '/body/1/BatchNormalization', '/body/2/Relu']);
    assert.deepEqual(model.inputs, { picture: ['batch', 3, 8, 8] });
    assert.deepEqual(model.outputs, { logits: ['batch', 2] });
    for (const name of Object.keys(new Net().stateDict()))
      assert.equal(model.weights.includes(name), !name.endsWith('num_batches_tracked'), name);
    assert.deepEqual(model.metadata, { classes: '["a","b"]' });
    assert.equal(model.opset, 17);
    assert.equal(read(make({ opset: 20 })).opset, 20);
    assert.deepEqual(read(make({ dynamicBatch: false })).inputs, { input: [1, 3, 8, 8] });
  });

  test('what does not depend on the input is computed once; what leads nowhere is left out', () => {
    const factor = torch.tensor([1, 2, 3]);
    const model = read(
      toOnnx(
        new Of((x) => {
          x.exp();
          return x.mul(factor.mul(2).add(1).reshape(1, -1));
        }),
        torch.randn([2, 3]),
      ),
    );
    assert.deepEqual(model.operators, ['Mul']);
    assert.equal(model.weights.length, 1);
  });

  test('the network is as it was: no hooks, no other mode, no gradients, the same numbers', () => {
    const net = new Net().eval();
    const before = net.call(example).toArray();
    toOnnx(net, example);
    assert.deepEqual(net.call(example).toArray(), before);
    assert.equal(Object.hasOwn(net, 'forward'), false);
    assert.equal(net.head.weight.requiresGrad, true);
    assert.equal(net.head.weight.grad, null);
  });

  test('a file is written whole', async () => {
    const file = path.join(folder, 'net.onnx');
    await exportOnnx(new Net().eval(), example, file);
    assert.equal(read(readFileSync(file)).operators.length, 5);
  });
});

const skipChecker =
  skipLive ||
  (spawnSync(python?.command ?? '', ['-W', 'ignore', '-c', 'import onnx'], { env: python?.environment }).status !== 0 &&
    'Python has no onnx');

test("ONNX's own checker, with its inference of shapes, finds nothing wrong", { skip: skipChecker }, () => {
  const attention = new nn.TransformerEncoderLayer(6, 2, { dimFeedforward: 8, batchFirst: true }).eval();
  const files = [14, 17, 18, 20, 22].flatMap((opset) => {
    const names = [`net-${opset}.onnx`, `attention-${opset}.onnx`].map((name) => path.join(folder, name)) as [
      string,
      string,
    ];
    writeFileSync(names[0], make({ opset }));
    writeFileSync(names[1], toOnnx(attention, torch.randn([2, 3, 6]), { opset }));
    return names;
  });
  const script =
    'import onnx, sys\nfor f in sys.argv[1:]:\n  m = onnx.load(f); onnx.checker.check_model(m, full_check=True); print(m.opset_import[0].version)';
  const { status, stdout, stderr } = spawnSync(python?.command ?? '', ['-W', 'ignore', '-c', script, ...files], {
    env: python?.environment,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  assert.deepEqual(stdout.trim().split('\n').map(Number), [14, 14, 17, 17, 18, 18, 20, 20, 22, 22]);
});

describe('what is refused, in one sentence', () => {
  const x = torch.randn([2, 4]);
  const refused = (compute: (x: Tensor) => unknown, message: RegExp): void => {
    assert.throws(() => toOnnx(new Of(compute), x), message);
  };

  test('an operator without an ONNX form, with its module', () => {
    refused((y) => torch.special.i0(y), /^OnnxError: The operator (special_)?i0 in Of has no ONNX form here; /);
    class Outer extends nn.Module {
      inner = new Of((y) => y.sort()[0]);
      override forward(y: Tensor): Tensor {
        return this.inner.forward(y);
      }
    }
    assert.throws(() => toOnnx(new Outer(), x), /^OnnxError: The operator sort in 'inner' \(Of\) has no ONNX form/);
  });

  test('numbers that are read out of a tensor of the input', () => {
    refused((y) => (y.sum().item() > 0 ? y : y.neg()), /reads numbers of a tensor that depends on the input/);
    refused((y) => y.add((y.toArray() as number[][])[0]?.[0] as number), /reads numbers of a tensor/);
  });

  test('writing into part of a tensor', () => {
    refused((y) => {
      const z = y.add(1);
      z.at(':', 0).fill_(3);
      return z;
    }, /used after fill_ wrote into memory that it shares/);
  });

  test('another computation for another number of samples, and numbers drawn anew', () => {
    refused((y) => ((y.shape[0] as number) > 2 ? y.exp() : y.neg()), /computes differently for 2 and for 3 samples/);
    refused((y) => y.add(torch.randn([4])), /randn in Of gives other numbers each time/);
    refused((y) => y.add(torch.arange(y.shape[0] as number).reshape(-1, 1)), /arange/);
  });

  test('training mode, settings that cannot be, inputs that are none', () => {
    assert.throws(() => toOnnx(new Net(), example), /'body.1' \(BatchNorm2d\) is in training mode.*model\.eval\(\)/);
    assert.throws(() => make({ opset: 9 }), /opset must be a whole number from 14 to 22, got 9/);
    assert.throws(() => toOnnx(new Net().eval(), []), /An example of each input is needed/);
    assert.throws(() => toOnnx(new Of(() => 3), x), /something other than a tensor/);
    assert.throws(() => make({ outputNames: ['a', 'b'] }), /gives 1 tensors, and there are 2 outputNames/);
  });
});

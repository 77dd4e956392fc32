/** What a module does with its fields: finding, moving, copying, hooks. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nn, Tensor, torch } from '../../src/index.js';
import { throwsArgument } from '../support/throws.js';
import { Assorted, ConvNet } from './networks.js';

describe('fields of a module', () => {
  test('plain fields are parameters, buffers and children, in the order they were made', () => {
    const net = new Assorted();
    assert.deepEqual(
      net.namedChildren().map(([name]) => name),
      ['conv', 'norm', 'lstm', 'attention', 'list', 'named', 'weights'],
    );
    assert.deepEqual(
      net.namedParameters({ recurse: false }).map(([name]) => name),
      ['scale'],
    );
    assert.deepEqual(
      net.namedBuffers({ recurse: false }).map(([name]) => name),
      ['table', 'unsaved'],
    );
    assert.deepEqual(
      net.namedBuffers({ prefix: 'net' }).map(([name]) => name),
      ['net.table', 'net.unsaved', 'net.norm.running_mean', 'net.norm.running_var', 'net.norm.num_batches_tracked'],
    );
    assert.deepEqual(
      net.parameters(),
      net.namedParameters().map(([, parameter]) => parameter),
    );
    assert.deepEqual(
      net.modules(),
      net.namedModules().map(([, module]) => module),
    );
  });

  test('what is shared is counted once, and saved under each name', () => {
    const net = new Assorted();
    const names = net.namedParameters().map(([name]) => name);
    assert.ok(names.includes('conv.weight') && !names.includes('shared.weight'));
    assert.ok(net.namedParameters({ removeDuplicate: false }).some(([name]) => name === 'shared.weight'));
    const state = net.stateDict();
    assert.ok(state['shared.weight']?.storage().id === state['conv.weight']?.storage().id);
    assert.ok(!('unsaved' in state) && 'table' in state);
  });

  test('a field may be assigned anew; modules in arrays are not found', () => {
    class Net extends nn.Module {
      layers = [new nn.Linear(2, 2)];
      head: nn.Module = new nn.Linear(2, 3);
      step = 0;
      activation = torch.zeros([2]);
    }
    const net = new Net();
    assert.equal(net.parameters().length, 2);
    net.head = new nn.Identity();
    assert.equal(net.parameters().length, 0);
    net.registerBuffer('mean', torch.zeros([2]));
    (net as unknown as { mean: Tensor }).mean = torch.ones([2]);
    assert.deepEqual(
      net.namedBuffers().map(([name]) => name),
      ['mean'],
    );
    net.registerModule('tail', new nn.Linear(1, 1));
    net.registerParameter('gain', new nn.Parameter(torch.ones([1])));
    assert.deepEqual(
      net.namedParameters().map(([name]) => name),
      ['gain', 'tail.weight', 'tail.bias'],
    );
  });

  test('submodules and parameters by path', () => {
    const net = new ConvNet({ channels: 2, blocks: 1, classes: 3 });
    assert.ok(net.getSubmodule('network.1.c1') instanceof nn.Conv2d);
    assert.equal(net.getSubmodule(''), net);
    assert.deepEqual(net.getParameter('network.1.n1.weight').shape, [4]);
    throwsArgument(
      () => net.getSubmodule('network.1.c9'),
      /'network\.1' \(CNNBlock\) has no module 'c9'; it has c1, n1, c2, n2, relu, skip/,
    );
    throwsArgument(() => net.getParameter('network.0.scale'), /Conv2d has no parameter 'scale'/);
  });

  test('train, eval, apply, requiresGrad_ and zeroGrad reach everything', () => {
    const net = new Assorted();
    assert.equal(net.eval(), net);
    assert.ok(net.modules().every((module) => !module.training));
    net.train();
    assert.ok(net.lstm.training && net.named.get('first').training);
    const seen: string[] = [];
    net.apply((module) => void seen.push(module.constructor.name));
    assert.equal(seen.at(-1), 'Assorted');
    assert.equal(seen[0], 'Conv2d');
    net.requiresGrad_(false);
    assert.ok(net.parameters().every((parameter) => !parameter.requiresGrad));
    net.requiresGrad_();
    net
      .forward(torch.randn([2, 3, 5, 5]))
      .sum()
      .backward();
    assert.ok(net.scale.grad !== null);
    net.zeroGrad({ setToNone: false });
    assert.equal(net.scale.grad?.abs().sum().item(), 0);
    net.zeroGrad();
    assert.equal(net.scale.grad, null);
  });

  test('messages for what cannot be', () => {
    const net = new nn.Module();
    throwsArgument(() => net.forward(torch.ones([1])), /Module has no forward\(\): define it/);
    throwsArgument(() => net.registerBuffer('a.b', null), /without dots/);
    throwsArgument(
      () => net.registerParameter('p', torch.ones([1]) as nn.Parameter),
      /wrap the tensor: new nn.Parameter/,
    );
    throwsArgument(() => new nn.Parameter(3 as unknown as Tensor), /needs a Tensor, got number/);
    throwsArgument(
      () => new nn.Sequential(torch.relu as unknown as nn.Module),
      /an activation function\? use its layer/,
    );
  });
});

describe('parameters', () => {
  test('share memory with the data and print as in Python', () => {
    const data = torch.zeros([2]);
    const parameter = new nn.Parameter(data);
    assert.ok(parameter instanceof Tensor && parameter.requiresGrad && parameter.isLeaf);
    data.add_(1);
    assert.deepEqual(parameter.toArray(), [1, 1]);
    assert.equal(String(parameter), 'Parameter containing:\ntensor([1., 1.], requires_grad=True)');
    assert.equal(new nn.Parameter(data, { requiresGrad: false }).requiresGrad, false);
  });
});

describe('to()', () => {
  test('changes type in place: parameters stay the same objects, integers their type, gradients follow', () => {
    const net = new Assorted();
    const before = net.parameters();
    net
      .forward(torch.randn([2, 3, 5, 5]))
      .sum()
      .backward();
    const values = net.scale.toArray();
    net.to('float64');
    assert.deepEqual(net.parameters(), before);
    assert.equal(net.scale.dtype, 'float64');
    assert.equal(net.scale.grad?.dtype, 'float64');
    assert.ok(net.scale.requiresGrad && net.scale.isLeaf);
    assert.deepEqual(net.scale.toArray(), values);
    assert.equal(net.norm.runningMean?.dtype, 'float64');
    assert.equal(net.norm.numBatchesTracked?.dtype, 'int64');
    assert.equal(net.table.dtype, 'int64');
    assert.equal(net.shared.weight, net.conv.weight);
    net
      .forward(torch.randn([2, 3, 5, 5], { dtype: 'float64' }))
      .sum()
      .backward();
    assert.ok(net.namedBuffers().some(([name]) => name === 'unsaved'));
  });

  test('takes options, tensors, memory formats and short names', () => {
    const net = new nn.Sequential(new nn.Conv2d(3, 4, 3), new nn.Linear(2, 2));
    net.to({ memoryFormat: 'channelsLast' });
    assert.ok(net.parameters()[0]?.isContiguous('channelsLast'));
    assert.equal(net.to(torch.zeros([1], { dtype: 'bfloat16' })).parameters()[3]?.dtype, 'bfloat16');
    assert.equal(net.double().float().half().parameters()[0]?.dtype, 'float16');
    assert.equal(net.to('meta').parameters()[0]?.device, 'meta');
    throwsArgument(() => net.to('int64'), /floating-point or complex types only/);
  });

  test('frees the old memory', () => {
    const net = new nn.Linear(500, 500, { bias: false });
    const bytes = torch.memory({ collect: true }).bytes.cpu ?? 0;
    net.to('float64');
    assert.equal((torch.memory({ collect: true }).bytes.cpu ?? 0) - bytes, 500 * 500 * 4);
  });
});

describe('deepCopy()', () => {
  test('copies all that is held, keeps what is shared, leaves the original alone', () => {
    const net = new Assorted();
    net.norm.eval();
    const copy = net.deepCopy();
    assert.ok(copy instanceof Assorted && copy !== net);
    assert.equal(copy.shared, copy.conv);
    assert.ok(copy.conv !== net.conv && copy.conv.weight !== net.conv.weight);
    assert.ok(copy.scale instanceof nn.Parameter && copy.scale.requiresGrad);
    assert.equal(copy.norm.training, false);
    assert.deepEqual(Object.keys(copy.stateDict()), Object.keys(net.stateDict()));
    assert.deepEqual(
      copy.namedBuffers().map(([name]) => name),
      net.namedBuffers().map(([name]) => name),
    );
    torch.noGrad(() => copy.scale.zero_());
    assert.notEqual(net.scale.sum().item(), 0);
    const x = torch.randn([1, 3, 5, 5]);
    assert.ok(net.deepCopy().eval().forward(x).equal(net.eval().forward(x)));
    assert.equal(String(copy), String(net));
  });

  test('hooks go along, each copy with its own list', () => {
    const layer = new nn.Linear(2, 2);
    let calls = 0;
    const handle = layer.registerForwardHook(() => void calls++);
    const copy = layer.deepCopy();
    handle.remove();
    layer.forward(torch.ones([1, 2]));
    assert.equal(calls, 0);
    copy.forward(torch.ones([1, 2]));
    assert.equal(calls, 1);
  });
});

describe('hooks', () => {
  test('before and after forward: they see and may replace', () => {
    const layer = new nn.Linear(2, 2);
    const plain = layer.forward;
    const seen: string[] = [];
    const before = layer.registerForwardPreHook((module, [x]) => {
      assert.equal(module, layer);
      seen.push('before');
      return [x.mul(2)];
    });
    const after = layer.registerForwardHook((_, [x], output) => {
      seen.push(`after ${x.sum().item()}`);
      return output.neg();
    });
    const x = torch.ones([1, 2]);
    const wanted = plain.call(layer, x.mul(2)).neg();
    assert.ok(layer.forward(x).equal(wanted) && layer.call(x).equal(wanted));
    assert.ok(new nn.Sequential(layer).forward(x).equal(wanted));
    assert.deepEqual(seen.slice(0, 2), ['before', 'after 4']);
    before.remove();
    after.remove();
    assert.equal(layer.forward, plain);
    assert.ok(!Object.hasOwn(layer, 'forward'));
  });

  test('backward: gradients of inputs and outputs, which may be replaced', () => {
    const layer = new nn.Linear(3, 2, { bias: false });
    const net = new nn.Sequential(new nn.Linear(3, 3), layer);
    let seen: (Tensor | null)[] = [];
    const handle = layer.registerFullBackwardHook((module, gradInput, gradOutput) => {
      assert.equal(module, layer);
      seen = [...gradInput, ...gradOutput];
      return [(gradInput[0] as Tensor).mul(10)];
    });
    const x = torch.randn([4, 3]);
    net.forward(x).sum().backward();
    assert.ok(seen[0]?.equal(torch.ones([4, 2]).matmul(layer.weight)));
    assert.ok(seen[1]?.equal(torch.ones([4, 2])));
    const scaled = net.at(0).parameters()[0]?.grad as Tensor;
    handle.remove();
    net.zeroGrad();
    net.forward(x).sum().backward();
    const plain = net.at(0).parameters()[0]?.grad as Tensor;
    assert.ok(scaled.allclose(plain.mul(10)));
  });

  test('backward of the first layer, whose input does not learn', () => {
    const layer = new nn.Linear(3, 2);
    let seen: readonly (Tensor | null)[] | null = null;
    layer.registerFullBackwardHook((_, gradInput, gradOutput) => {
      seen = [...gradInput, ...gradOutput];
    });
    layer
      .forward(torch.ones([1, 3]))
      .sum()
      .backward();
    assert.deepEqual(
      (seen as unknown as (Tensor | null)[]).map((x) => x?.shape ?? null),
      [null, [1, 2]],
    );
    seen = null;
    torch.noGrad(() => layer.forward(torch.ones([1, 3])));
    assert.equal(seen, null);
  });

  test('layers with several outputs', () => {
    const lstm = new nn.LSTM(2, 3);
    let shapes: (number[] | null)[] = [];
    lstm.registerFullBackwardHook((_, gradInput, gradOutput) => {
      shapes = [...gradInput, ...gradOutput].map((x) => x?.shape ?? null);
    });
    const x = torch.randn([4, 1, 2], { requiresGrad: true });
    const [output, [hidden]] = lstm.forward(x);
    output.sum().add(hidden.sum()).backward();
    assert.deepEqual(shapes[0], [4, 1, 2]);
    assert.deepEqual(shapes[1], [4, 1, 3]);
    assert.ok(x.grad !== null);
  });
});

describe('containers', () => {
  test('Sequential by place, by name, changed while in use', () => {
    const net = new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU());
    net.append(new nn.Linear(3, 1)).insert(1, new nn.Identity());
    assert.deepEqual(
      [...net].map((x) => x.constructor.name),
      ['Linear', 'Identity', 'ReLU', 'Linear'],
    );
    assert.ok(net.at(-1) instanceof nn.Linear && net.length === 4);
    assert.equal(net.slice(1, 3).at(0), net.at(1));
    throwsArgument(() => net.at(7), /there is no module 7; it holds 4/);
    const named = new nn.Sequential({ first: new nn.Linear(2, 2), second: new nn.ReLU() });
    assert.deepEqual(Object.keys(named.stateDict()), ['first.weight', 'first.bias']);
    assert.ok(named.at('second') instanceof nn.ReLU);
    assert.equal(new nn.Sequential([new nn.ReLU()]).length, 1);
  });

  test('a class that extends Sequential keeps its own fields', () => {
    class Scaled extends nn.Sequential {
      scale = new nn.Parameter(torch.ones([1]));
    }
    const net = new Scaled(new nn.Linear(1, 1));
    assert.deepEqual(Object.keys(net.stateDict()), ['scale', '0.weight', '0.bias']);
    assert.equal(net.parameters().length, 3);
  });

  test('ModuleList, ModuleDict and ParameterList', () => {
    const list = new nn.ModuleList([new nn.Linear(1, 1)]);
    list.append(new nn.Linear(1, 2)).set(0, new nn.Linear(1, 3));
    assert.deepEqual(
      [...list].map((x) => x.outFeatures),
      [3, 2],
    );
    const dict = new nn.ModuleDict<nn.Module>({ a: new nn.ReLU() });
    dict.set('b', new nn.Tanh());
    assert.ok(dict.has('b') && dict.size === 2 && dict.delete('a'));
    assert.deepEqual([...dict.keys()], ['b']);
    throwsArgument(() => dict.get('a'), /there is no module 'a'; it holds b/);
    const parameters = new nn.ParameterList([torch.ones([2])]).append(torch.ones([1]));
    assert.ok([...parameters].every((x) => x instanceof nn.Parameter));
    parameters.loadStateDict({ 0: torch.zeros([2]), 1: torch.zeros([1]) }, { assign: true });
    assert.equal(parameters.at(0).sum().item(), 0);
  });
});

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { type FunctionContext, type Tensor, torch } from '../../src/torch/index.js';
import { native } from '../../src/torch/load.js';
import { throwsArgument, throwsTorch } from '../support/throws.js';

const leaf = (values: number | number[]): Tensor => torch.tensor(values, { requiresGrad: true });

/** 3x², saving the input. */
class Cube extends torch.autograd.Function {
  static forward(context: FunctionContext, x: Tensor): Tensor {
    context.saveForBackward(x);
    return x.pow(3);
  }
  static backward(context: FunctionContext, gradient: Tensor): Tensor {
    const [x] = context.savedTensors as [Tensor];
    return gradient.mul(x.pow(2)).mul(3);
  }
}

/** e^x, saving the output. */
class Exponential extends torch.autograd.Function {
  static forward(context: FunctionContext, x: Tensor): Tensor {
    const y = x.exp();
    context.saveForBackward(y);
    return y;
  }
  static backward(context: FunctionContext, gradient: Tensor): Tensor {
    return gradient.mul(context.savedTensors[0] as Tensor);
  }
}

// Once as the engine runs it on a CPU, once through the helper thread that graphs on an accelerator need.
for (const pump of [false, true])
  describe(pump ? 'hooks and functions, through the helper thread' : 'hooks and functions', () => {
    const inMode = (name: string, work: () => void) =>
      test(name, () => {
        native.setPumpAlways(pump);
        try {
          work();
        } finally {
          native.setPumpAlways(false);
        }
      });
    after(() => native.setPumpAlways(false));

    inMode('hooks run in order; what one returns replaces the gradient', () => {
      const x = leaf(2);
      const seen: number[] = [];
      x.registerHook((g) => {
        seen.push(g.item());
        return g.mul(2);
      });
      x.registerHook((g) => {
        seen.push(g.item());
      });
      x.mul(3).backward();
      assert.deepEqual([seen, x.grad?.item()], [[3, 6], 6]);
    });

    inMode('a hook that is removed stays silent, also when it removes itself', () => {
      const x = leaf(1);
      let calls = 0;
      const first = x.registerHook(() => {
        calls++;
      });
      const once = x.registerHook((g) => {
        once.remove();
        return g.mul(10);
      });
      x.mul(2).backward();
      first.remove();
      first.remove();
      x.mul(2).backward();
      assert.deepEqual([calls, x.grad?.item()], [1, 22]);
    });

    inMode('a hook within the graph, and one that changes nothing', () => {
      const x = leaf([1, 2]);
      const h = x.mul(2);
      h.registerHook((g) => g.mul(torch.tensor([1, 0])));
      h.registerHook(() => null);
      h.sum().backward();
      assert.deepEqual(x.grad?.toArray(), [2, 0]);
    });

    inMode('an error in a hook comes out as it is, and the next pass works', () => {
      const x = leaf(1);
      const mine = new RangeError('mine');
      const hook = x.registerHook(() => {
        throw mine;
      });
      assert.throws(
        () => x.mul(2).backward(),
        (error) => error === mine,
      );
      hook.remove();
      x.grad = null;
      x.mul(2).backward();
      assert.equal((x.grad as unknown as Tensor).item(), 2);
    });

    inMode('what a hook may not do', () => {
      const x = leaf(1);
      throwsArgument(() => x.registerHook(5 as never), /expected a function of the gradient, got number/);
      throwsArgument(() => torch.ones(1).registerHook(() => null), /doesn't require gradient/);
      const wrong = x.registerHook((() => 5) as never);
      throwsArgument(() => x.mul(2).backward(), /gradient that a hook returned' must be a Tensor, got number/);
      wrong.remove();
      x.registerHook(() => torch.ones(3));
      throwsTorch(() => x.mul(2).backward(), 'RuntimeError', /hook.*size/);
    });

    inMode('a backward pass within a hook', () => {
      const x = leaf(1);
      x.registerHook((g) => {
        const z = leaf(3);
        torch.enableGrad(() => z.mul(z)).backward();
        return g.add(z.grad as Tensor);
      });
      x.mul(2).backward();
      assert.equal(x.grad?.item(), 8);
    });

    inMode('a function of one tensor, its name in the graph, its second derivative', () => {
      const x = leaf(3);
      const y = Cube.apply(x);
      assert.deepEqual([y.item(), y.gradFn?.name, y.requiresGrad], [27, 'CubeBackward', true]);
      const [g] = torch.autograd.grad(y, x, { createGraph: true });
      assert.equal(g?.item(), 27);
      g?.backward();
      assert.equal(x.grad?.item(), 18);
      const kept = Cube.apply(x);
      kept.backward(null, { retainGraph: true });
      kept.backward();
      assert.equal((x.grad as unknown as Tensor).item(), 18 + 54);
      throwsTorch(() => kept.backward(), 'RuntimeError', /a second time; give retainGraph: true/);
    });

    inMode('several inputs and outputs, some of them no tensors', () => {
      const wanted: boolean[][] = [];
      class Mix extends torch.autograd.Function {
        static forward(context: FunctionContext, x: Tensor, factor: number, y: Tensor): Tensor[] {
          context.data.factor = factor;
          wanted.push([...context.needsInputGrad]);
          assert.equal(torch.isGradEnabled(), false);
          return [x.mul(factor), y.mul(y), x.add(y)];
        }
        static backward(context: FunctionContext, a: Tensor, b: Tensor, c: Tensor): (Tensor | null)[] {
          // The second output was not used: its gradient comes as zeros.
          assert.equal(b.item(), 0);
          return [a.mul(context.data.factor as number).add(c), null, null];
        }
      }
      const [x, y] = [leaf(2), torch.tensor(5)];
      const [a, , c] = Mix.apply<Tensor[]>(x, 7, y) as [Tensor, Tensor, Tensor];
      a.mul(10).add(c).backward();
      assert.deepEqual([wanted, x.grad?.item()], [[[true, false, false]], 71]);
    });

    inMode('a saved output leaks nothing', () => {
      const x = leaf([1, 2]);
      const run = () => {
        const y = Exponential.apply(x);
        y.sum().backward();
        return y.toArray() as number[];
      };
      const values = run();
      assert.deepEqual(x.grad?.toArray(), values);
      const before = torch.memory({ collect: true }).handles;
      for (let i = 0; i < 200; i++) run();
      for (let i = 0; i < 200; i++) Exponential.apply(x); // never run backward
      const grown = torch.memory({ collect: true }).handles - before;
      assert.ok(grown <= 2, `${grown} tensors more than before`);
    });

    inMode('an input that is not saved does not live as long as the graph', () => {
      class Twice extends torch.autograd.Function {
        static forward(_: FunctionContext, x: Tensor): Tensor {
          return x.mul(2);
        }
        static backward(_: FunctionContext, gradient: Tensor): Tensor {
          return gradient.mul(2);
        }
      }
      const w = leaf(3);
      const before = torch.memory({ collect: true }).bytes.cpu ?? 0;
      let y: Tensor = w.expand([1000]);
      // The result of each is the input of the next; only the last one is needed. Node 24 frees one or two of them a round later.
      for (let i = 0; i < 20; i++) y = Twice.apply(y);
      assert.ok((torch.memory({ collect: true }).bytes.cpu ?? 0) - before < 5 * 4000);
      y.sum().backward();
      assert.equal(w.grad?.item(), 1000 * 2 ** 20);
    });

    inMode('saved tensors: changes in place are noticed, null stays null, afterwards they are gone', () => {
      const x = leaf(2);
      const h = x.mul(1);
      const y = Cube.apply(h);
      h.add_(1);
      throwsTorch(() => y.backward(), 'RuntimeError', /modified by an inplace operation/);
      const contexts: FunctionContext[] = [];
      class Keeps extends torch.autograd.Function {
        static forward(context: FunctionContext, a: Tensor): Tensor {
          context.saveForBackward(null, a);
          contexts.push(context);
          return a.mul(2);
        }
        static backward(context: FunctionContext, g: Tensor): Tensor {
          assert.equal(context.savedTensors[0], null);
          assert.equal(context.savedTensors[1]?.item(), 2);
          return g.mul(2);
        }
      }
      Keeps.apply(x).backward();
      assert.deepEqual([x.grad?.item(), contexts[0]?.savedTensors], [2, []]);
    });

    inMode('an error in backward comes out as it is; in forward the gradient mode comes back', () => {
      const mine = new RangeError('mine');
      class Fails extends torch.autograd.Function {
        static forward(_: FunctionContext, x: Tensor, when: string): Tensor {
          if (when === 'forward') throw mine;
          return x.mul(1);
        }
        static backward(): Tensor {
          throw mine;
        }
      }
      const x = leaf(1);
      const same = (error: unknown) => error === mine;
      assert.throws(() => Fails.apply(x, 'forward'), same);
      assert.equal(torch.isGradEnabled(), true);
      assert.throws(() => Fails.apply(x, 'backward').backward(), same);
      assert.deepEqual([torch.isGradEnabled(), x.grad], [true, null]);
      Cube.apply(x).backward();
      assert.equal((x.grad as unknown as Tensor).item(), 3);
    });

    inMode('a backward pass within a backward, also through another function', () => {
      class Inner extends torch.autograd.Function {
        static forward(context: FunctionContext, x: Tensor): Tensor {
          context.saveForBackward(x);
          return x.mul(1);
        }
        static backward(context: FunctionContext, gradient: Tensor): Tensor {
          assert.equal(torch.isGradEnabled(), false);
          const z = (context.savedTensors[0] as Tensor).detach().requiresGrad_();
          torch.enableGrad(() => Cube.apply(z)).backward();
          return gradient.mul(z.grad as Tensor);
        }
      }
      const x = leaf(2);
      Inner.apply(x).backward();
      assert.equal(x.grad?.item(), 12);
    });

    inMode('what a function may not return', () => {
      const define = (forward: () => unknown, backward: () => unknown) =>
        class Wrong extends torch.autograd.Function {
          static forward(_: FunctionContext, x: Tensor): Tensor {
            return (forward() ?? x.mul(1)) as Tensor;
          }
          static backward(_: FunctionContext, __: Tensor): Tensor {
            return backward() as Tensor;
          }
        };
      const x = leaf([1, 2]);
      throwsArgument(
        () =>
          define(
            () => 5,
            () => null,
          ).apply(x),
        /Wrong\.forward\(\) must return a Tensor or an array of them/,
      );
      const run = (backward: () => unknown) => () =>
        define(() => undefined, backward)
          .apply(x)
          .sum()
          .backward();
      throwsArgument(
        run(() => [null, null]),
        /Wrong\.backward\(\) must return 1 gradients .*, got 2/,
      );
      throwsArgument(
        run(() => 5),
        /Wrong\.backward\(\)'s gradient' must be a Tensor, got number/,
      );
      throwsTorch(
        run(() => torch.ones(3)),
        'RuntimeError',
        /shape/,
      );
      assert.equal(x.grad, null);
      run(() => null)();
      assert.equal(x.grad, null);
    });

    inMode('nothing is recorded where nothing is asked for', () => {
      const y = Cube.apply(torch.tensor(2));
      assert.deepEqual([y.requiresGrad, y.gradFn], [false, null]);
      const z = torch.noGrad(() => Cube.apply(leaf(2)));
      assert.deepEqual([z.requiresGrad, z.item()], [false, 8]);
    });

    inMode('an input that is returned as it is', () => {
      class Scaled extends torch.autograd.Function {
        static forward(_: FunctionContext, x: Tensor): Tensor {
          return x;
        }
        static backward(_: FunctionContext, gradient: Tensor): Tensor {
          return gradient.mul(7);
        }
      }
      const x = leaf(2);
      const y = Scaled.apply(x);
      assert.equal(y.isSameTensor(x), false);
      y.backward();
      assert.equal(x.grad?.item(), 7);
    });

    inMode('the modes of the caller hold in backward', () => {
      const seen: boolean[] = [];
      class Looks extends torch.autograd.Function {
        static forward(_: FunctionContext, x: Tensor): Tensor {
          return x.mul(1);
        }
        static backward(_: FunctionContext, gradient: Tensor): Tensor {
          seen.push(torch.isGradEnabled());
          return gradient;
        }
      }
      const x = leaf(2);
      Looks.apply(x).backward();
      Looks.apply(x).backward(null, { createGraph: true });
      assert.deepEqual(seen, [false, true]);
      assert.equal(torch.isGradEnabled(), true);
    });

    inMode('a long chain', () => {
      const x = leaf(1);
      let y: Tensor = x;
      for (let i = 0; i < 3000; i++) y = i % 3 === 0 ? Cube.apply(y) : y.mul(1);
      y.backward();
      assert.equal(x.grad?.item(), Number.POSITIVE_INFINITY);
    });
  });

/** One thing to compute in Praxis and in Python. */
import type { nn, Tensor } from '../../src/index.js';

export interface Case {
  readonly name: string;
  /** The module in Python; empty for functions. */
  readonly python: string;
  readonly make: (() => nn.AnyModule) | null;
  /** Inputs in Python; tensors of floating-point numbers get gradients unless `const ` stands in front. */
  readonly inputs: readonly string[];
  /** The call in Python, with the module `m` and the inputs `i`. */
  readonly call: string;
  /** The same here. */
  readonly forward: (module: nn.AnyModule, inputs: Tensor[]) => unknown;
  /** In evaluation mode. */
  readonly eval?: boolean;
  /** The first version of PyTorch that has it. */
  readonly since?: string;
  /** Part of the stored file, so that it is held to PyTorch where there is none. */
  readonly golden?: boolean;
  /** The print differs between versions of PyTorch; not compared. */
  readonly printVaries?: boolean;
}

/** Whether a version of PyTorch has what came with `since`. */
export function atLeast(version: string, since = '0.0'): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = since.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/** What scripts/golden/nn.py needs to know of cases. */
export const forPython = (cases: readonly Case[]) =>
  cases.map(({ name, python, inputs, call, eval: evaluate = false, golden = false }) => ({
    name,
    python,
    inputs,
    call,
    eval: evaluate,
    golden,
  }));

type Extra = Partial<Pick<Case, 'call' | 'forward' | 'eval' | 'since' | 'golden' | 'printVaries'>>;

/** A layer. Its default call is `m(*i)`. */
export function layer(
  python: string,
  make: () => unknown,
  inputs: string | readonly string[],
  extra: Extra = {},
): Case {
  return {
    name: `nn.${python}${extra.eval ? ' in evaluation' : ''}, ${extra.call ?? 'm(*i)'} of ${[inputs].flat().join(', ')}`,
    python: `nn.${python}`,
    make: make as () => nn.AnyModule,
    inputs: typeof inputs === 'string' ? [inputs] : inputs,
    call: 'm(*i)',
    forward: (module, given) => (module as unknown as { forward(...x: Tensor[]): unknown }).forward(...given),
    ...extra,
  };
}

/** A function: the call in Python with inputs `i`, the same here, and the inputs in Python. */
export function call(
  python: string,
  forward: (...inputs: Tensor[]) => unknown,
  inputs: string | readonly string[],
  extra: Extra = {},
): Case {
  return {
    name: `${python} of ${[inputs].flat().join(', ')}`,
    python: '',
    make: null,
    inputs: typeof inputs === 'string' ? [inputs] : inputs,
    call: python,
    forward: (_, given) => forward(...given),
    ...extra,
  };
}

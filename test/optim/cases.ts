/** The problems that trajectories are compared on; scripts/golden/optimizers.py has the same in Python. */
import * as optim from '../../src/optim/index.js';
import { type DType, type Tensor, torch } from '../../src/torch/index.js';

/** One optimiser with options, on one problem. Options are spelt as in Python. */
export interface OptimizerCase {
  readonly optimizer: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly dtype: 'float32' | 'float64';
  readonly shapes: 'mixed' | 'matrices';
  readonly steps: number;
  readonly groups?: { readonly at: number; readonly options: Readonly<Record<string, unknown>> };
}

export const shapes = {
  mixed: [[8, 6], [6], [2, 3, 3, 3], []],
  matrices: [
    [8, 6],
    [6, 10],
    [4, 4],
  ],
} as const;

const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Parameters that depend on nothing but the case. */
export function makeParameters(item: Pick<OptimizerCase, 'shapes' | 'dtype'>): Tensor[] {
  return shapes[item.shapes].map((shape, i) =>
    torch
      .arange(product(shape), { dtype: 'float64' })
      .mul(0.7)
      .add(i)
      .cos()
      .to(item.dtype as DType)
      .reshape([...shape])
      .requiresGrad_(),
  );
}

/** A bowl with noise; the second parameter has a gradient in every other step only. */
export function setGradients(parameters: readonly Tensor[], step: number): void {
  for (const [i, parameter] of parameters.entries()) {
    if (i === 1 && step % 2 === 1) {
      parameter.grad = null;
      continue;
    }
    const w = parameter.detach();
    const index = torch.arange(w.numel(), { dtype: 'float64' });
    const curvature = index.mul(0.3).sin().add(1.5).to(w.dtype).reshape(w.shape);
    const noise = index
      .mul(1.3)
      .add(0.37 * step)
      .sin()
      .mul(0.3)
      .to(w.dtype)
      .reshape(w.shape);
    parameter.grad = curvature.mul(w.sub(0.25)).add(noise);
  }
}

export function run(optimizer: optim.Optimizer, parameters: readonly Tensor[], start: number, end: number): void {
  for (let step = start; step < end; step++) {
    setGradients(parameters, step);
    optimizer.step();
  }
}

const camel = (options: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(options)
      .filter(([key]) => key !== 'fused' && key !== 'foreach')
      .map(([key, value]) => [key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()), value]),
  );

type Make = (parameters: readonly unknown[], options: Record<string, unknown>) => optim.Optimizer;
const makers: Readonly<Record<string, Make>> = Object.fromEntries(
  Object.entries({
    SGD: optim.SGD,
    RMSprop: optim.RMSprop,
    Adam: optim.Adam,
    AdamW: optim.AdamW,
    Adagrad: optim.Adagrad,
    Lion: optim.Lion,
    Muon: optim.Muon,
  }).map(([name, Class]): [string, Make] => [
    name,
    (parameters, options) => new Class(parameters as Tensor[], options) as unknown as optim.Optimizer,
  ]),
);

export function makeOptimizer(
  item: OptimizerCase,
  parameters: readonly Tensor[],
  implementation?: 'fused' | 'foreach',
): optim.Optimizer {
  const options = { ...camel(item.options), ...(implementation === undefined ? {} : { implementation }) };
  const make = makers[item.optimizer] as Make;
  if (item.groups === undefined) return make(parameters, options);
  const { at, options: own } = item.groups;
  return make([{ params: parameters.slice(0, at) }, { params: parameters.slice(at), ...camel(own) }], options);
}

/** All elements, as doubles. */
export const valuesOf = (parameters: readonly Tensor[]): number[][] =>
  parameters.map((parameter) => Array.from(parameter.detach().to('float64').toTypedArray() as Float64Array));

/** The largest difference, as a share of the largest weight: rounding along the way was relative to weights of that size. */
export function difference(own: readonly number[][], expected: readonly number[][]): number {
  let largest = 0;
  const scale = expected.flat().reduce((a, b) => Math.max(a, Math.abs(b)), 1e-3);
  own.forEach((values, i) => {
    const other = expected[i] as readonly number[];
    if (values.length !== other.length)
      throw new Error(`parameter ${i} has ${values.length} elements, not ${other.length}`);
    values.forEach((value, k) => {
      const gap = Math.abs(value - (other[k] as number)) / scale;
      largest = Number.isNaN(gap) ? Infinity : Math.max(largest, gap);
    });
  });
  return largest;
}

const variants: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>> = {
  SGD: [
    { lr: 0.05 },
    { lr: 0.05, momentum: 0.9 },
    { lr: 0.05, momentum: 0.9, nesterov: true, weight_decay: 0.01 },
    { lr: 0.05, momentum: 0.8, dampening: 0.3, weight_decay: 0.1 },
    { lr: 0.001, momentum: 0.9, maximize: true },
  ],
  RMSprop: [
    { lr: 0.01 },
    { lr: 0.01, alpha: 0.9, eps: 1e-6, weight_decay: 0.01 },
    { lr: 0.003, alpha: 0.9, centered: true, eps: 1e-3 },
    { lr: 0.003, alpha: 0.9, centered: true, eps: 1e-3, momentum: 0.9, weight_decay: 0.02 },
    { lr: 0.003, momentum: 0.5, maximize: true },
  ],
  Adam: [
    { lr: 0.01 },
    { lr: 0.01, betas: [0.8, 0.95], eps: 1e-6, weight_decay: 0.05 },
    { lr: 0.01, amsgrad: true, weight_decay: 0.01 },
    { lr: 0.003, maximize: true },
  ],
  AdamW: [
    { lr: 0.01 },
    { lr: 0.01, betas: [0.8, 0.95], eps: 1e-6, weight_decay: 0.3 },
    { lr: 0.01, amsgrad: true },
    { lr: 0.003, maximize: true, weight_decay: 0.1 },
  ],
  Adagrad: [
    { lr: 0.05 },
    { lr: 0.05, lr_decay: 0.01, weight_decay: 0.05, eps: 1e-6 },
    { lr: 0.05, initial_accumulator_value: 0.5 },
    { lr: 0.01, maximize: true },
  ],
  Lion: [{ lr: 0.003 }, { lr: 0.003, betas: [0.8, 0.95], weight_decay: 0.5 }, { lr: 0.001, maximize: true }],
};

/** Every optimiser with every option. */
export function allCases(dtype: 'float32' | 'float64', steps: number): OptimizerCase[] {
  const cases: OptimizerCase[] = [];
  for (const [optimizer, list] of Object.entries(variants))
    for (const options of list) cases.push({ optimizer, options, dtype, shapes: 'mixed', steps });
  const groups = { at: 2, options: { lr: 0.002, weight_decay: 0.2 } };
  for (const optimizer of ['SGD', 'AdamW'])
    cases.push({ optimizer, options: { lr: 0.02 }, dtype, shapes: 'mixed', steps, groups });
  return cases;
}

/** Muon's options. Its iteration runs in bfloat16, so its numbers compare on one machine only. */
export function muonCases(steps: number): OptimizerCase[] {
  return [
    { lr: 0.02 },
    { lr: 0.02, nesterov: false, momentum: 0.8, weight_decay: 0.3 },
    { lr: 0.02, adjust_lr_fn: 'match_rms_adamw', ns_steps: 3, eps: 1e-5 },
    { lr: 0.02, ns_coefficients: [2, -1.5, 0.5] },
  ].map((options) => ({ optimizer: 'Muon', options, dtype: 'float32', shapes: 'matrices', steps }));
}

export const caseTitle = (item: OptimizerCase): string =>
  `${item.optimizer} ${JSON.stringify(item.options)}${item.groups ? ' in two groups' : ''} ${item.dtype}`;

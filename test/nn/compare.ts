/** Runs cases and compares them with what Python computed. */
import assert from 'node:assert/strict';
import { nn, Tensor, torch } from '../../src/index.js';
import type { Case } from './case.js';

/** What scripts/golden/nn.py stores of a case. */
export interface Expected {
  readonly print: string;
  readonly state: Readonly<Record<string, Tensor>>;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly inputGradients: readonly (Tensor | null)[];
  readonly gradients: Readonly<Record<string, Tensor | null>>;
  readonly after: Readonly<Record<string, Tensor>>;
}

export type ExpectedByName = Readonly<Record<string, { readonly float32: Expected; readonly float64?: Expected }>>;

/** Largest difference relative to the largest value; infinite unless shape and type agree and the same elements are not finite. */
export function relativeError(actual: Tensor, expected: Tensor): number {
  if (actual.dtype !== expected.dtype || String(actual.shape) !== String(expected.shape))
    return Number.POSITIVE_INFINITY;
  if (actual.numel() === 0 || actual.equal(expected)) return 0;
  const [a, b] = [actual.double(), expected.double()];
  const finite = b.isfinite();
  if (!a.isfinite().equal(finite)) return Number.POSITIVE_INFINITY;
  const zeros = torch.zerosLike(a);
  const difference = torch.where(finite, a.sub(b), zeros).abs().max().item();
  return difference / Math.max(torch.where(finite, b, zeros).abs().max().item(), 1e-300);
}

function close(actual: Tensor | null, expected: Tensor | null, tolerance: number, what: string): void {
  if (actual === null || expected === null) {
    assert.equal(actual === null, expected === null, `${what}: one side has none`);
    return;
  }
  const error = relativeError(actual, expected);
  const shapes = `${actual.dtype} [${actual.shape}] and ${expected.dtype} [${expected.shape}]`;
  assert.ok(error <= tolerance, `${what}: relative error ${error} (${shapes})\n${actual}\n${expected}`);
}

const tensorsOf = (value: unknown): Tensor[] =>
  value instanceof Tensor ? [value] : Array.isArray(value) ? value.flatMap(tensorsOf) : [];

/** Every parameter and buffer by name, compared. */
function closeState(
  actual: Readonly<Record<string, Tensor | null>>,
  expected: Readonly<Record<string, Tensor | null>>,
  tolerance: number,
  what: string,
): void {
  assert.deepEqual(Object.keys(actual), Object.keys(expected), `${what}: names and order`);
  for (const [name, tensor] of Object.entries(expected))
    close(actual[name] ?? null, tensor, tolerance, `${what} ${name}`);
}

export interface Tolerances {
  /** Of freshly drawn parameters. */
  readonly initial: number;
  /** Of everything computed. */
  readonly computed: number;
}

/** What newer versions print of a normalisation's bias, and the print of the version the seed text used leaves out. */
export const withoutNormBias = (text: string): string => text.replace(/(Norm\w*\(.*?), bias=(?:True|False)/g, '$1');

/** Runs a case as scripts/golden/nn.py does and compares everything. */
export function check(item: Case, expected: Expected, dtype: 'float32' | 'float64', tolerances: Tolerances): void {
  torch.manualSeed(7);
  const module = (item.make?.() ?? new nn.Module()) as nn.AnyModule;
  module.to(dtype);
  closeState(module.stateDict(), expected.state, tolerances.initial, 'initial');
  module.loadStateDict(expected.state);
  module.train(item.eval !== true);
  const inputs = expected.inputs.map((x, i) =>
    x.isFloatingPoint() && !item.inputs[i]?.startsWith('const ') ? x.clone().requiresGrad_(true) : x,
  );
  torch.manualSeed(9);
  const outputs = tensorsOf(
    item.forward(
      module,
      inputs.map((x) => (x.requiresGrad ? x.mul(1) : x)),
    ),
  );
  assert.equal(outputs.length, expected.outputs.length, 'number of outputs');
  for (const [i, x] of outputs.entries())
    close(x.detach(), expected.outputs[i] as Tensor, tolerances.computed, `output ${i}`);
  const learnt = outputs.filter((x) => x.requiresGrad);
  const factors = learnt.map((x) => torch.arange(x.numel(), { dtype }).cos().view(x.shape));
  if (learnt.length > 0) torch.autograd.backward(learnt, factors);
  for (const [i, x] of inputs.entries())
    close(x.grad, expected.inputGradients[i] ?? null, tolerances.computed, `gradient of input ${i}`);
  const gradients = Object.fromEntries(
    module.namedParameters().map(([name, { grad }]) => [name, grad === null || !grad.isSparse ? grad : grad.toDense()]),
  );
  closeState(gradients, expected.gradients, tolerances.computed, 'gradient of');
  closeState(module.stateDict(), expected.after, tolerances.computed, 'afterwards');
}

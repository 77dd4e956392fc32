/** Gradients against finite differences in float64, and second derivatives too. Needs no Python. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Tensor, torch } from '../../src/torch/index.js';
import { type Differentiable, gradcheck, gradgradcheck, noGradient } from '../support/gradcheck.js';
import { type Call, callsOf } from './calls.js';
import { groups } from './cases/index.js';
import { Inputs, tensorsIn } from './compare.js';
import { formsOf } from './forms.js';

const modern = !torch.version.startsWith('1.');

const calls = callsOf(Object.values(groups).flat(), modern).filter(
  (call) =>
    call.gradient &&
    (call.dtype === 'float64' || call.dtype === 'complex128') &&
    !call.operator.endsWith('_') &&
    call.case.settings.noDifferences === undefined &&
    torch.hasOperator(call.operator) &&
    call.inputs.every(({ bytes }) => bytes.length <= 1200),
);

const isComplex = (tensor: Tensor): boolean => tensor.dtype.startsWith('complex');
/** Complex numbers are pairs of real ones to the check. */
const asReal = (tensor: Tensor): Tensor => (isComplex(tensor) ? torch.viewAsReal(tensor.resolveConj()) : tensor);

/** A call as a function of those inputs that have gradients. */
function differentiable(call: Call): { f: Differentiable; leaves: Tensor[] } {
  const own = new Inputs(call, false);
  const positions = call.gradients.flatMap((wanted, i) => (wanted ? [i] : []));
  const f: Differentiable = (leaves) => {
    const inputs = new Inputs(call, false);
    for (const [i, position] of positions.entries())
      inputs.leaves[position] = isComplex(own.leaves[position]!) ? torch.viewAsComplex(leaves[i]!) : leaves[i]!;
    const args = inputs.args();
    const form = formsOf(call.operator, args)[0]!;
    const chosen = call.case.settings.form === 'ops' ? formsOf(call.operator, args).at(-1)! : form;
    return tensorsIn(chosen.call(args, inputs.options()))
      .filter((x) => x.isFloatingPoint() || isComplex(x))
      .map(asReal)
      .filter((x) => x.dtype === 'float64');
  };
  return { f, leaves: positions.map((i) => asReal(own.leaves[i]!)) };
}

test('gradients agree with finite differences', (t) => {
  torch.setNumThreads(1);
  const checked = new Set<string>();
  const problems: string[] = [];
  for (const call of calls) {
    const { f, leaves } = differentiable(call);
    try {
      const problem = gradcheck(f, leaves);
      if (problem === null) checked.add(call.operator);
      // A constant such as floor's gradient, or a result of another type.
      else if (problem !== noGradient) problems.push(`${call.label}: ${problem}`);
    } catch (error) {
      if (!isLacking(error)) problems.push(`${call.label}: ${String(error).split('\n')[0]}`);
    }
  }
  assert.equal(problems.join('\n'), '');
  t.diagnostic(`${checked.size} operators in ${calls.length} calls`);
  assert.ok(checked.size >= (modern ? 400 : 350), `${checked.size} operators`);
});

const lackingWords =
  /not implemented|not (currently )?supported|does not support|not intended to support|modified by an inplace/;
const isLacking = (error: unknown): boolean =>
  lackingWords.test(String(error)) || (!modern && String(error).includes('fits no form'));

/** Whose derivative takes logarithms of the gradient, which may be negative. */
const undefinedSecond: ReadonlySet<string> = new Set(['logcumsumexp']);

test('second derivatives agree with finite differences', (t) => {
  const checked = new Set<string>();
  const tried = new Set<string>();
  const problems: string[] = [];
  let lacking = 0;
  for (const call of calls) {
    const { f, leaves } = differentiable(call);
    if (
      tried.has(call.operator) ||
      undefinedSecond.has(call.operator) ||
      leaves.reduce((sum, x) => sum + x.numel(), 0) > 40
    )
      continue;
    tried.add(call.operator);
    try {
      const problem = gradgradcheck(f, leaves, { absolute: 1e-4 });
      if (problem === null) checked.add(call.operator);
      // A constant such as floor's gradient, or a result of another type.
      else if (problem !== noGradient) problems.push(`${call.label}: ${problem}`);
    } catch (error) {
      if (isLacking(error)) lacking++;
      else problems.push(`${call.label}: ${String(error).split('\n')[0]}`);
    }
  }
  assert.equal(problems.join('\n'), '');
  t.diagnostic(`${checked.size} operators; ${lacking} have no second derivative`);
  assert.ok(checked.size >= 250, `${checked.size} operators`);
});

test('the check itself sees a wrong gradient', () => {
  const x = torch.tensor([0.5, -1, 2], { dtype: 'float64' });
  // Half of the product is hidden from the gradient.
  const wrong: Differentiable = ([a]) => [a!.mul(a!.detach())];
  assert.match(gradcheck(wrong, [x]) ?? '', /∂output 0\[0\] \/ ∂input 0\[0\] is 0\.5, by differences (1\.0|0\.99)/);
  const unconnected: Differentiable = ([a]) => [a!.detach().mul(2)];
  assert.match(gradcheck(unconnected, [x]) ?? '', new RegExp(noGradient));
  const second: Differentiable = ([a]) => [a!.mul(a!).mul(a!.detach())];
  assert.ok(gradgradcheck(second, [x]) !== null);
});

/**
 * Holds gradients to finite differences, as `torch.autograd.gradcheck`.
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.gradcheck.gradcheck.html
 */
import { type Tensor, torch } from '../../src/torch/index.js';

export interface GradcheckOptions {
  /** Step of the central differences. */
  readonly step?: number;
  readonly absolute?: number;
  readonly relative?: number;
}

/** What the checks say of a function that is constant as far as the engine knows. */
export const noGradient = 'no output has a gradient';

/** Differentiable outputs for given leaves (float64). */
export type Differentiable = (leaves: readonly Tensor[]) => readonly Tensor[];

const valuesOf = (tensor: Tensor): Float64Array =>
  Float64Array.from(tensor.detach().contiguous().toTypedArray() as Float64Array);

const leafOf = (values: Float64Array, shape: readonly number[], requiresGrad: boolean): Tensor =>
  torch
    .tensor(values)
    .reshape(shape as number[])
    .clone()
    .requiresGrad_(requiresGrad);

/**
 * Compares every entry of the Jacobian of every output that has a gradient with central differences.
 * @param leaves float64 tensors; gradients are checked for all
 * @returns null when they agree, else the first entry that does not
 */
export function gradcheck(f: Differentiable, leaves: readonly Tensor[], options: GradcheckOptions = {}): string | null {
  const { step = 1e-6, absolute = 1e-5, relative = 1e-3 } = options;
  const points = leaves.map(valuesOf);
  const shapes = leaves.map((x) => x.shape);
  const fresh = points.map((values, i) => leafOf(values, shapes[i]!, true));
  const outputs = f(fresh);
  if (!outputs.some((x) => x.requiresGrad)) return noGradient;
  const numeric = differences(f, points, shapes, step);
  for (const [o, output] of outputs.entries()) {
    const size = output.numel();
    if (!output.requiresGrad) continue;
    for (let row = 0; row < size; row++) {
      const chosen = new Float64Array(size);
      chosen[row] = 1;
      const rows = torch.autograd.grad([output], fresh, {
        gradOutputs: [torch.tensor(chosen).reshape(output.shape)],
        retainGraph: true,
        allowUnused: true,
      });
      for (const [i, gradient] of rows.entries()) {
        const analytic = gradient === null ? new Float64Array(points[i]!.length) : valuesOf(gradient);
        for (let column = 0; column < analytic.length; column++) {
          const wanted = numeric[i]![column]![o]![row]!;
          const got = analytic[column]!;
          if (!(Math.abs(got - wanted) <= absolute + relative * Math.abs(wanted)))
            return `∂output ${o}[${row}] / ∂input ${i}[${column}] is ${got}, by differences ${wanted}`;
        }
      }
    }
  }
  return null;
}

/** For each input and each of its elements: the derivative of every output. */
function differences(
  f: Differentiable,
  points: readonly Float64Array[],
  shapes: readonly (readonly number[])[],
  step: number,
): Float64Array[][][] {
  const at = (input: number, element: number, shift: number): Float64Array[] => {
    const moved = points.map((values, i) => {
      const copy = values.slice();
      if (i === input) copy[element]! += shift;
      return leafOf(copy, shapes[i]!, false);
    });
    return f(moved).map(valuesOf);
  };
  return points.map((values, input) =>
    Array.from(values, (_, element) => {
      const above = at(input, element, step);
      const below = at(input, element, -step);
      return above.map((high, o) => high.map((x, k) => (x - below[o]![k]!) / (2 * step)));
    }),
  );
}

/**
 * The same for second derivatives: the gradients of `f`, weighted with numbers that are inputs too, are checked as a function of both.
 * @throws what the engine says when an operator has no second derivative
 */
export function gradgradcheck(
  f: Differentiable,
  leaves: readonly Tensor[],
  options: GradcheckOptions = {},
): string | null {
  const weights = f(leaves.map((x) => leafOf(valuesOf(x), x.shape, true))).map((output, k) => {
    const values = Float64Array.from({ length: output.numel() }, (_, i) => (((i * 7 + 3 * k) % 11) - 4) / 5);
    return torch.tensor(values).reshape(output.shape);
  });
  const gradients: Differentiable = (all) => {
    // Differences move plain tensors: their gradients are taken all the same.
    const inputs = all.slice(0, leaves.length).map((x) => (x.requiresGrad ? x : x.detach().requiresGrad_(true)));
    const outputs = f(inputs);
    const differentiable = outputs.map((x) => x.requiresGrad);
    const found = torch.autograd.grad(
      outputs.filter((_, i) => differentiable[i]),
      inputs,
      {
        gradOutputs: all.slice(leaves.length).filter((_, i) => differentiable[i]),
        createGraph: true,
        allowUnused: true,
      },
    );
    return found.map((gradient, i) => gradient ?? torch.zerosLike(inputs[i]!));
  };
  return gradcheck(gradients, [...leaves, ...weights], options);
}

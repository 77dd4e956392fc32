/** All tables together, and what is derived from them: the form of an operator that works in place. */
import { methodNames } from '../../../src/torch/generated/names.generated.js';
import type { OperatorCase } from '../case.js';
import { binaries } from './binary.js';
import { indexing } from './indexing.js';
import { linearAlgebra } from './linear-algebra.js';
import { convolutions, losses, normalisation, pooling, recurrent } from './network.js';
import { pointwise } from './pointwise.js';
import { reductions } from './reductions.js';
import { shapes } from './shapes.js';
import { creation, fourier, lists } from './transforms.js';

export const groups: Readonly<Record<string, readonly OperatorCase[]>> = {
  pointwise,
  binaries,
  reductions,
  'linear algebra': linearAlgebra,
  shapes,
  indexing,
  convolutions,
  pooling,
  normalisation,
  recurrent,
  losses,
  fourier,
  creation,
  lists,
};

const methods: ReadonlySet<string> = new Set(Object.values(methodNames));
const activations = ['celu', 'elu', 'gelu', 'hardsigmoid', 'hardswish', 'hardtanh', 'leaky_relu', 'mish', 'relu6'];
const others = new Set([...activations, 'selu', 'silu', 'threshold']);

/** The cases again with `add_` for `add`, where there is such an operator. */
function inPlace(cases: readonly OperatorCase[]): OperatorCase[] {
  return cases
    .filter(({ operator }) => !operator.endsWith('_') && (methods.has(`${operator}_`) || others.has(operator)))
    .map((item) => ({
      ...item,
      operator: `${item.operator}_`,
      settings: { ...item.settings, notStored: item.settings.notStored ?? 'the other form is' },
    }));
}

/** Cases by group, in-place forms among them. */
export const allGroups: Readonly<Record<string, readonly OperatorCase[]>> = {
  ...groups,
  'in place': inPlace(Object.values(groups).flat()),
};

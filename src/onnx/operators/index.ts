/** The ONNX form of each operator that has one here, by PyTorch's name. */
import type { Emitter } from '../emission.js';
import { arithmetic } from './arithmetic.js';
import { layers } from './layers.js';
import { pointwise } from './pointwise.js';
import { pooling } from './pooling.js';
import { reductions } from './reductions.js';
import { shapes } from './shapes.js';

export const emitters: Readonly<Record<string, Emitter>> = {
  ...pointwise,
  ...arithmetic,
  ...shapes,
  ...reductions,
  ...layers,
  ...pooling,
};

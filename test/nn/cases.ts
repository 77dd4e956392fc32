/** Everything of nn that is held to PyTorch. */
import type { Case } from './case.js';
import { functionCases } from './cases-functions.js';
import { layerCases } from './cases-layers.js';
import { structureCases } from './cases-structures.js';

export const allCases: readonly Case[] = [...layerCases, ...structureCases, ...functionCases];

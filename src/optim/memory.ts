/** What training with an optimiser costs in memory, before it has made anything. */
import { bytesPerElement } from '../torch/dtype.js';
import type { CommonOptions, Optimizer } from './optimizer.js';

/** Bytes for each trained number, averaged over the parameters. */
export interface MemoryPerParameter {
  /** The parameter itself. */
  readonly weight: number;
  /** Its gradient. */
  readonly gradient: number;
  /** What the optimiser remembers of it. */
  readonly state: number;
  readonly total: number;
}

interface Totals {
  readonly elements: number;
  readonly weights: number;
  readonly state: number;
  /** Names of the state, of all groups. */
  readonly names: readonly string[];
}

function totalsOf<Options extends CommonOptions>(optimizer: Optimizer<Options>): Totals {
  let elements = 0;
  let weights = 0;
  let state = 0;
  const names = new Set<string>();
  for (const group of optimizer.paramGroups) {
    const kept = optimizer.stateNames(group);
    for (const name of kept) names.add(name);
    for (const parameter of group.params) {
      const count = parameter.numel();
      const bytes = count * bytesPerElement(parameter.dtype);
      elements += count;
      weights += bytes;
      state += kept.length * bytes;
    }
  }
  return { elements, weights, state, names: [...names] };
}

export function memoryOf<Options extends CommonOptions>(optimizer: Optimizer<Options>): MemoryPerParameter {
  const { elements, weights, state } = totalsOf(optimizer);
  const per = (bytes: number) => (elements === 0 ? 0 : bytes / elements);
  return { weight: per(weights), gradient: per(weights), state: per(state), total: per(2 * weights + state) };
}

function inUnits(bytes: number): string {
  if (bytes < 2 ** 10) return `${bytes} bytes`;
  const [size, unit] = bytes < 2 ** 20 ? [2 ** 10, 'KiB'] : bytes < 2 ** 30 ? [2 ** 20, 'MiB'] : [2 ** 30, 'GiB'];
  return `${(bytes / (size as number)).toFixed(1)} ${unit}`;
}

const short = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(2));

export function describeCost<Options extends CommonOptions>(optimizer: Optimizer<Options>): string {
  const { elements, state, names } = totalsOf(optimizer);
  const per = memoryOf(optimizer);
  const kept =
    names.length === 0
      ? 'keeps nothing'
      : `keeps ${names.length === 1 ? 'one number' : `${names.length} numbers`} (${names.join(', ')}), ${short(per.state)} bytes,`;
  return (
    `${optimizer.name} ${kept} for each parameter: ${inUnits(state)} for ${elements.toLocaleString('en')} parameters. ` +
    `With weights (${short(per.weight)}) and gradients (${short(per.gradient)}) training holds ${short(per.total)} bytes per parameter, ${inUnits(Math.round(per.total * elements))} in all.`
  );
}

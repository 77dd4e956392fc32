/** `module.to(…)`: another device, floating-point type or memory format for everything a module holds. */

import { complexTypes, dtypeCode, floatingTypes } from '../torch/dtype.js';
import { ArgumentError, type ConversionOptions, Tensor, torch } from '../torch/index.js';
import type { AnyModule } from './module.js';
import { setData } from './parameter.js';

function optionsOf(target: unknown, options: ConversionOptions): ConversionOptions {
  if (target instanceof Tensor) return { dtype: target.dtype, device: target.device, ...options };
  if (typeof target === 'object' && target !== null) return { ...(target as ConversionOptions), ...options };
  if (typeof target !== 'string')
    throw new ArgumentError(
      `Module.to(): expected a floating-point type, a device, a tensor or options, got ${String(target)}.`,
    );
  return dtypeCode(target) === undefined ? { ...options, device: target } : { ...options, dtype: target as never };
}

/** The options that fit one tensor: integers keep their type, memory formats are for the number of dimensions they are made for. */
function optionsFor(tensor: Tensor, options: ConversionOptions): ConversionOptions {
  const { dtype, device, nonBlocking, memoryFormat } = options;
  const dimensions = memoryFormat === 'channelsLast' ? 4 : memoryFormat === 'channelsLast3d' ? 5 : undefined;
  const formatted = memoryFormat !== undefined && (dimensions === undefined || tensor.ndim === dimensions);
  const changesType = dtype !== undefined && (tensor.isFloatingPoint() || complexTypes.has(tensor.dtype));
  return {
    ...(changesType ? { dtype } : {}),
    ...(device !== undefined ? { device } : {}),
    ...(nonBlocking !== undefined ? { nonBlocking } : {}),
    ...(formatted ? { memoryFormat } : {}),
  };
}

/** Converts in place: parameters keep their identity, buffers are replaced in their fields. */
export function convertModule(root: AnyModule, target: unknown, given: ConversionOptions): void {
  const options = optionsOf(target, given);
  const { dtype } = options;
  if (dtype !== undefined && !floatingTypes.has(dtype) && !complexTypes.has(dtype))
    throw new ArgumentError(
      `Module.to('${dtype}'): modules can be given floating-point or complex types only; integer buffers keep theirs.`,
    );
  const convert = (tensor: Tensor): Tensor => tensor.to(optionsFor(tensor, options));
  const replaced = new Map<Tensor, Tensor>();
  torch.noGrad(() => {
    for (const module of root.modules()) {
      for (const { value } of module.ownParameters()) {
        if (replaced.has(value)) continue;
        replaced.set(value, value);
        const { grad } = value;
        const next = convert(value);
        if (next !== value) setData(value, next);
        if (grad !== null) value.grad = convert(grad);
      }
      for (const { key, value } of module.ownBuffers()) {
        const next = replaced.get(value) ?? convert(value);
        replaced.set(value, next);
        if (next !== value) module.setField(key, next);
      }
    }
  });
}

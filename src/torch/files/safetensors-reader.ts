import { setOwn } from './convert.js';
import type { FileEngine } from './engine.js';
import { FileMapping, readBytes } from './materialise.js';
import { readSafetensorsHeader, type SafetensorsEntry } from './safetensors-header.js';
import type { ByteSource } from './source.js';

function contiguousStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= Math.max(shape[axis]!, 1);
  }
  return strides;
}

/**
 * Reads a `.safetensors` file as a plain object of tensors, in the order of the header. Mapped tensors lie in the file itself;
 * those whose position is not a multiple of their element size are copied.
 */
export async function readSafetensors<T>(
  source: ByteSource,
  engine: FileEngine<T>,
  options: { readonly device?: string | undefined; readonly mmap: boolean },
): Promise<Record<string, T>> {
  const { entries } = readSafetensorsHeader(source);
  for (const { type } of entries) engine.checkType(type);
  const mapping = new FileMapping(engine, source);
  const memory = async ({ start, bytes, type }: SafetensorsEntry): Promise<T> => {
    if (options.mmap && bytes > 0 && mapping.fits(start, type.bytes)) return mapping.slice(start, bytes);
    return readBytes(engine, source, start, bytes);
  };
  const tensors: Record<string, T> = {};
  for (const entry of entries) {
    const onCpu = await memory(entry);
    const storage = options.device === undefined ? onCpu : engine.toDevice(onCpu, options.device);
    setOwn(tensors, entry.name, engine.view(storage, entry.type, entry.shape, contiguousStrides(entry.shape), 0));
  }
  return tensors;
}

/** The text pairs that a `.safetensors` file carries beside its tensors; reads the header only. */
export function readSafetensorsMetadata(source: ByteSource): Record<string, string> {
  const pairs: Record<string, unknown> = {};
  for (const [key, text] of readSafetensorsHeader(source).metadata) setOwn(pairs, key, text);
  return pairs as Record<string, string>;
}

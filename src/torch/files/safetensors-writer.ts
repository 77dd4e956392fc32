import type { AtomicFile } from './atomic.js';
import { elementByName } from './element-types.js';
import type { FileEngine } from './engine.js';
import { FileFormatError, quote } from './errors.js';
import { countElements, type SafetensorsPlan, writeSafetensorsHeader } from './safetensors-header.js';

/**
 * Writes named tensors as a `.safetensors` file. Views are written as what they show, row-major; tensors that share memory are
 * written each by itself and no longer share when they are loaded. (Python's `save_file` refuses both; Praxis has no need to.)
 *
 * @throws FileFormatError for anything but a flat object or Map of dense tensors, and for dtypes the format lacks
 */
export function writeSafetensors<T>(
  file: AtomicFile,
  path: string,
  value: unknown,
  metadata: Readonly<Record<string, string>>,
  engine: FileEngine<T>,
): void {
  const pairs = Object.entries(metadata);
  for (const [key, text] of pairs) {
    if (typeof text !== 'string')
      throw new FileFormatError(path, `cannot be written: metadata ${quote(key)} is not a string`);
  }
  // Widest elements first keeps every tensor aligned; names break ties, so equal contents give equal files.
  const plans = [...namedTensors(path, value, engine)].sort(
    (a, b) => b.type.bytes - a.type.bytes || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
  file.write(writeSafetensorsHeader(plans, new Map(pairs)));
  for (const { tensor, bytes, name } of plans) {
    const data = engine.elementBytes(tensor);
    if (data.byteLength !== bytes)
      throw new FileFormatError(path, `cannot be written: tensor ${quote(name)} changed meanwhile`);
    file.write(data);
  }
}

interface NamedTensor<T> extends SafetensorsPlan {
  readonly tensor: T;
}

function* namedTensors<T>(path: string, value: unknown, engine: FileEngine<T>): Generator<NamedTensor<T>> {
  const fail = (problem: string) => new FileFormatError(path, `cannot be written: ${problem}`);
  const isFlat = typeof value === 'object' && value !== null && !Array.isArray(value) && !engine.isTensor(value);
  if (!isFlat) throw fail('a .safetensors file holds an object of named tensors; use .pt for anything else');
  for (const [name, tensor] of value instanceof Map ? value : Object.entries(value)) {
    if (typeof name !== 'string') throw fail(`the key ${String(name)} is not a string`);
    if (name === '__metadata__') throw fail('"__metadata__" cannot be the name of a tensor');
    if (/\p{Surrogate}/u.test(name)) throw fail(`the name ${quote(name)} has half a surrogate pair`);
    if (!engine.isTensor(tensor)) throw fail(`${quote(name)} is not a tensor; use .pt for anything but named tensors`);
    const { shape, dtype, layout } = engine.facts(tensor);
    if (layout !== 'strided') throw fail(`tensor ${quote(name)} is ${layout}; make it dense first`);
    const type = elementByName(dtype);
    if (type === undefined || type.safetensors === null)
      throw fail(`tensor ${quote(name)} has dtype ${dtype}, which .safetensors lacks; use .pt`);
    if (type.name === 'float4_e2m1fn_x2' && shape.length === 0)
      throw fail(`tensor ${quote(name)} of dtype ${dtype} needs a dimension`);
    yield { name, type, shape, bytes: (countElements(shape) ?? Number.NaN) * type.bytes, tensor };
  }
}

import type { Tensor } from '../tensor.js';
import { type LoadOptions, loadWith, type SaveOptions, saveWith } from './formats.js';
import { readSafetensorsMetadata } from './safetensors-reader.js';
import { openSource } from './source.js';
import { torchEngine } from './torch-engine.js';

export { asMap, stateDictMetadata } from './convert.js';
export { FileFormatError } from './errors.js';
export type { LoadOptions, SaveOptions } from './formats.js';

/** What `load` gives: the TypeScript counterparts of Python's values. */
export type Loaded =
  | Tensor
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | { readonly re: number; readonly im: number }
  | Loaded[]
  | { [key: string]: Loaded }
  | Map<Loaded, Loaded>
  | Set<Loaded>;

/**
 * Reads tensors and what they are packed in from a `.safetensors`, `.pt` or `.pth` file (zip or legacy), or from its bytes.
 * Reading never runs code: a file may name only what is on a fixed list, anything else is an error that says its name.
 *
 * Python's dicts become plain objects when all keys are strings, else Maps; lists arrays; tuples frozen arrays; ints that a
 * number cannot hold bigints; parameters tensors that require a gradient. docs/files.md has the whole table.
 *
 * @throws FileFormatError when the file is broken, cut short, or holds something not on the list
 *
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.load.html (`weights_only=True`)
 */
export async function load<R = Loaded>(source: string | URL | Uint8Array, options: LoadOptions = {}): Promise<R> {
  return (await loadWith(torchEngine, source, options)) as R;
}

/** The text pairs in the header of a `.safetensors` file. Reads nothing else. */
export async function loadMetadata(source: string | URL | Uint8Array): Promise<Record<string, string>> {
  const bytes = openSource(source);
  try {
    return readSafetensorsMetadata(bytes);
  } finally {
    bytes.close();
  }
}

/**
 * Writes a value to a file, in the format its extension names: `.safetensors` (a flat object of tensors), or `.pt`, `.pth`,
 * `.ckpt`, `.bin`, `.th`, `.tar` (PyTorch's zip form: tensors, numbers, bigints, strings, booleans, null, bytes, arrays, plain objects,
 * Maps and Sets, nested as you like). Python's `torch.load(weights_only=True)` and `safetensors.torch.load_file` read the result.
 *
 * What is written is what the tensors hold at the moment of the call. The file appears whole or not at all: it is written beside
 * its place, flushed to the disk and renamed.
 *
 * @throws FileFormatError for values a file cannot hold; the message says where in the value they are
 *
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.save.html
 */
export async function save(value: unknown, path: string | URL, options: SaveOptions = {}): Promise<void> {
  return saveWith(torchEngine, value, path, options);
}

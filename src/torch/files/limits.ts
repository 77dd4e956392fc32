/**
 * Bounds that every reader holds to, so that a broken or hostile file ends in an error and not in an exhausted machine.
 * They are far above what real checkpoints need; each error that comes from one says so.
 */
export const LIMITS = {
  /** Longest JSON header of a `.safetensors` file, in bytes (the format's own limit). */
  headerBytes: 100_000_000,
  /** Longest pickle stream, in bytes: structure, names and numbers, without tensor data. */
  pickleBytes: 256 * 2 ** 20,
  /** Values and memo entries one pickle stream may push. */
  pickleSteps: 32_000_000,
  /** Items and 8-byte pieces that calls within one pickle stream may copy. */
  pickleCopies: 8_000_000,
  /** Lists, tuples, dicts, sets and tensors one pickle stream may make. */
  pickleContainers: 3_000_000,
  /** Bytes of one Python integer. */
  integerBytes: 1_024,
  /** Containers within containers. Python's own pickler cannot write deeper by default. */
  nesting: 1_000,
  /** Tensors in one file. */
  tensors: 250_000,
  /** Entries of one zip archive. */
  zipEntries: 500_000,
  /** Bytes of a zip archive's directory. */
  zipDirectoryBytes: 128 * 2 ** 20,
  /** Bytes that compressed zip entries may unfold to, all together. PyTorch itself never compresses. */
  inflatedBytes: 256 * 2 ** 20,
  /** Dimensions of one tensor (PyTorch's iterators stop at 64). */
  dimensions: 64,
  /** Elements of an expanded tensor (one that is larger than the memory behind it). */
  expandedElements: 2 ** 28,
} as const;

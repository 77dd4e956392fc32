/** A data set made of some samples of another. */
import { DataError } from '../errors.js';
import { type Dataset, type Part, parts } from '../types.js';
import { TableSamples, TensorSamples, TextSamples } from './in-memory.js';
import { PictureSamples, type SamplesHead } from './samples.js';
import { contentsOf, isSealed, type SampleContents } from './sealing.js';

export interface SubsetOptions {
  /** Name of the new data set; that of the old one by default. */
  readonly name?: string;
}

/** Where the official parts lie in the subset; parts that lost all their samples stay, empty. */
function partsWithin(
  official: Readonly<Record<Part, readonly number[]>>,
  chosen: Uint32Array,
): Record<Part, readonly number[]> {
  const partOf = new Map<number, Part>();
  for (const part of parts) for (const index of official[part]) partOf.set(index, part);
  const within: Record<Part, number[]> = { train: [], validation: [], test: [] };
  chosen.forEach((index, position) => {
    const part = partOf.get(index);
    if (part) within[part].push(position);
  });
  return within;
}

/**
 * The samples at `indices`, in that order, with their names, labels, places and groups; classes stay as they are, also those that no
 * sample is left of. What is or will be sealed in `dataset` is sealed in the subset too.
 * @param indices positions in `dataset`; repetition is allowed
 */
export function subset<Kind extends Dataset>(
  dataset: Kind,
  indices: Iterable<number>,
  options: SubsetOptions = {},
): Kind {
  const chosen = Uint32Array.from(
    (function* () {
      for (const index of indices) {
        if (!Number.isInteger(index) || index < 0 || index >= dataset.length)
          throw new DataError(
            `subset: ${dataset.name} has samples 0 to ${dataset.length - 1}, there is no sample ${index}`,
          );
        yield index;
      }
    })(),
  );
  return view(dataset, chosen, options) as Dataset as Kind;
}

function view(dataset: Dataset, chosen: Uint32Array, options: SubsetOptions): Dataset {
  const source = contentsOf(dataset);
  const at = (index: number): number => chosen[index] as number;
  const contents: SampleContents = {
    name: (index) => source.name(at(index)),
    labels: (index) => source.labels(at(index)),
    sealed: (index) => isSealed(dataset, at(index)),
    source: { dataset, at },
    ...(source.group ? { group: (index: number) => source.group?.(at(index)) } : {}),
  };
  const head: SamplesHead = {
    name: options.name ?? dataset.name,
    root: dataset.root,
    length: chosen.length,
    classes: dataset.classes,
    multiLabel: dataset.multiLabel,
    skipped: dataset.skipped,
    officialParts: dataset.officialParts && partsWithin(dataset.officialParts, chosen),
  };
  switch (dataset.kind) {
    case 'pictures': {
      const location = source.location ?? ((index: number) => dataset.location(index));
      return new PictureSamples(head, { ...contents, location: (index) => location(at(index)) });
    }
    case 'table':
      return new TableSamples(head, contents, dataset.columns, (index, column) => dataset.cell(at(index), column));
    case 'text':
      return new TextSamples(head, contents, (index) => dataset.text(at(index)));
    case 'tensors':
      return new TensorSamples(head, contents, () => dataset.input.at([...chosen]));
  }
}

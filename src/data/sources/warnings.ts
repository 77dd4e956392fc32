/** What is allowed but worth saying about a data set. */
import type { Dataset } from '../types.js';
import { contentsOf } from './sealing.js';

/** Sentences about a data set that can be trained on but perhaps should not be; none for a healthy one. */
export function datasetWarnings(dataset: Dataset): string[] {
  const warnings: string[] = [];
  const { labels } = contentsOf(dataset);
  const counts = new Uint32Array(dataset.classes.length);
  for (let index = 0; index < dataset.length; index++)
    for (const label of labels(index)) counts[label] = (counts[label] as number) + 1;
  const names = (wanted: (count: number) => boolean): string[] =>
    dataset.classes.filter((_, i) => wanted(counts[i] as number));
  const list = (found: readonly string[]): string =>
    found.length > 5 ? `${found.slice(0, 5).join(', ')} and ${found.length - 5} more` : found.join(', ');
  const empty = names((count) => count === 0);
  const single = names((count) => count === 1);
  if (dataset.length === 1) warnings.push(`${dataset.name} has one sample only: nothing can be held back to test with`);
  if (dataset.classes.length - empty.length === 1)
    warnings.push(
      `${dataset.name} has samples of one class only (${list(names((count) => count > 0))}): there is nothing to tell apart`,
    );
  if (empty.length > 0)
    warnings.push(`${empty.length === 1 ? 'a class has' : `${empty.length} classes have`} no samples: ${list(empty)}`);
  if (single.length > 0 && dataset.length > 1)
    warnings.push(
      `${single.length === 1 ? 'a class has' : `${single.length} classes have`} a single sample, which can be in one part of a split only: ${list(single)}`,
    );
  const unreadable = dataset.skipped.filter((entry) => entry.reason.startsWith('unreadable'));
  if (unreadable.length > 0)
    warnings.push(
      `${unreadable.length === 1 ? 'a folder' : `${unreadable.length} folders`} could not be read: ${list(unreadable.map((entry) => entry.path))}`,
    );
  return warnings;
}

/** Where samples come from: folders, manifests, tables, texts, tensors. `sealing.ts` is not exported: it is how the test part stays sealed. */
export { type ImageFolderOptions, imageFolder } from './image-folder.js';
export { type ManifestOptions, manifest } from './manifest.js';
export { type OpenDatasetOptions, openDataset } from './open-dataset.js';
export { type SubsetOptions, subset } from './subset.js';
export { type TableOptions, table } from './table.js';
export { type TensorDatasetOptions, tensorDataset } from './tensors.js';
export { type TextLinesOptions, textLines } from './text-lines.js';
export { unlabelledPictures } from './unlabelled.js';
export { datasetWarnings } from './warnings.js';

/** Pictures of what enters the network. */
export { type PreviewOptions, previewAugmentation } from './preview.js';

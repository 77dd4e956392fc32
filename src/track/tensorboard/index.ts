/** Event files for TensorBoard. */
export type { HyperParameter } from './events.js';
export { type EventValue, type LoggedEvent, readEvents } from './reader.js';
export { type ImageOptions, type LogOptions, SummaryWriter, type SummaryWriterOptions } from './summary-writer.js';
export type { ImageFormat, Numbers, TensorLike } from './values.js';

/** Zip and tar archives, unpacked safely. */
export { isArchiveName, unpackForUse } from './for-use.js';
export { type ArchiveLimits, archiveLimits } from './limits.js';
export { type Unpacked, type UnpackOptions, unpack } from './unpack.js';

/** What is known of every sample's place in the cache, in memory that all threads of a process share. */

export const Status = {
  /** Never seen: to be decoded. */
  unknown: 0,
  /** The journal says that the cache has it; not yet compared with its checksum and its source file in this process. */
  noted: 1,
  /** The cache has it, verified or written by this process. */
  sound: 2,
  /** The journal says that it cannot be decoded; not yet compared with its source file. */
  notedBad: 3,
  /** It cannot be decoded, found by this process. */
  bad: 4,
} as const;

/** One entry per sample of the root data set. */
export class SampleTable {
  /** Bytes of the source file and time of its last change in milliseconds, when the sample was decoded. */
  readonly size: Float64Array;
  readonly modified: Float64Array;
  /** CRC-32 of the decoded picture. */
  readonly checksum: Uint32Array;
  /** One of `Status`; read and written with Atomics. */
  readonly status: Uint8Array;

  constructor(
    readonly length: number,
    /** Shared by all threads. */
    readonly memory: SharedArrayBuffer = new SharedArrayBuffer(Math.max(1, length * 21)),
  ) {
    this.size = new Float64Array(memory, 0, length);
    this.modified = new Float64Array(memory, length * 8, length);
    this.checksum = new Uint32Array(memory, length * 16, length);
    this.status = new Uint8Array(memory, length * 20, length);
  }
}

/** Errors about data: each message is one sentence that names what was wrong, where (file, row, argument), and what to do. */

/** The data cannot be used as asked: a missing folder, an unreadable manifest, a wrong checksum, a broken seal. */
export class DataError extends Error {
  override readonly name: string = 'DataError';
}

/** One picture, row or line that cannot be read. Loaders catch it, skip the sample by name and count it. */
export class BadSampleError extends DataError {
  override readonly name = 'BadSampleError';
  constructor(
    /** The file, with its position inside where it holds many: `data_batch_1.bin#17`. */
    readonly file: string,
    /** Why, in a few words without the file's name: `truncated JPEG`, `empty file`. */
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`${file}: ${reason}`, options);
  }
}

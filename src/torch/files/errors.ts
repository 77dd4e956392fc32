import { TorchError } from '../errors.js';

/** A file that cannot be read or written as asked. The message names the file, what is wrong, and what to do. */
export class FileFormatError extends TorchError {
  override readonly name = 'FileFormatError';
  /** The file, as given by the caller. */
  readonly file: string;

  constructor(file: string, problem: string, options?: ErrorOptions) {
    super(`${file}: ${problem}`, 'FileFormatError', options);
    this.file = file;
  }
}

/** Shows a name from a file in an error message: quoted, escaped, and never longer than a line. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 117)}...` : text);
}

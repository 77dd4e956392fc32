/** How much an archive may unpack to: what its headers say is not believed, what comes out is counted. */
import { DataError } from '../errors.js';

export interface ArchiveLimits {
  /** Bytes in all. */
  readonly bytes: number;
  /** Files and folders in all. */
  readonly entries: number;
  /** Bytes unpacked per byte of archive, judged once 64 MiB have come out. Photographs are near 1. */
  readonly ratio: number;
  /** Folders within folders. */
  readonly depth: number;
}

export const archiveLimits: ArchiveLimits = { bytes: 200e9, entries: 1_000_000, ratio: 100, depth: 32 };

/** What may come out before the ratio counts: small archives of plain drawings compress very well. */
const ratioFrom = 64 * 2 ** 20;

const inWords = (bytes: number) => (bytes < 1e6 ? `${bytes} bytes` : `${Math.round(bytes / 1e5) / 10} MB`);

/** Counts what comes out of one archive. */
export class Budget {
  private unpacked = 0;
  private count = 0;

  constructor(
    private readonly archive: string,
    private readonly archiveBytes: number,
    private readonly limits: ArchiveLimits,
  ) {}

  /** @throws DataError when there are too many entries */
  addEntry(): void {
    this.count++;
    if (this.count > this.limits.entries) {
      throw new DataError(
        `${this.archive} holds more than ${this.limits.entries} files and folders and was not unpacked; raise limits.entries if that is right.`,
      );
    }
  }

  /** @throws DataError when too many bytes have come out */
  addBytes(bytes: number): void {
    this.check(this.unpacked + bytes);
    this.unpacked += bytes;
  }

  /** Whether `bytes` more would be too many; for sizes that headers claim, so that a large lie is refused at once. */
  check(total: number): void {
    if (total > this.limits.bytes) {
      throw new DataError(
        `${this.archive} unpacks to more than ${inWords(this.limits.bytes)} and was not unpacked; raise limits.bytes if that is right.`,
      );
    }
    if (total > ratioFrom && total > this.archiveBytes * this.limits.ratio) {
      throw new DataError(
        `${this.archive} unpacks to more than ${this.limits.ratio} times its size, as archives made to fill disks do, and was not unpacked; raise limits.ratio if that is right.`,
      );
    }
  }

  /** Bytes that have come out. */
  get bytes(): number {
    return this.unpacked;
  }
}

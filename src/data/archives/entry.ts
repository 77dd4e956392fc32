/** What zip and tar readers hand to whoever unpacks. */

export interface ArchiveEntry {
  /** As the archive has it. */
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'link' | 'special';
  /** Bytes the header claims; what comes out may be more or less. */
  readonly claimed: number;
}

/** Called for each entry in turn; `content` is undefined for what is no file, and need not be read to its end when this throws. */
export type EntryVisitor = (entry: ArchiveEntry, content: AsyncIterable<Buffer> | undefined) => Promise<void>;

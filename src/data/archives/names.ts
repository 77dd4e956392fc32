/** Names inside archives: where they may lead, and that no two of them meet. */
import { DataError } from '../errors.js';

/** A name as an error message can show it. */
export const shown = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 77)}...` : name);

/** Names that Windows gives to devices, with any extension. */
const devices = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i;

/** Why a name is refused; undefined when it is fine. */
function faultOf(name: string, segments: readonly string[], depth: number): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(name)) return 'has control characters in its name';
  if (name.includes('\\')) return 'has a backslash in its name';
  if (name.startsWith('/')) return 'has an absolute path';
  if (/^[a-z]:/i.test(name)) return 'has a path with a drive letter';
  if (segments.includes('..')) return "leads out of the target folder ('..')";
  if (segments.length > depth) return `lies more than ${depth} folders deep`;
  if (segments.some((segment) => Buffer.byteLength(segment) > 255)) return 'has a name longer than 255 bytes';
  if (Buffer.byteLength(name) > 4000) return 'has a path longer than 4000 bytes';
  if (process.platform === 'win32' && segments.some((part) => devices.test(part) || /[:<>"|?*]|[. ]$/.test(part))) {
    return 'has a name that Windows does not allow';
  }
  return undefined;
}

/** The names taken so far in one archive. */
export class Names {
  /** The name and kind at each place, keyed as file systems that ignore case and accents' composition would. */
  private readonly taken = new Map<string, { name: string; folder: boolean }>();

  constructor(
    private readonly archive: string,
    private readonly depth: number,
  ) {}

  /**
   * Checks a name and takes its place.
   * @returns the path relative to the target, with `/`; empty for the target itself
   * @throws DataError when it leads out of the target, or meets another name
   */
  take(name: string, folder: boolean): string {
    const segments = name.split('/').filter((segment) => segment !== '' && segment !== '.');
    const fault = faultOf(name, segments, this.depth);
    if (fault !== undefined)
      throw new DataError(`${this.archive} was not unpacked: its entry ${shown(name)} ${fault}.`);
    if (segments.length === 0) {
      if (folder) return '';
      throw new DataError(`${this.archive} was not unpacked: it holds a file without a name.`);
    }
    for (let i = 1; i < segments.length; i++) this.place(segments.slice(0, i).join('/'), true);
    const path = segments.join('/');
    this.place(path, folder);
    return path;
  }

  private place(name: string, folder: boolean): void {
    const key = name.normalize('NFC').toLowerCase();
    const other = this.taken.get(key);
    if (other === undefined) {
      this.taken.set(key, { name, folder });
      return;
    }
    if (folder && other.folder && other.name === name) return;
    const refused = `${this.archive} was not unpacked: it holds`;
    if (other.name === name && folder === other.folder) throw new DataError(`${refused} ${shown(name)} twice.`);
    if (other.name === name) throw new DataError(`${refused} ${shown(name)} both as a file and as a folder.`);
    throw new DataError(
      `${refused} ${shown(other.name)} and ${shown(name)}, which are the same name on systems that ignore upper and lower case.`,
    );
  }
}

/** Whether this is what macOS adds to archives beside the files themselves. */
export function isAppleDouble(name: string): boolean {
  return /(^|\/)(__MACOSX\/|__MACOSX$|\._[^/]*$|\.DS_Store$)/.test(name);
}

/** `praxis cache`: what packed pictures lie on this disk, and how to be rid of them. */
import type { Command } from 'commander';
import type { CacheEntry } from '../data/cache/folder.js';

/** Bytes as a person reads them. */
function sizeOf(bytes: number): string {
  if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

/** One line for a cache. */
export function formatCache(entry: CacheEntry): string {
  const { form } = entry;
  const date = entry.lastUsed.toISOString().slice(0, 16).replace('T', ' ');
  const use = entry.inUse ? ', in use' : '';
  return `${entry.name.padEnd(20)} ${sizeOf(entry.bytes).padStart(9)}  ${entry.samples} pictures, ${form.width} × ${form.height}, last used ${date}${use}  ${entry.root}`;
}

export function addCache(program: Command): void {
  const cache = program
    .command('cache')
    .summary('list or delete decoded pictures kept on disk')
    .description(
      'Decoded pictures are kept on disk so that only the first epoch decodes. They can be deleted at any time: they are made again when needed.\nWhere: PRAXIS_CACHE_DIR, else the cache folder of the user.',
    );
  cache
    .command('list', { isDefault: true })
    .description('list the caches, least recently used first')
    .option('--json', 'print them as JSON')
    .action(async ({ json = false }: { json?: boolean }) => {
      const { defaultCacheFolder, listCaches } = await import('../data/cache/folder.js');
      const folder = defaultCacheFolder();
      const entries = listCaches(folder);
      if (json) {
        console.log(JSON.stringify({ folder, caches: entries }, null, 2));
        return;
      }
      for (const entry of entries) console.log(formatCache(entry));
      const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
      console.log(`${entries.length} ${entries.length === 1 ? 'cache' : 'caches'}, ${sizeOf(total)}, in ${folder}`);
    });
  cache
    .command('clear')
    .description('delete all caches, or those of the data sets named; those in use are left')
    .argument('[names...]', 'names of data sets')
    .action(async (names: string[]) => {
      const { defaultCacheFolder, listCaches, removeCache } = await import('../data/cache/folder.js');
      const folder = defaultCacheFolder();
      const entries = listCaches(folder);
      const unknown = names.find((name) => !entries.some((entry) => entry.name === name));
      if (unknown !== undefined) {
        console.error(`There is no cache of '${unknown}' in ${folder}; praxis cache lists what there is.`);
        process.exitCode = 1;
        return;
      }
      let freed = 0;
      for (const entry of entries) {
        if (names.length > 0 && !names.includes(entry.name)) continue;
        if (entry.inUse) {
          console.log(`${entry.name} is in use and stays: ${entry.folder}`);
          continue;
        }
        removeCache(entry);
        freed += entry.bytes;
      }
      console.log(`${sizeOf(freed)} freed in ${folder}`);
    });
}

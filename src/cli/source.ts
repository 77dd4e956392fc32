/** What a person points a command at: a folder or file as it is, an archive unpacked into the cache first. */
export async function openSource(given: string): Promise<string> {
  const { isArchiveName, unpackForUse } = await import('../data/archives/index.js');
  if (!isArchiveName(given)) return given;
  const { defaultCacheFolder } = await import('../data/cache/folder.js');
  return unpackForUse(given, { cacheFolder: defaultCacheFolder() });
}

/** Says which engines have something: `Not in libtorch 1.13.`, `Only in libtorch 1.13.`; undefined when all known ones do. */
export function availability(versions: readonly string[], all: readonly string[]): string | undefined {
  if (versions.length === all.length) return undefined;
  const first = all.indexOf(versions[0] ?? '');
  const isTail = all.slice(first).every((version) => versions.includes(version));
  return isTail ? `Not in libtorch ${all.slice(0, first).join(', ')}.` : `Only in libtorch ${versions.join(', ')}.`;
}

/** Which loader options may read sealed samples. */
const granted = new WeakSet<object>();

export function grantSealed(options: object): void {
  granted.add(options);
}

export function maySeeSealed(options: object): boolean {
  return granted.has(options);
}

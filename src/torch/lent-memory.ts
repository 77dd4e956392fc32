/** Which memory of JavaScript lies behind the tensors of a thread that may end before they do. */

/**
 * The arrays that the engine was lent, by the storage it made of each. It holds an array as long as the storage lives; nothing here holds one,
 * but for the rest of the turn in which it was lent: so it is with a `WeakRef`.
 */
export class LentMemory {
  readonly #arrays = new Map<number, WeakRef<Uint8Array>>();
  readonly #ends = new FinalizationRegistry<readonly [address: number, reference: WeakRef<Uint8Array>]>(
    ([address, reference]) => {
      // The address may belong to a younger storage by now.
      if (this.#arrays.get(address) === reference) this.#arrays.delete(address);
    },
  );

  add(address: number, array: Uint8Array): void {
    const reference = new WeakRef(array);
    this.#arrays.set(address, reference);
    this.#ends.register(array, [address, reference]);
  }

  /**
   * The array of a storage. The storage may be gone and its array not yet collected: then the answer is wrong for another one that the
   * engine has made of as many bytes at the same address.
   */
  find(address: number, bytes: number): Uint8Array | null {
    const array = this.#arrays.get(address)?.deref();
    return array?.byteLength === bytes ? array : null;
  }
}

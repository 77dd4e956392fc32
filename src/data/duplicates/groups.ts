/** Samples that must stay together, joined by union and find. */

/** A partition of 0…n − 1 that grows coarser. */
export class Groups {
  private readonly parent: Uint32Array;

  constructor(readonly length: number) {
    this.parent = Uint32Array.from({ length }, (_, i) => i);
  }

  /** The smallest member of the sample's group, which names the group. */
  find(index: number): number {
    let root = index;
    while (this.parent[root] !== root) root = this.parent[root] as number;
    // Path compression.
    for (let i = index; i !== root; ) {
      const next = this.parent[i] as number;
      this.parent[i] = root;
      i = next;
    }
    return root;
  }

  join(a: number, b: number): void {
    const first = this.find(a);
    const second = this.find(b);
    // The smaller index stays the root, so that the result does not depend on the order of joins.
    if (first < second) this.parent[second] = first;
    else this.parent[first] = second;
  }

  /** Joins samples with equal keys; undefined belongs to nobody. */
  joinByKey(key: (index: number) => string | undefined): void {
    const first = new Map<string, number>();
    for (let i = 0; i < this.length; i++) {
      const own = key(i);
      if (own === undefined) continue;
      const known = first.get(own);
      if (known === undefined) first.set(own, i);
      else this.join(known, i);
    }
  }

  /** All groups, singletons too, members ascending, ordered by their first member. */
  all(): number[][] {
    const members = new Map<number, number[]>();
    for (let i = 0; i < this.length; i++) {
      const root = this.find(i);
      const list = members.get(root);
      if (list) list.push(i);
      else members.set(root, [i]);
    }
    return [...members.values()].sort((a, b) => (a[0] as number) - (b[0] as number));
  }
}

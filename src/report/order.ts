/** An order of classes in which those that are taken for each other stand side by side, so that the confusions of many classes form blocks. */

/**
 * Agglomerative clustering with mean linkage; each merge is laid out so that the nearest ends meet.
 * Source: Lance and Williams, "A general theory of classificatory sorting strategies" (1967)
 * @param similarity symmetric, row-major, classes × classes; the diagonal is not looked at
 * @returns class numbers in their order
 */
export function orderBySimilarity(similarity: Float64Array, classes: number): number[] {
  const at = (i: number, j: number): number => similarity[i * classes + j] as number;
  const links = Float64Array.from(similarity);
  const members: (number[] | null)[] = Array.from({ length: classes }, (_, i) => [i]);
  const linkOf = (i: number, j: number): number => links[i * classes + j] as number;
  const nearestOf = (i: number): number => {
    let best = -1;
    for (let j = 0; j < classes; j++)
      if (j !== i && members[j] !== null && (best < 0 || linkOf(i, j) > linkOf(i, best))) best = j;
    return best;
  };
  const nearest = Array.from({ length: classes }, (_, i) => nearestOf(i));
  for (let merges = 1; merges < classes; merges++) {
    let a = -1;
    for (let i = 0; i < classes; i++)
      if (members[i] !== null && (a < 0 || linkOf(i, nearest[i] as number) > linkOf(a, nearest[a] as number))) a = i;
    const b = nearest[a] as number;
    const [left, right] = [members[a] as number[], members[b] as number[]];
    members[a] = joined(left, right, at);
    members[b] = null;
    for (let k = 0; k < classes; k++) {
      if (members[k] === null || k === a) continue;
      const mean = (left.length * linkOf(a, k) + right.length * linkOf(b, k)) / (left.length + right.length);
      links[a * classes + k] = mean;
      links[k * classes + a] = mean;
    }
    nearest[a] = nearestOf(a);
    // Means are never above the larger of the two, so only who pointed at one of them must look again.
    for (let k = 0; k < classes; k++)
      if (members[k] !== null && k !== a && (nearest[k] === a || nearest[k] === b)) nearest[k] = nearestOf(k);
  }
  return members.find((one) => one !== null) ?? [];
}

/** Two runs of classes end to end, turned so that the ends that meet are the most alike. */
function joined(left: number[], right: number[], at: (i: number, j: number) => number): number[] {
  const first = (list: number[]): number => list[0] as number;
  const last = (list: number[]): number => list.at(-1) as number;
  const ways: readonly (readonly [number, boolean, boolean])[] = [
    [at(last(left), first(right)), false, false],
    [at(last(left), last(right)), false, true],
    [at(first(left), first(right)), true, false],
    [at(first(left), last(right)), true, true],
  ];
  const [, turnLeft, turnRight] = ways.reduce((best, way) => (way[0] > best[0] ? way : best));
  return [...(turnLeft ? left.toReversed() : left), ...(turnRight ? right.toReversed() : right)];
}

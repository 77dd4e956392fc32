import { readFileSync } from 'node:fs';

/** An operator that the fuzz does not call, and the evidence against it. */
export interface Excluded {
  /** Name with overload, without `aten::`. */
  readonly operator: string;
  /** A call in Python that ends the process by a signal. */
  readonly python: string;
  /** The version of torch it was seen with. */
  readonly torch: string;
  /** It writes beyond its memory; seen at once only by an allocator that looks (glibc's, with MALLOC_CHECK_=3). */
  readonly heap?: true;
}

/**
 * Operators whose arguments the engine itself does not check: the same call ends Python's process, too. Nearly all are parts of other
 * operators, which check for them. test/fuzz/excluded.test.ts makes each call in Python and sees it die.
 */
export const excluded = JSON.parse(
  readFileSync(new URL('./excluded.json', import.meta.url), 'utf8'),
) as readonly Excluded[];

/**
 * Orthogonal polynomials of a degree given as a number run a loop of that many steps: of degree 2^62, for years. Python's as well:
 * `torch.special.laguerre_polynomial_l(torch.ones(1), 2**62)`. `torch.combinations(torch.ones(1), 2**40, True)`
 * fills all memory with a list of that many tensors before it fails: in Python at once, under 2.14 and a tight limit for a minute.
 */
const endless = /^special_.*_polynomial_|^combinations$/;

const names = new Set(excluded.map((x) => x.operator));

/** Whether the fuzz leaves an operator (name with overload) out. */
export function isExcluded(operator: string): boolean {
  return names.has(operator) || endless.test(operator);
}

/** Gamma functions to about 1e-14, enough to give SciPy's p-values. */

/** Γ(z)·e^z·z^(½−z)/√(2π) as a logarithm: what Stirling's formula leaves out. Good from z = 10 on. */
function stirlingRest(z: number): number {
  const s = 1 / (z * z);
  return (
    (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * (1 / 1680 - s * (1 / 1188 - s * (691 / 360360 - s * (1 / 156))))))) / z
  );
}

/** ln Γ(z) for z > 0. */
export function logGamma(z: number): number {
  // Γ(z) = Γ(z + k) / (z (z + 1) … (z + k − 1)) moves z to where Stirling's series is good.
  let shifted = z;
  let product = 1;
  while (shifted < 10) product *= shifted++;
  return (
    (shifted - 0.5) * Math.log(shifted) -
    shifted +
    0.5 * Math.log(2 * Math.PI) +
    stirlingRest(shifted) -
    Math.log(product)
  );
}

/** ln(1 + x) − x without cancellation near 0. */
function logOnePlusMinus(x: number): number {
  if (Math.abs(x) > 0.3) return Math.log1p(x) - x;
  let sum = 0;
  let power = x * x;
  for (let k = 2; k < 200; k++) {
    const term = (k % 2 === 0 ? -power : power) / k;
    sum += term;
    if (Math.abs(term) < 1e-18 * Math.abs(sum)) break;
    power *= x;
  }
  return sum;
}

/** x^a e^(−x) / Γ(a + 1), without the cancellation that ln Γ of a large number would bring. */
function gammaDensity(a: number, x: number): number {
  if (a < 10) return Math.exp(a * Math.log(x) - x - logGamma(a + 1));
  return Math.exp(a * logOnePlusMinus((x - a) / a) - stirlingRest(a)) / Math.sqrt(2 * Math.PI * a);
}

/**
 * The upper regularised incomplete gamma function Q(a, x), SciPy's `gammaincc`: series below the mean, continued fraction above it.
 * Source: Press et al., "Numerical Recipes" (2007), §6.2.
 */
export function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1;
  if (x === Infinity) return 0;
  const density = gammaDensity(a, x);
  if (x < a + 1) {
    let term = 1;
    let sum = 1;
    for (let k = 1; k < 1e6; k++) {
      term *= x / (a + k);
      sum += term;
      if (term < sum * 1e-17) break;
    }
    return 1 - density * sum;
  }
  // Lentz's method.
  const tiny = 1e-300;
  let b = x + 1 - a;
  let c = 1 / tiny;
  let d = 1 / b;
  let fraction = d;
  for (let k = 1; k < 1e6; k++) {
    const numerator = -k * (k - a);
    b += 2;
    d = numerator * d + b;
    d = 1 / (Math.abs(d) < tiny ? tiny : d);
    c = b + numerator / c;
    if (Math.abs(c) < tiny) c = tiny;
    const factor = d * c;
    fraction *= factor;
    if (Math.abs(factor - 1) < 1e-16) break;
  }
  return density * a * fraction;
}

/** Probability that χ² with so many degrees of freedom exceeds `statistic`. */
export function chiSquaredSurvival(statistic: number, degreesOfFreedom: number): number {
  return upperGamma(degreesOfFreedom / 2, statistic / 2);
}

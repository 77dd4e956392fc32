/**
 * Numbers as text, the way Python's `format` and `repr` write them: correctly rounded from the exact binary value,
 * ties to even, exponents of at least two digits. `Number.prototype.toFixed` and `toExponential` are exact too, but
 * round ties away from zero, drop the sign of -0 and change notation at 1e21, so those cases are handled here.
 */

/** `toFixed` and `toExponential` accept at most this many digits after the point. */
const MAX_NATIVE_DIGITS = 100;

/** `toFixed` switches to exponential notation from here on. */
const MAX_NATIVE_FIXED = 1e21;

const nonFinite = (x: number): string => (Number.isNaN(x) ? 'nan' : x > 0 ? 'inf' : '-inf');

const signOf = (x: number): string => (x < 0 || Object.is(x, -0) ? '-' : '');

/** `'{:.<digits>f}'.format(x)` of Python: fixed-point notation with `digits` digits after the point. */
export function formatFixed(x: number, digits: number): string {
  if (!Number.isFinite(x)) return nonFinite(x);
  const size = Math.abs(x);
  // Halfway between two results exactly when size · 2^(digits+1) is an odd integer.
  const scaled = size * 2 ** (digits + 1);
  const tie = Number.isInteger(scaled) && scaled % 2 === 1;
  const native = digits <= MAX_NATIVE_DIGITS && size < MAX_NATIVE_FIXED && !tie;
  return signOf(x) + (native ? size.toFixed(digits) : exactFixed(size, digits));
}

/** `'{:.<digits>e}'.format(x)` of Python: `d.dddde±dd` with `digits` digits after the point. */
export function formatScientific(x: number, digits: number): string {
  if (!Number.isFinite(x)) return nonFinite(x);
  const size = Math.abs(x);
  // A tie needs one more digit than is shown, and that digit is a 5.
  const native = digits < MAX_NATIVE_DIGITS && !size.toExponential(digits + 1).includes('5e');
  if (!native) return signOf(x) + exactScientific(size, digits);
  const [mantissa, exponent] = size.toExponential(digits).split('e') as [string, string];
  return signOf(x) + mantissa + exponentText(Number(exponent));
}

/** `repr(x)` of a Python float: the shortest text that reads back as the same number. */
export function formatRepr(x: number): string {
  if (!Number.isFinite(x)) return nonFinite(x);
  const size = Math.abs(x);
  const [mantissa, exponentDigits] = size.toExponential().split('e') as [string, string];
  const exponent = Number(exponentDigits);
  if (exponent < -4 || exponent >= 16) return signOf(x) + mantissa + exponentText(exponent);
  // Small numbers from 1e-4 up to 1e16 are inside the range JavaScript writes without an exponent.
  const text = String(size);
  return signOf(x) + (text.includes('.') ? text : `${text}.0`);
}

function exponentText(exponent: number): string {
  return `e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** A finite, non-negative double as mantissa · 2^exponent, exactly. */
function decompose(size: number): { mantissa: bigint; exponent: number } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, size);
  const bits = view.getBigUint64(0);
  const field = Number(bits >> 52n);
  const fraction = bits & 0xfffffffffffffn;
  return field === 0
    ? { mantissa: fraction, exponent: -1074 }
    : { mantissa: fraction | (1n << 52n), exponent: field - 1075 };
}

/** size · 10^power rounded to an integer, ties to even. */
function scaledInteger(size: number, power: number): bigint {
  const { mantissa, exponent } = decompose(size);
  const numerator = (mantissa << BigInt(Math.max(exponent, 0))) * 10n ** BigInt(Math.max(power, 0));
  const denominator = (10n ** BigInt(Math.max(-power, 0))) << BigInt(Math.max(-exponent, 0));
  const quotient = numerator / denominator;
  const twiceRest = 2n * (numerator % denominator);
  const up = twiceRest > denominator || (twiceRest === denominator && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}

function exactFixed(size: number, digits: number): string {
  const text = scaledInteger(size, digits)
    .toString()
    .padStart(digits + 1, '0');
  return digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

function exactScientific(size: number, digits: number): string {
  // The exponent of the shortest text is right, or one off when either text rounds up to a power of ten.
  let exponent = size === 0 ? 0 : Number(size.toExponential().split('e')[1]);
  let text = scaledInteger(size, digits - exponent).toString();
  while (size !== 0 && text.length !== digits + 1) {
    exponent += text.length > digits + 1 ? 1 : -1;
    text = scaledInteger(size, digits - exponent).toString();
  }
  text = text.padEnd(digits + 1, '0');
  return `${text[0]}${digits > 0 ? `.${text.slice(1)}` : ''}${exponentText(exponent)}`;
}

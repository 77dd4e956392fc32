/** First sentences for the operators people use most (`summaries.txt`); the rest are documented by their schema alone. */
import { readFileSync } from 'node:fs';

const summaries = new Map(
  readFileSync(new URL('summaries.txt', import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
);

/** Long names → the name under which PyTorch documents the same operator. */
const ALIASES: Readonly<Record<string, string>> = {
  absolute: 'abs',
  arccos: 'acos',
  arcsin: 'asin',
  arctan: 'atan',
  arctan2: 'atan2',
  clip: 'clamp',
  concat: 'cat',
  concatenate: 'cat',
  divide: 'div',
  true_divide: 'div',
  fix: 'trunc',
  greater: 'gt',
  greater_equal: 'ge',
  less: 'lt',
  less_equal: 'le',
  moveaxis: 'movedim',
  multiply: 'mul',
  negative: 'neg',
  not_equal: 'ne',
  subtract: 'sub',
  swapaxes: 'transpose',
  swapdims: 'transpose',
  special_erf: 'erf',
  special_erfc: 'erfc',
  special_erfinv: 'erfinv',
  special_exp2: 'exp2',
  special_expit: 'sigmoid',
  special_expm1: 'expm1',
  special_gammaln: 'lgamma',
  special_log1p: 'log1p',
  special_log_softmax: 'log_softmax',
  special_logit: 'logit',
  special_logsumexp: 'logsumexp',
  special_psi: 'digamma',
  special_digamma: 'digamma',
  special_round: 'round',
  special_sinc: 'sinc',
  special_softmax: 'softmax',
  special_xlogy: 'xlogy',
  linalg_matmul: 'matmul',
  linalg_matrix_exp: 'matrix_exp',
  linalg_matrix_power: 'matrix_power',
};

/** A sentence that says what the operator does, or undefined. `add_` is described as `add`, in place. */
export function summaryOf(operator: string): string | undefined {
  const own = summaries.get(operator) ?? summaries.get(ALIASES[operator] ?? '');
  if (own !== undefined || !operator.endsWith('_')) return own;
  const base = summaryOf(operator.slice(0, -1));
  return base === undefined ? undefined : `${base} In place.`;
}

/** Operators that have a sentence; a test holds them against the engines' operators. */
export const describedOperators = (): readonly string[] => [...summaries.keys()];

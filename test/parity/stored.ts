/** The comparison that needs no Python: answers of Python's torch 2.13 to one call of each operator, kept in `test/golden`. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type AnswerFile, type AnswerTensor, type Call, callsOf, packFile, unpackFile } from './calls.js';
import { groups } from './cases/index.js';
import { promotion } from './cases/promotion.js';
import { random } from './cases/random.js';

export const storedFile = fileURLToPath(new URL('../golden/operators.bin.gz', import.meta.url));

interface Stored extends AnswerFile {
  /** What the inputs of each call were, as a hash. */
  readonly inputs: readonly string[];
}

/**
 * The calls whose answers are stored: of each operator the first case that other machines must agree on, with its main element type;
 * every drawing operator; the sums of two element types.
 */
export function storedCalls(): Call[] {
  const seen = new Set<string>();
  const first = Object.values(groups)
    .flat()
    .filter(({ operator, settings }) => {
      if (settings.notStored !== undefined || settings.sinceTwo !== undefined || seen.has(operator)) return false;
      seen.add(operator);
      return true;
    });
  const drawing = random.filter(({ settings }) => settings.notStored === undefined);
  const sums = promotion.filter(
    ({ operator, settings }) => settings.notStored === undefined && (operator === 'add' || operator === 'div'),
  );
  return [first, drawing, sums].flatMap((cases) => callsOf(cases, true).filter((call) => call.main));
}

export function hashOfInputs(call: Call): string {
  const hash = createHash('sha256').update(JSON.stringify([call.args, call.options]));
  for (const { dtype, shape, bytes } of call.inputs) hash.update(JSON.stringify([dtype, shape])).update(bytes);
  return hash.digest('hex').slice(0, 8);
}

/** Keeps what other machines can compare: no strides, no states of generators. */
export function writeStored(calls: readonly Call[], answers: AnswerFile): void {
  const parts: Uint8Array[] = [];
  let offset = 0;
  const keep = (tensor: AnswerTensor): AnswerTensor => {
    parts.push(answers.bytes.subarray(tensor.offset, tensor.offset + tensor.length));
    const kept = { dtype: tensor.dtype, shape: tensor.shape, strides: [], offset, length: tensor.length, gradFn: null };
    offset += tensor.length;
    return kept;
  };
  const trim = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(trim);
    if (typeof value !== 'object' || value === null || !('tensor' in value)) return value;
    return { tensor: keep(value.tensor as AnswerTensor) };
  };
  const results = answers.results.map(({ error, value, gradients, gradientError }) => {
    if (error !== undefined) return { error: 'refused' };
    return {
      value: trim(value),
      ...(gradients !== undefined ? { gradients: gradients.map((x) => (x === null ? null : keep(x))) } : {}),
      ...(gradientError !== undefined ? { gradientError: 'refused' } : {}),
    };
  });
  const header = { torch: answers.torch, inputs: calls.map(hashOfInputs), results };
  writeFileSync(storedFile, gzipSync(packFile(header, parts), { level: 9 }));
}

export function readStored(): Stored {
  return unpackFile<Stored>(gunzipSync(readFileSync(storedFile)));
}

/** `quiz.json`: every time somebody went through a quiz of a data set. Attempts are added, never taken away. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { DataError } from '../../data/errors.js';
import { writeFileAtomic } from '../../track/atomic.js';
import { scoreQuiz } from './score.js';
import { type QuizAttempt, type QuizScore, quizParts } from './types.js';

const answer = z.object({
  name: z.string(),
  label: z.number().int().nonnegative(),
  answer: z.number().int().nonnegative().nullable(),
  seconds: z.number().nonnegative(),
});

const attempt = z.object({
  quiz: z.string(),
  splitFingerprint: z.string(),
  from: z.enum(quizParts),
  seed: z.number(),
  round: z.number(),
  form: z.object({
    height: z.number(),
    width: z.number(),
    channels: z.union([z.literal(1), z.literal(3)]),
    fit: z.enum(['squash', 'crop', 'pad']),
    decode: z.enum(['fast', 'exact']),
  }),
  classes: z.array(z.string()),
  pictures: z.number().int().positive(),
  started: z.string(),
  finished: z.string().optional(),
  answers: z.array(answer),
});

const quizFile = z.object({
  format: z.literal('praxis-quiz'),
  version: z.literal(1),
  name: z.string(),
  attempts: z.array(attempt),
});

/**
 * The attempts in a file, oldest first; none where there is no file.
 * @throws DataError when it is something else than a quiz's file
 */
export async function readQuizAttempts(file: string): Promise<QuizAttempt[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw new DataError(`${file} cannot be read (${code})`, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DataError(`${file} is no JSON; move it away, or name another file with --out`, { cause });
  }
  const version = (value as { version?: unknown } | null)?.version;
  if (typeof version === 'number' && version > 1)
    throw new DataError(`${file} has version ${version}, this Praxis reads version 1; use a newer one`);
  const parsed = quizFile.safeParse(value);
  if (parsed.success) return parsed.data.attempts;
  const [issue] = parsed.error.issues;
  throw new DataError(
    `${file} is not the file of a quiz ('${issue?.path.join('.') ?? ''}': ${issue?.message ?? 'unknown'}); move it away, or name another file with --out`,
  );
}

/** Writes all attempts, whole or not at all. @throws FileWriteError */
export async function writeQuizAttempts(file: string, name: string, attempts: readonly QuizAttempt[]): Promise<void> {
  const content = { format: 'praxis-quiz', version: 1, name, attempts };
  await writeFileAtomic(file, `${JSON.stringify(content, null, 1)}\n`);
}

/**
 * What came of the last attempt that was finished, for reports; undefined where there is none.
 * @param options `splitFingerprint`: of this split only, so that no other one's figures are compared; `net`: a network's answers, by name
 * @throws DataError when it is something else than a quiz's file
 */
export async function lastQuizScore(
  file: string,
  options: { readonly splitFingerprint?: string; readonly net?: (name: string) => number | undefined } = {},
): Promise<{ readonly attempt: QuizAttempt; readonly score: QuizScore } | undefined> {
  const { splitFingerprint, net } = options;
  const fits = (attempt: QuizAttempt): boolean =>
    attempt.finished !== undefined && (splitFingerprint === undefined || attempt.splitFingerprint === splitFingerprint);
  const attempt = (await readQuizAttempts(file)).findLast(fits);
  if (attempt === undefined) return undefined;
  return { attempt, score: scoreQuiz(attempt.answers, { classes: attempt.classes.length, ...(net ? { net } : {}) }) };
}

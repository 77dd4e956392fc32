/** `run.json`: what a run is, what it was given, how it stands and what came of it. */
import { z } from 'zod';
import { parsePlain } from './json.js';

const facts = z.record(z.string(), z.unknown());

/** How a run stands. `interrupted` is never written: it is what a run that was killed looks like to its readers. */
export const runStates = ['running', 'finished', 'stopped', 'failed'] as const;
export type RunState = (typeof runStates)[number];

/** One start of the run: the first, or a resumption. */
const session = z.object({
  /** The command line, ready to be typed again. */
  command: z.string(),
  pid: z.number(),
  host: z.string(),
  /** When the process began, as the system tells it. */
  born: z.string().default(''),
  started: z.string(),
  ended: z.string().optional(),
  /** Step it went on from. */
  fromStep: z.number().optional(),
});

export const runRecordSchema = z.looseObject({
  /** Version of this format. */
  version: z.literal(1),
  name: z.string(),
  /** Version of Praxis. */
  praxis: z.string().optional(),
  created: z.string(),
  /** The last sign of life. */
  heartbeat: z.string(),
  finished: z.string().optional(),
  state: z.enum(runStates),
  /** Why it stopped or failed, in a sentence. */
  reason: z.string().optional(),
  sessions: z.array(session),
  /** Everything resolved: defaults, file and flags. */
  configuration: facts,
  seed: z.number().optional(),
  model: facts.optional(),
  engine: facts.optional(),
  machine: facts.optional(),
  git: facts.optional(),
  /** Name, folder, counts and fingerprint of the data. */
  data: facts.optional(),
  /** Sizes and fingerprint of the split. */
  split: facts.optional(),
  /** How far it is: step, epoch and whatever the run tells. */
  progress: facts.optional(),
  /** The best result so far, for lists of runs. */
  best: z.object({ metric: z.string(), value: z.number(), step: z.number(), epoch: z.number().optional() }).optional(),
  result: facts.optional(),
});

/** The contents of `run.json`. Times are ISO 8601. */
export type RunRecord = z.infer<typeof runRecordSchema>;
export type RunSession = z.infer<typeof session>;

/** The record behind a text, or a clause that says what is wrong with it. */
export function parseRecord(text: string): RunRecord | string {
  let value: unknown;
  try {
    value = parsePlain(text);
  } catch {
    return text.trim() === '' ? 'it is empty' : 'it is not JSON';
  }
  const version = (value as { version?: unknown } | null)?.version;
  if (typeof version === 'number' && version > 1) return `it is of version ${version}, made by a newer Praxis`;
  const parsed = runRecordSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  return `'${issue?.path.join('.') ?? ''}' is not as it should be (${issue?.message ?? 'unknown'})`;
}

/** The folder of averaged weights: a run like any other, with a note of what went into it. */
import { copyFileSync, existsSync } from 'node:fs';
import path from 'node:path';
import { torch } from '../../torch/index.js';
import { gitFacts, RunFolder, readRecord, writeFileAtomic } from '../../track/index.js';
import { exclusionsFile } from '../recipe/record.js';
import type { AverageFacts } from './average.js';
import type { Judged } from './judge.js';
import { type MemberRun, writeOpinions } from './members.js';
import { sourceOfSplit } from './write.js';

/** The file that says what was averaged; not in other run folders. */
export const averageFile = 'average.json';

/** Writes the folder of an average of some runs, or of moments of one. @returns its path */
export async function writeAverage(
  members: readonly MemberRun[],
  { weights, evaluation, opinion }: Judged,
  facts: AverageFacts,
  options: { readonly out: string; readonly name: string; readonly command: string },
): Promise<string> {
  const [first] = members as readonly [MemberRun, ...MemberRun[]];
  const record = readRecord(first.folder);
  const run = await RunFolder.create(options.out, {
    name: options.name,
    command: options.command,
    facts: {
      seed: first.plan.seed,
      ...(record.data === undefined ? {} : { data: record.data }),
      ...(record.split === undefined ? {} : { split: record.split }),
      ...(record.engine === undefined ? {} : { engine: record.engine }),
      ...(record.model === undefined ? {} : { model: record.model }),
      git: await gitFacts(process.cwd()),
    },
  });
  try {
    // A test part that an ingredient has seen is seen.
    const split = await sourceOfSplit(members);
    if (split !== undefined) copyFileSync(split, run.file('split.json'));
    for (const name of ['normalisation.json', 'normalisation.svg', 'findings.json', exclusionsFile])
      if (existsSync(path.join(first.folder, name))) copyFileSync(path.join(first.folder, name), run.file(name));
    await torch.save(weights, run.file('model.safetensors'));
    await writeOpinions(run.file('validation.jsonl'), opinion);
    await writeFileAtomic(run.file(averageFile), `${JSON.stringify(facts, null, 2)}\n`);
    const { score, scoreName, loss, report } = evaluation;
    const checkpoints = facts.ingredients.filter(({ used }) => used).length;
    const result = { metric: scoreName, score, loss, validation: report, checkpoints, averaged: true };
    await writeFileAtomic(
      run.file('result.json'),
      `${JSON.stringify({ ...result, splitFingerprint: first.splitFingerprint }, null, 2)}\n`,
    );
    await run.update({
      best: { metric: `validation ${scoreName}`, value: score, step: 0 },
      // Only now: a folder with a plan that a kill left half-written could be trained on.
      configuration: { settings: record.configuration.settings, plan: first.plan, choices: [] },
    });
    await run.end('finished', {
      result: {
        metric: `validation ${scoreName}`,
        score,
        loss,
        checkpoints,
        averaged: true,
        seconds: members.reduce((sum, { seconds }) => sum + seconds, 0),
      },
    });
    return run.path;
  } catch (error) {
    if (run.writable) await run.end('failed', { reason: (error as Error).message });
    throw error;
  }
}

/** Run folders that no training made: as many classes as a test wants, with confusions that are known. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Numbers from 0 to 1 that are the same every time (mulberry32). */
export function drawsOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export interface SyntheticOptions {
  readonly classes: number;
  /** Of each class. Default 5. */
  readonly each?: number;
  readonly seed?: number;
  /** How clearly the right class stands out. Default 3. */
  readonly skill?: number;
  readonly name?: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly epochs?: number;
}

/** Probabilities of a sample: high for its class, a little for the others of its group of four. */
function probabilities(target: number, classes: number, draw: () => number, skill: number): number[] {
  const logits = Array.from({ length: classes }, (_, j) => {
    const near = j !== target && Math.floor(j / 4) === Math.floor(target / 4);
    return 2 * draw() + (j === target ? skill : near ? 0.55 * skill : 0);
  });
  const shares = logits.map(Math.exp);
  const sum = shares.reduce((a, b) => a + b, 0);
  return shares.map((share) => Number((share / sum).toPrecision(7)));
}

/** Writes the folder. @returns its path */
export function syntheticRun(folder: string, options: SyntheticOptions): string {
  const { classes, each = 5, seed = 1, skill = 3, name = 'garden-convnet', settings = {}, epochs = 12 } = options;
  const draw = drawsOf(seed);
  mkdirSync(folder, { recursive: true });
  const names = Array.from({ length: classes }, (_, i) => `species number ${i + 1}`);
  // Which samples there are does not depend on the seed: runs on one split.
  const rows = Array.from({ length: classes * each }, (_, i) => {
    const target = i % classes;
    return { name: `${names[target]}/${i}.jpg`, target, probabilities: probabilities(target, classes, draw, skill) };
  });
  const write = (file: string, text: string) => writeFileSync(path.join(folder, file), text);
  const lines = (all: readonly unknown[]) => `${all.map((one) => JSON.stringify(one)).join('\n')}\n`;
  write('validation.jsonl', lines(rows));
  // Of the training samples every seventh is named wrongly at first; of those, half to the end.
  const learnt = Array.from({ length: 7 * classes * each }, (_, i) => ({
    name: `${names[i % classes]}/train-${i}.jpg`,
    target: i % classes,
    early: i % 7 === 0 ? Number((Math.log(classes) + 0.5 + draw()).toPrecision(5)) : 1,
    late: Number((0.5 * draw()).toPrecision(5)),
    right: i % 14 === 7 ? 0.2 : Number((0.6 + 0.4 * draw()).toPrecision(5)),
  }));
  write('training.jsonl', lines(learnt));
  const right = rows.filter((row) => row.probabilities.indexOf(Math.max(...row.probabilities)) === row.target).length;
  const metrics: unknown[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (let step = 1; step <= 10; step++)
      metrics.push({
        step: epoch * 10 + step,
        epoch,
        kind: 'step',
        loss: 3 / (1 + epoch + step / 10),
        learningRate: 0.01 * (1 - (epoch * 10 + step) / (epochs * 10)),
        gradientNorm: 1 + draw(),
      });
    metrics.push({
      step: (epoch + 1) * 10,
      epoch,
      kind: 'epoch',
      trainLoss: 3 / (1 + epoch),
      trainAccuracy: 0.5 + (0.45 * epoch) / epochs,
      validationLoss: 2 / (1 + epoch) + Math.max(0, epoch - 7) * 0.2,
      validationAccuracy: 0.4 + (0.3 * Math.min(epoch, 8)) / 8,
      learningRate: 0.01,
      seconds: 2 + draw(),
      waiting: 0.1,
      skipped: 0,
    });
  }
  write('metrics.jsonl', lines(metrics));
  write(
    'result.json',
    JSON.stringify({
      metric: 'accuracy',
      score: right / rows.length,
      loss: 1,
      epoch: 9,
      checkpoints: 1,
      averaged: true,
      calibration: {
        temperature: 0.8,
        calibrationError: { before: 0.1, after: 0.05 },
        logLoss: { before: 1.1, after: 1 },
      },
      splitFingerprint: 'sha256:synthetic',
    }),
  );
  write(
    'findings.json',
    JSON.stringify({
      look: { text: '', counts: names.map(() => 10 * each), warnings: ['One picture is <b>upside down</b>.'] },
      split: [],
    }),
  );
  write(
    'run.json',
    JSON.stringify({
      version: 1,
      name,
      created: '2026-11-22T10:00:00.000Z',
      heartbeat: '2026-11-22T10:01:00.000Z',
      finished: '2026-11-22T10:01:00.000Z',
      state: 'finished',
      sessions: [
        {
          command: 'praxis train garden',
          pid: 1,
          host: 'here',
          started: '2026-11-22T10:00:00.000Z',
          ended: '2026-11-22T10:01:00.000Z',
        },
      ],
      seed: 0,
      data: { path: '', name: 'garden', root: '/garden', samples: 10 * classes * each, classes: names },
      split: {
        train: 7 * classes * each,
        validation: classes * each,
        test: 2 * classes * each,
        fingerprint: 'sha256:synthetic',
      },
      model: { name: 'convnet', parameters: 123456, multiplyAdds: 7e6 },
      engine: { torch: '2.13.0' },
      machine: { processor: 'a processor', cores: 2, node: 'v20.0.0', system: 'Linux' },
      progress: { seconds: 30 },
      configuration: {
        settings: { epochs, ...settings },
        choices: [{ setting: 'model', value: 'convnet', reason: 'a test' }],
        plan: {
          seed: 0,
          data: {
            path: '',
            name: 'garden',
            classes: names,
            multiLabel: false,
            form: { height: 32, width: 32, channels: 3, fit: 'squash', decode: 'fast' },
            statistics: { mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2] },
            workers: 1,
            cache: false,
          },
          model: { name: 'convnet', options: {} },
          optimisation: {
            epochs,
            batches: 10,
            batchSize: 16,
            accumulate: 1,
            optimizer: 'adamw',
            learningRate: 0.01,
            weightDecay: 0.05,
            schedule: 'cosine',
            warmupSteps: 0,
            labelSmoothing: 0.1,
          },
          machine: { device: 'cpu', precision: 'float32', memoryFormat: 'contiguous', threads: 1 },
          checkpointEvery: 2,
          keep: 3,
          averageBest: true,
        },
      },
      result: {},
    }),
  );
  return folder;
}

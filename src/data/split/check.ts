/** Checks of a split: are the parts alike, and is no picture in two of them? */

import { Groups } from '../duplicates/groups.js';
import { type Duplicates, findDuplicates } from '../duplicates/index.js';
import { measurePictures, type PictureMeasurements } from '../duplicates/measure.js';
import { DataError } from '../errors.js';
import { shownName } from '../sources/sealing.js';
import { type Dataset, type Part, parts } from '../types.js';
import { counted, type SplitFinding, shortProbability, someOf } from './findings.js';
import {
  chiSquaredTest,
  countsSuffice,
  type IndependenceTest,
  permutationTest,
  tableOf,
} from './statistics/contingency.js';
import { holm, kolmogorovTest } from './statistics/kolmogorov.js';

export interface CheckOptions {
  /** Chance of a false alarm that is accepted, over all tests of the check together. Default 0.05. */
  readonly level?: number;
  /** What was kept together: the tests then count each group once. */
  readonly groups?: Groups;
  /** Copies found before; null: don't look for them. Default: look for near ones where the samples are pictures. */
  readonly duplicates?: Duplicates | null;
  /** Pictures measured before. */
  readonly measurements?: PictureMeasurements;
  /** Seed of permutations. */
  readonly seed?: number;
  /** Whether the parts were given and not dealt by Praxis. Default true. */
  readonly fromOutside?: boolean;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** A property of pictures, compared between parts. */
interface Property {
  readonly check: 'brightness' | 'size' | 'colour' | 'aspect';
  readonly name: string;
  readonly of: (measured: PictureMeasurements, index: number) => number;
}

const properties: readonly Property[] = [
  { check: 'brightness', name: 'Brightness', of: (m, i) => m.brightness[i] as number },
  { check: 'size', name: 'Size', of: (m, i) => (m.width[i] as number) * (m.height[i] as number) },
  { check: 'colour', name: 'Colour (saturation)', of: (m, i) => m.saturation[i] as number },
  { check: 'colour', name: 'Colour (warmth)', of: (m, i) => m.warmth[i] as number },
  { check: 'aspect', name: 'Aspect ratio', of: (m, i) => (m.width[i] as number) / (m.height[i] as number) },
];

/** One statistical test among those corrected together. */
interface Tested {
  readonly pValue: number;
  finding(alarm: boolean): SplitFinding;
}

/**
 * Checks parts: the same mix of labels (χ² test of independence), the same brightness, size, colour and shape of pictures
 * (Kolmogorov–Smirnov), no copies across parts. All tests together raise a false alarm with probability `level` at most (Holm's correction).
 * @throws DataError when a sample is in two parts, does not exist, or is sealed
 */
export async function checkSplit(
  dataset: Dataset,
  split: Readonly<Record<Part, readonly number[]>>,
  options: CheckOptions = {},
): Promise<SplitFinding[]> {
  const partOf = new Uint8Array(dataset.length).fill(255);
  parts.forEach((part, p) => {
    for (const index of split[part]) {
      if (!Number.isInteger(index) || index < 0 || index >= dataset.length)
        throw new DataError(
          `the ${part} part names sample ${index}, but ${dataset.name} has samples 0 to ${dataset.length - 1}`,
        );
      if (partOf[index] !== 255)
        throw new DataError(
          `sample ${index} of ${dataset.name} is in ${parts[partOf[index] as number]} and in ${part}; each sample belongs to one part`,
        );
      partOf[index] = p;
    }
  });
  const pictures = dataset.kind === 'pictures';
  const { onProgress, signal } = options;
  const measured = pictures
    ? (options.measurements ??
      options.duplicates?.measurements ??
      (await measurePictures(dataset, { onProgress, signal })))
    : null;
  const duplicates =
    options.duplicates === undefined && pictures
      ? await findDuplicates(dataset, { level: 'near', measurements: measured ?? undefined, signal })
      : (options.duplicates ?? null);
  const groups = options.groups ?? grouped(dataset.length, duplicates);
  const units = groups
    .all()
    .map((unit) => unit.filter((index) => partOf[index] !== 255))
    .filter((unit) => unit.length > 0);
  const tests = [
    labelTest(dataset, units, partOf, options),
    ...(measured ? propertyTests(measured, units, partOf) : []),
  ];
  const adjusted = holm(tests.map((test) => test.pValue));
  const level = options.level ?? 0.05;
  const findings = tests.map((test, i) => {
    const alarm = (adjusted[i] as number) < level;
    const finding = test.finding(alarm);
    const { pValue } = test;
    const evidence = { ...finding.evidence, pValue, adjusted: adjusted[i], level };
    if (alarm) return { ...finding, evidence };
    const { remedy: _, ...rest } = finding;
    return { ...rest, severity: 'good' as const, evidence };
  });
  return [
    ...summarise(findings),
    ...leaks(dataset, duplicates, partOf, options.fromOutside ?? true),
    ...unreadable(dataset, duplicates, measured),
  ];
}

function grouped(length: number, duplicates: Duplicates | null): Groups {
  const groups = new Groups(length);
  for (const { members } of duplicates?.groups ?? [])
    for (const member of members) groups.join(members[0] as number, member);
  return groups;
}

function labelTest(
  dataset: Dataset,
  units: readonly (readonly number[])[],
  partOf: Uint8Array,
  { seed = 0 }: CheckOptions,
): Tested {
  const samples = units.flat();
  const labels = samples.map((index) => dataset.labels(index));
  const part = samples.map((index) => partOf[index] as number);
  const classes = dataset.classes.length;
  const table = tableOf(labels, part, classes, parts.length);
  // Members of a group are no independent draws: where there are many, groups are permuted instead. Groups that straddle are left apart.
  const whole = units.every((unit) => unit.every((index) => partOf[index] === partOf[unit[0] as number]));
  const clustered = whole && samples.length - units.length > samples.length / 50;
  let test: IndependenceTest;
  if (!dataset.multiLabel && !clustered && countsSuffice(table)) test = chiSquaredTest(table);
  else {
    const asUnits = clustered ? units : samples.map((index) => [index]);
    const permutations = Math.max(199, Math.min(1999, Math.floor(4e7 / Math.max(1, samples.length))));
    test = permutationTest(
      asUnits.map((unit) => unit.flatMap((index) => [...dataset.labels(index)])),
      asUnits.map((unit) => partOf[unit[0] as number] as number),
      { classes, parts: parts.length, multiLabel: dataset.multiLabel && !clustered },
      { permutations, seed },
    );
  }
  const filled = table.filter((row) => row.some((count) => count > 0)).length;
  const total = Math.max(1, samples.length);
  const strength = Math.sqrt(test.statistic / (total * Math.max(1, Math.min(filled, classes) - 1)));
  return {
    pValue: test.pValue,
    finding: (differ) => {
      const how =
        test.method === 'chi2'
          ? `χ² ${test.statistic.toFixed(2)} at ${test.degreesOfFreedom} degrees of freedom, p ${shortProbability(test.pValue)}`
          : `χ² ${test.statistic.toFixed(2)}, p ${shortProbability(test.pValue)} by permutation`;
      return {
        check: 'labels',
        severity: strength >= 0.1 ? 'warning' : 'note',
        message: differ
          ? `Labels are distributed differently in the parts (${how}${strength < 0.1 ? ', but the difference is small' : ''}).`
          : `Labels are distributed alike in all parts (${how}).`,
        evidence: { ...test, cramersV: strength, table },
        remedy:
          'Split with stratification; where the parts are given, read results class by class (balanced accuracy).',
      };
    },
  };
}

function propertyTests(
  measured: PictureMeasurements,
  units: readonly (readonly number[])[],
  partOf: Uint8Array,
): Tested[] {
  // One picture of each group and part: copies are no independent draws.
  const chosen: number[][] = parts.map(() => []);
  for (const unit of units) {
    const seen = new Set<number>();
    for (const index of unit) {
      const part = partOf[index] as number;
      if (seen.has(part) || (measured.width[index] as number) === 0) continue;
      seen.add(part);
      (chosen[part] as number[]).push(index);
    }
  }
  const tests: Tested[] = [];
  for (const property of properties) {
    const values = chosen.map((list) => list.map((index) => property.of(measured, index)));
    for (let a = 0; a < parts.length; a++)
      for (let b = a + 1; b < parts.length; b++) {
        const [first, second] = [values[a] as number[], values[b] as number[]];
        if (first.length === 0 || second.length === 0) continue;
        const { statistic, pValue } = kolmogorovTest(first, second);
        const means = [first, second].map((list) => list.reduce((x, y) => x + y, 0) / list.length);
        tests.push({
          pValue,
          finding: () => ({
            check: property.check,
            severity: statistic >= 0.1 ? 'warning' : 'note',
            message: `${property.name} differs between ${parts[a]} and ${parts[b]} (Kolmogorov–Smirnov ${statistic.toFixed(3)}, p ${shortProbability(pValue)}).`,
            evidence: { property: property.name, between: [parts[a], parts[b]], statistic, means },
            remedy:
              'Look at pictures of both parts: another camera, another day or another source in one part makes its results tell of that.',
          }),
        });
      }
  }
  return tests;
}

/** Properties that are alike share one line; the ones that drift speak for themselves. */
function summarise(findings: readonly SplitFinding[]): SplitFinding[] {
  const result: SplitFinding[] = [];
  for (const check of ['labels', 'brightness', 'size', 'colour', 'aspect'] as const) {
    const own = findings.filter((finding) => finding.check === check);
    const alarms = own.filter((finding) => finding.severity !== 'good');
    if (check === 'labels' || alarms.length > 0) result.push(...(check === 'labels' ? own : alarms));
    else if (own.length > 0)
      result.push({
        check,
        severity: 'good',
        message: `${check.charAt(0).toUpperCase()}${check.slice(1)} is alike in all parts (Kolmogorov–Smirnov, smallest p ${shortProbability(Math.min(...own.map((finding) => finding.evidence.adjusted as number)))} after correction).`,
        evidence: { tests: own.map((finding) => finding.evidence) },
      });
  }
  return result;
}

function leaks(
  dataset: Dataset,
  duplicates: Duplicates | null,
  partOf: Uint8Array,
  fromOutside: boolean,
): SplitFinding[] {
  if (!duplicates) return [];
  const straddling = duplicates.groups.filter(
    ({ members }) => new Set(members.map((i) => partOf[i]).filter((part) => part !== 255)).size > 1,
  );
  const copies = duplicates.level === 'near' ? 'copies or near-copies' : 'copies';
  if (straddling.length === 0) {
    const kept = duplicates.groups.length;
    return [
      {
        check: 'leaks',
        severity: 'good',
        message:
          kept === 0
            ? `No ${copies} were found.`
            : `No ${copies} straddle the parts; ${counted(kept, 'group')} of them (${counted(
                duplicates.groups.reduce((sum, { members }) => sum + members.length, 0),
                'sample',
              )}) ${kept === 1 ? 'stays' : 'stay'} together.`,
        evidence: { groups: kept },
      },
    ];
  }
  const lists = straddling.map(({ members, kind }) => ({
    kind,
    members: members
      .filter((i) => partOf[i] !== 255)
      .map((i) => ({ part: parts[partOf[i] as number], name: shownName(dataset, i) })),
  }));
  const first = lists[0]?.members ?? [];
  const pair = [first[0], first.find(({ part }) => part !== first[0]?.part)].map(
    (member) => `${member?.name} (${member?.part})`,
  );
  return [
    {
      check: 'leaks',
      severity: 'warning',
      message: `${counted(straddling.length, 'group')} of ${copies} ${straddling.length === 1 ? 'lies' : 'lie'} in more than one part, so results there are too good; for instance ${pair.join(' and ')}.`,
      evidence: { groups: lists },
      remedy: fromOutside
        ? 'Split anew without the given parts (--no-official), or leave the copies out.'
        : 'Split with duplicates: "near", or leave the copies out.',
    },
  ];
}

function unreadable(
  dataset: Dataset,
  duplicates: Duplicates | null,
  measured: PictureMeasurements | null,
): SplitFinding[] {
  const bad = measured?.unreadable ?? duplicates?.unreadable ?? [];
  if (bad.length === 0) return [];
  const names = bad.map(({ index, reason }) => `${shownName(dataset, index)} (${reason})`);
  return [
    {
      check: 'unreadable',
      severity: 'note',
      message: `${counted(bad.length, 'picture')} cannot be read: ${someOf(names)}.`,
      evidence: { pictures: names },
      remedy: 'Repair or remove the files; training skips them by name.',
    },
  ];
}

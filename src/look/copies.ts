/** Copies: equal pictures, nearly equal ones, copies with different labels, copies across the parts that come with the data. */
import type { Duplicates } from '../data/duplicates/index.js';
import { counted } from '../data/split/findings.js';
import { type Dataset, type Part, parts } from '../data/types.js';
import type { FindingSample, LookFinding } from './report.js';

interface Group {
  readonly members: readonly number[];
  readonly kind: 'exact' | 'near';
  readonly distance: number;
}

const equal: Readonly<Record<string, string>> = {
  picture: 'byte for byte',
  row: 'equal in all columns',
  text: 'equal but for case and spaces',
};

const isAre = (count: number, what: string): string => `${counted(count, what)} ${count === 1 ? 'is' : 'are'}`;

/** Findings about copies in a data set of any kind. @param what what its samples are called: `picture` */
export function copyFindings(dataset: Dataset, duplicates: Duplicates, what: string): LookFinding[] {
  const key = (index: number): string => dataset.labels(index).join(',');
  const partOf = new Map<number, Part>();
  if (dataset.officialParts) for (const part of parts) for (const i of dataset.officialParts[part]) partOf.set(i, part);
  const exact: Group[] = [];
  const near: Group[] = [];
  const conflicting: Group[] = [];
  const leaking: Group[] = [];
  for (const group of duplicates.groups) {
    const keys = new Set(group.members.map(key));
    const inParts = new Set(group.members.map((index) => partOf.get(index)).filter((part) => part !== undefined));
    if (keys.size > 1) conflicting.push(group);
    if (inParts.size > 1) leaking.push(group);
    if (keys.size === 1 && inParts.size <= 1) (group.kind === 'exact' ? exact : near).push(group);
  }
  return [
    ...leaks(dataset, leaking, partOf, what),
    ...conflicts(dataset, conflicting, what),
    ...ofKind(dataset, exact, 'exact-duplicates', what),
    ...ofKind(dataset, near, 'near-duplicates', what),
  ];
}

const spare = (groups: readonly Group[]): number => groups.reduce((sum, { members }) => sum + members.length - 1, 0);

function listed(
  groups: readonly Group[],
  describe: (index: number, group: Group) => Omit<FindingSample, 'index' | 'group'>,
): FindingSample[] {
  return groups.flatMap((group, number) =>
    group.members.map((index) => ({ index, ...describe(index, group), group: number })),
  );
}

const pairOf = (samples: readonly FindingSample[]): string => {
  const first = samples.filter(({ group }) => group === 0).slice(0, 2);
  return first.map(({ name, note }) => (note === undefined ? name : `${name} (${note})`)).join(' and ');
};

function ofKind(
  dataset: Dataset,
  groups: readonly Group[],
  kind: 'exact-duplicates' | 'near-duplicates',
  what: string,
): LookFinding[] {
  if (groups.length === 0) return [];
  const exact = kind === 'exact-duplicates';
  const samples = listed(groups, (index, { members }) => ({
    name: dataset.sampleName(index),
    ...(index === members[0] ? {} : { note: `copy of ${dataset.sampleName(members[0] as number)}` }),
    // Near copies may stay, on one side of the split: each adds a little.
    ...(exact && index !== members[0] ? { exclude: true } : {}),
  }));
  const extra = spare(groups);
  const pair = samples
    .slice(0, 2)
    .map(({ name }) => name)
    .join(' and ');
  return [
    {
      kind,
      severity: exact ? 'warning' : 'note',
      message: exact
        ? `${isAre(extra, what)} there more than once (${equal[what] ?? 'equal'}); for instance ${pair}.`
        : `${isAre(extra, what)} nearly the same as another (rescaled, recompressed, cropped, or the next shot); for instance ${pair}.`,
      evidence: { groups: groups.length, copies: extra, distances: groups.map(({ distance }) => distance) },
      remedy: exact
        ? 'Leave the copies out: they count one sample twice.'
        : 'Keep them on one side of the split (praxis split does), or keep one of each.',
      samples,
    },
  ];
}

function conflicts(dataset: Dataset, groups: readonly Group[], what: string): LookFinding[] {
  if (groups.length === 0) return [];
  const labels = (index: number): string =>
    dataset
      .labels(index)
      .map((label) => dataset.classes[label])
      .join(' + ') || 'no label';
  const samples = listed(groups, (index) => ({
    name: dataset.sampleName(index),
    note: labels(index),
    exclude: true,
  }));
  return [
    {
      kind: 'conflicting-labels',
      severity: 'error',
      message: `${counted(groups.length, `${what} is`, `${what}s are`)} there more than once, with different labels: ${pairOf(samples)}.`,
      evidence: { groups: groups.length, samples: samples.length },
      remedy: 'At least one of the labels is wrong: correct it by hand, or leave out all of them.',
      samples,
    },
  ];
}

function leaks(
  dataset: Dataset,
  groups: readonly Group[],
  partOf: ReadonlyMap<number, Part>,
  what: string,
): LookFinding[] {
  if (groups.length === 0) return [];
  // What one learns from must not be asked; the parts that judge stay as they are, the training part gives way.
  const rank = (part: Part | undefined): number => (part === 'test' ? 2 : part === 'validation' ? 1 : 0);
  const samples = listed(groups, (index, { members }) => {
    const judged = Math.max(...members.map((member) => rank(partOf.get(member))));
    return {
      name: dataset.sampleName(index),
      note: partOf.get(index) ?? 'in no part',
      ...(rank(partOf.get(index)) < judged ? { exclude: true } : {}),
    };
  });
  return [
    {
      kind: 'leak',
      severity: 'error',
      message: `${counted(groups.length, `${what} lies`, `${what}s lie`)} in more than one part of the split that comes with the data, so results there are too good; for instance ${pairOf(samples)}.`,
      evidence: { groups: groups.length, samples: samples.length },
      remedy: 'Leave the copies in the training part out, or split anew (praxis split --no-official).',
      samples,
    },
  ];
}

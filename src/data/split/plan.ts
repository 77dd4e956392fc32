/** From labels and groups to parts, without looking at a single picture. */

import type { Groups } from '../duplicates/groups.js';
import { DataError } from '../errors.js';
import { type Part, parts } from '../types.js';
import { assignUnits } from './assign.js';
import { counted, type SplitFinding, someOf } from './findings.js';
import type { Fractions } from './options.js';

export interface PlanInput {
  readonly length: number;
  readonly classes: readonly string[];
  readonly multiLabel: boolean;
  readonly labels: (index: number) => readonly number[];
  /** What stays together. */
  readonly groups: Groups;
  readonly fractions: Fractions;
  readonly stratify: boolean;
  readonly seed: number;
  /** Whether one class is enough. */
  readonly unlabelled?: boolean;
  readonly officialParts?: Readonly<Record<Part, readonly number[]>> | undefined;
}

export interface Plan {
  /** Indices of each part, ascending. */
  readonly parts: Readonly<Record<Part, readonly number[]>>;
  /** Whether the parts that came with the data were kept, at least some of them. */
  readonly official: boolean;
  readonly findings: readonly SplitFinding[];
}

/** Deals the samples out. @throws DataError where no split is possible */
export function planSplit(input: PlanInput): Plan {
  const { length, classes } = input;
  if (length === 0) throw new DataError('there is nothing to split: the data set is empty');
  const used = new Set<number>();
  for (let i = 0; i < length; i++) for (const label of input.labels(i)) used.add(label);
  if (!input.multiLabel && input.unlabelled !== true && used.size < 2)
    throw new DataError(
      `all ${counted(length, 'sample')} have the label ${classes[[...used][0] ?? 0] ?? '(none)'}: there is nothing to learn from one class; add pictures of another, one folder for each class`,
    );
  const official = input.officialParts;
  return official && parts.some((part) => official[part].length > 0) ? fromOfficial(input, official) : fresh(input);
}

/** Units of the given samples, groups cut down to them. */
function unitsAmong(groups: Groups, among: readonly number[]): number[][] {
  const members = new Map<number, number[]>();
  for (const index of among) {
    const root = groups.find(index);
    const list = members.get(root);
    if (list) list.push(index);
    else members.set(root, [index]);
  }
  return [...members.values()];
}

/** Deals the given samples out to the given parts. */
function deal(input: PlanInput, among: readonly number[], to: readonly Part[], shares: readonly number[]) {
  const units = unitsAmong(input.groups, among);
  const assigned = assignUnits(units, {
    fractions: shares,
    labels: input.labels,
    classes: input.classes.length,
    stratify: input.stratify,
    seed: input.seed,
  });
  const result: Record<Part, number[]> = { train: [], validation: [], test: [] };
  units.forEach((unit, u) => {
    result[to[assigned[u] as number] as Part].push(...unit);
  });
  for (const part of parts) result[part].sort((a, b) => a - b);
  return { units, result };
}

function fresh(input: PlanInput): Plan {
  const shares = parts.map((part) => input.fractions[part]);
  const active = parts.filter((part) => input.fractions[part] > 0);
  const everything = Array.from({ length: input.length }, (_, i) => i);
  const { units, result } = deal(input, everything, parts, shares);
  if (units.length < active.length)
    throw new DataError(
      `${counted(input.length, 'sample')} that must stay together in ${counted(units.length, 'group')} cannot be split into ${active.length} parts`,
    );
  const findings = [...rareClasses(input, units, active, result), ...largeGroups(input, units)];
  return { parts: result, official: false, findings };
}

function fromOfficial(input: PlanInput, official: Readonly<Record<Part, readonly number[]>>): Plan {
  const missing = parts.filter((part) => official[part].length === 0);
  if (missing.includes('train'))
    throw new DataError(
      'the data comes with parts but without a training part; pass official: false (--no-official) to split it anew',
    );
  const findings: SplitFinding[] = [];
  let result: Readonly<Record<Part, readonly number[]>> = official;
  const wanted = missing.filter((part) => input.fractions[part] > 0);
  if (wanted.length > 0) {
    // A missing part is carved from the training part, in proportion to the shares asked for.
    const to: Part[] = ['train', ...wanted];
    const total = to.reduce((sum, part) => sum + input.fractions[part], 0);
    const carved = deal(
      input,
      official.train,
      to,
      to.map((part) => input.fractions[part] / total),
    );
    const kept = parts.filter((part) => !to.includes(part));
    result = Object.fromEntries(
      parts.map((part) => [part, kept.includes(part) ? official[part] : carved.result[part]]),
    ) as Record<Part, number[]>;
    findings.push(...rareClasses(input, carved.units, to, result), {
      check: 'official-parts',
      severity: 'note',
      message: `The data comes with ${parts.filter((part) => !missing.includes(part)).join(' and ')}; ${wanted.join(' and ')} ${wanted.length === 1 ? 'was' : 'were'} carved from its training part.`,
      evidence: { given: parts.filter((part) => !missing.includes(part)), carved: wanted },
    });
  } else
    findings.push({
      check: 'official-parts',
      severity: 'note',
      message: 'The parts that came with the data were kept.',
      evidence: { given: parts.filter((part) => !missing.includes(part)) },
    });
  const sorted = Object.fromEntries(parts.map((part) => [part, [...result[part]].sort((a, b) => a - b)]));
  return { parts: sorted as Record<Part, number[]>, official: true, findings };
}

/** Classes with too few units to be in every part. */
function rareClasses(
  input: PlanInput,
  units: readonly (readonly number[])[],
  active: readonly Part[],
  result: Readonly<Record<Part, readonly number[]>>,
): SplitFinding[] {
  const unitsOf = new Array<number>(input.classes.length).fill(0);
  for (const unit of units)
    for (const label of new Set(unit.flatMap((index) => [...input.labels(index)])))
      unitsOf[label] = (unitsOf[label] as number) + 1;
  const present = new Map(
    active.map((part) => [part, new Set(result[part].flatMap((index) => [...input.labels(index)]))]),
  );
  const rare = input.classes
    .map((name, label) => ({ name, label, missing: active.filter((part) => !present.get(part)?.has(label)) }))
    .filter(({ label, missing }) => (unitsOf[label] as number) > 0 && missing.length > 0);
  if (rare.length === 0) return [];
  const few = rare.filter(({ label }) => (unitsOf[label] as number) < active.length);
  const shown = someOf(rare.map(({ name, label }) => `${name} (${unitsOf[label]})`));
  return [
    {
      check: 'rare-classes',
      severity: 'warning',
      message:
        few.length === rare.length
          ? `${counted(rare.length, 'class', 'classes')} with fewer than ${active.length} separate samples cannot be in every part: ${shown}.`
          : `${counted(rare.length, 'class', 'classes')} ${rare.length === 1 ? 'is' : 'are'} missing from a part: ${shown}.`,
      evidence: {
        classes: rare.map(({ name, label, missing }) => ({ name, units: unitsOf[label], missingFrom: missing })),
      },
      remedy: 'Collect more samples of them, merge them into another class, or leave them out.',
    },
  ];
}

/** Groups that are too large for the proportions to come right. */
function largeGroups(input: PlanInput, units: readonly (readonly number[])[]): SplitFinding[] {
  const smallest = Math.min(...parts.map((part) => input.fractions[part]).filter((share) => share > 0));
  const room = smallest * input.length;
  const largest = Math.max(...units.map((unit) => unit.length));
  if (largest <= Math.max(1, room / 2)) return [];
  return [
    {
      check: 'large-groups',
      severity: largest > room ? 'warning' : 'note',
      message: `The largest group has ${counted(largest, 'sample')} that stay together, the smallest part room for ${Math.round(room)}: the proportions cannot be exact.`,
      evidence: { largest, room: Math.round(room) },
      ...(largest > room
        ? { remedy: 'Look at what the group has in common; finer groups, or duplicates: "exact", would divide it.' }
        : {}),
    },
  ];
}

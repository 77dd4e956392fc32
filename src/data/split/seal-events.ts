/**
 * What a split knows and does not show, and the record of its seal: a chain in which each entry holds the hash of the one before, so that
 * an entry that was changed or taken from the middle is noticed. Not for the public.
 */
import { DataError } from '../errors.js';
import type { Dataset, Part } from '../types.js';
import { sha256 } from './fingerprint.js';

/** JSON, as results are. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

interface EventBase {
  /** Which use, from 1. */
  readonly use: number;
  /** ISO 8601. */
  readonly time: string;
  /** Hash of the entry before; of the first one the split's fingerprint. */
  readonly previous: string;
  readonly hash: string;
}

export interface OpenedEvent extends EventBase {
  readonly kind: 'opened';
  readonly command: string;
  readonly run: string | null;
}

export interface ResultEvent extends EventBase {
  readonly kind: 'result';
  readonly result: Json;
}

export type SealEvent = OpenedEvent | ResultEvent;

/** One use of the test part. */
export interface SealUse {
  /** From 1. */
  readonly number: number;
  readonly time: string;
  /** What opened it: `praxis test runs/2026-11-22-flowers`. */
  readonly command: string;
  readonly run: string | null;
  /** What came out; null where nothing was written down (a test that was broken off counts all the same). */
  readonly result: Json;
}

/** An entry without what the chain adds. */
export type NewEvent =
  | Pick<OpenedEvent, 'kind' | 'use' | 'time' | 'command' | 'run'>
  | Pick<ResultEvent, 'kind' | 'use' | 'time' | 'result'>;

/** The chain with one entry more. */
export function appended(events: readonly SealEvent[], event: NewEvent, fingerprint: string): readonly SealEvent[] {
  const previous = events.at(-1)?.hash ?? fingerprint;
  const body = { ...event, previous };
  return [...events, { ...body, hash: sha256(JSON.stringify(body)) } as SealEvent];
}

/** @throws DataError where an entry was changed, removed or put in */
export function verifyChain(events: readonly SealEvent[], fingerprint: string, file: string): void {
  let previous = fingerprint;
  events.forEach((event, i) => {
    const { hash, ...body } = event;
    if (body.previous !== previous || sha256(JSON.stringify(body)) !== hash)
      throw new DataError(`${file}: entry ${i + 1} of the seal's record was changed; restore the file from a copy`);
    previous = hash;
  });
}

export function usesOf(events: readonly SealEvent[]): SealUse[] {
  return events
    .filter((event) => event.kind === 'opened')
    .map(({ use, time, command, run }) => {
      const result = events.find((event) => event.kind === 'result' && event.use === use) as ResultEvent | undefined;
      return { number: use, time, command, run, result: result?.result ?? null };
    });
}

/** What a split keeps to itself. */
export interface SplitSecrets {
  /** The data set whose test samples are sealed. */
  readonly dataset: Dataset;
  readonly parts: Readonly<Record<Part, readonly number[]>>;
  readonly together: readonly (readonly number[])[];
  /** The record as last read or written. */
  events: readonly SealEvent[];
}

const secrets = new WeakMap<object, SplitSecrets>();

export function keepSecrets(split: object, own: SplitSecrets): void {
  secrets.set(split, own);
}

export function secretsOf(split: object): SplitSecrets {
  const own = secrets.get(split);
  if (!own) throw new DataError('this is not a split that splitDataset or loadSplit made');
  return own;
}

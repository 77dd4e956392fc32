/** Reads event files: for tests, for pages, and to see what was logged without TensorBoard. */
import { promises as fs } from 'node:fs';
import { RunError } from '../errors.js';
import { type RawField, readFields } from './protobuf.js';
import { unframe } from './records.js';

/** One logged value. */
export interface EventValue {
  readonly tag: string;
  readonly scalar?: number;
  readonly image?: { readonly height: number; readonly width: number; readonly png: Uint8Array };
  readonly histogram?: {
    readonly min: number;
    readonly max: number;
    readonly num: number;
    readonly sum: number;
    readonly sumSquares: number;
    readonly bucketLimit: readonly number[];
    readonly bucket: readonly number[];
  };
  readonly text?: string;
  /** The plugin it is for: `text`, `hparams`, `pr_curves`. */
  readonly plugin?: string;
}

export interface LoggedEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  readonly fileVersion?: string;
  /** A graph, encoded. */
  readonly graph?: Uint8Array;
  /** Whether a session starts again at this step. */
  readonly sessionStart?: boolean;
  readonly values: readonly EventValue[];
}

const asDouble = (field: RawField) => field.bytes.readDoubleLE(0);
const asInteger = (field: RawField) => Number(BigInt.asIntN(64, field.integer));
const asDoubles = (field: RawField) =>
  Array.from({ length: field.bytes.length / 8 }, (_, i) => field.bytes.readDoubleLE(i * 8));

/** The last field of each number; enough for messages without repeated fields. */
function fieldsOf(message: Buffer): Map<number, RawField> {
  return new Map([...readFields(message)].map((field) => [field.field, field]));
}

function readHistogram(message: Buffer): NonNullable<EventValue['histogram']> {
  const fields = fieldsOf(message);
  const number = (i: number) => (fields.has(i) ? asDouble(fields.get(i) as RawField) : 0);
  const list = (i: number) => (fields.has(i) ? asDoubles(fields.get(i) as RawField) : []);
  return {
    min: number(1),
    max: number(2),
    num: number(3),
    sum: number(4),
    sumSquares: number(5),
    bucketLimit: list(6),
    bucket: list(7),
  };
}

function readImage(message: Buffer): NonNullable<EventValue['image']> {
  const fields = fieldsOf(message);
  const number = (i: number) => (fields.has(i) ? asInteger(fields.get(i) as RawField) : 0);
  return { height: number(1), width: number(2), png: Uint8Array.from(fields.get(4)?.bytes ?? []) };
}

function readValue(message: Buffer): EventValue {
  const value: { -readonly [K in keyof EventValue]: EventValue[K] } = { tag: '' };
  for (const field of readFields(message)) {
    if (field.field === 1) value.tag = field.bytes.toString();
    else if (field.field === 2) value.scalar = field.bytes.readFloatLE(0);
    else if (field.field === 4) value.image = readImage(field.bytes);
    else if (field.field === 5) value.histogram = readHistogram(field.bytes);
    else if (field.field === 8) {
      const text = fieldsOf(field.bytes).get(8);
      if (text !== undefined) value.text = text.bytes.toString();
    } else if (field.field === 9) {
      const plugin = fieldsOf(field.bytes).get(1);
      const name = plugin === undefined ? undefined : fieldsOf(plugin.bytes).get(1);
      if (name !== undefined) value.plugin = name.bytes.toString();
    }
  }
  return value;
}

function readEvent(message: Buffer): LoggedEvent {
  const event: { -readonly [K in keyof LoggedEvent]: LoggedEvent[K] } = { wallTime: 0, step: 0, values: [] };
  for (const field of readFields(message)) {
    if (field.field === 1) event.wallTime = asDouble(field);
    else if (field.field === 2) event.step = asInteger(field);
    else if (field.field === 3) event.fileVersion = field.bytes.toString();
    else if (field.field === 4) event.graph = Uint8Array.from(field.bytes);
    else if (field.field === 5)
      event.values = [...readFields(field.bytes)]
        .filter(({ field: n }) => n === 1)
        .map(({ bytes }) => readValue(bytes));
    else if (field.field === 7) event.sessionStart = fieldsOf(field.bytes).get(1)?.integer === 1n;
  }
  return event;
}

/** The events of a file in order; a torn last one, as a kill leaves it, is left out. @throws RunError when the file is damaged */
export async function readEvents(file: string): Promise<LoggedEvent[]> {
  const content = await fs.readFile(file).catch((error: Error) => {
    throw new RunError(`${file} cannot be read: ${error.message}.`);
  });
  try {
    return [...unframe(content)].map(readEvent);
  } catch (error) {
    throw new RunError(`${file} is damaged: ${(error as Error).message}.`, { cause: error });
  }
}

/**
 * A checkpoint is one `.safetensors` file: the tensors, and everything else as JSON in its header, so that no two files can belong to
 * different moments. A checksum of every tensor and one of the JSON tell damage that the format itself would not show.
 */
import fs from 'node:fs';
import zlib from 'node:zlib';
import { setOwn } from '../../torch/files/convert.js';
import { torchEngine } from '../../torch/files/torch-engine.js';
import { type Tensor, torch } from '../../torch/index.js';
import { errorCode, writeProblem } from '../../track/errors.js';
import { parseExact, stringifyExact } from '../../track/json.js';
import { CheckpointError } from './errors.js';
import type { CheckpointState } from './state.js';

/** Name, dtype, shape and CRC-32 of a tensor, in the order in which it was given. */
type TensorNote = readonly [name: string, dtype: string, shape: readonly number[], checksum: number];

interface Payload extends Omit<CheckpointState, 'model' | 'optimizer' | 'average' | 'random' | 'tensors'> {
  readonly version: 1;
  readonly optimizer?: Omit<NonNullable<CheckpointState['optimizer']>, 'tensors'>;
  readonly average?: Omit<NonNullable<CheckpointState['average']>, 'tensors'>;
  readonly notes: readonly TensorNote[];
}

/** The groups of tensors, as the first word of their names in the file. */
const groups = ['model', 'optimizer', 'average', 'random', 'tensors'] as const;
type Group = (typeof groups)[number];

/** The header's texts: `format` is what other readers of safetensors look for. */
const payloadKey = 'praxis';
const checksumKey = 'praxis.checksum';

export interface SaveCheckpointOptions {
  /** Refuse to save NaN and infinities in the model, the optimiser or the average. Default false. */
  readonly checkFinite?: boolean;
}

export interface LoadCheckpointOptions {
  /** Where the tensors go. Default: the CPU. */
  readonly device?: string;
  /** Refuse NaN and infinities in the model, the optimiser or the average. Default false. */
  readonly checkFinite?: boolean;
}

/** What is known of a checkpoint without reading its tensors. */
export interface CheckpointInfo {
  readonly file: string;
  readonly step: number;
  readonly epoch: number;
  readonly score?: number;
  readonly metrics?: unknown;
  readonly extra?: unknown;
}

function gather(state: CheckpointState): Map<string, Tensor> {
  const sources: Record<Group, Readonly<Record<string, Tensor>> | undefined> = {
    model: state.model,
    optimizer: state.optimizer?.tensors,
    average: state.average?.tensors,
    random: state.random,
    tensors: state.tensors,
  };
  const all = new Map<string, Tensor>();
  // Copied to the CPU once, for the checksum and the file.
  for (const group of groups)
    for (const [name, tensor] of Object.entries(sources[group] ?? {}))
      all.set(`${group}.${name}`, tensor.device === 'cpu' ? tensor : torch.noGrad(() => tensor.detach().cpu()));
  return all;
}

function withoutTensors<T extends { readonly tensors: unknown }>({ tensors: _, ...rest }: T): Omit<T, 'tensors'> {
  return rest;
}

const checksum = (tensor: Tensor): number => zlib.crc32(torchEngine.elementBytes(tensor));

/** Name of the first tensor of the model, the optimiser or the average that is not finite everywhere. */
export function findNotFinite(tensors: Iterable<readonly [string, Tensor]>): string | undefined {
  return torch.noGrad(() => {
    for (const [name, tensor] of tensors) {
      if (!tensor.isFloatingPoint() && !tensor.isComplex()) continue;
      // The sum is not finite when an element is not, and costs no memory; a sum that overflows is looked at closely.
      if (torch.scope(() => Number.isFinite(tensor.abs().sum().item() as number))) continue;
      if (!torch.scope(() => Boolean(tensor.isfinite().all().item()))) return name;
    }
    return undefined;
  });
}

const weighed = (name: string) => /^(model|optimizer|average)\./.test(name);

/**
 * Writes a checkpoint. It holds what the tensors hold when this is called; it appears under its name only when it is whole and on the
 * disk, so that a kill or a full disk leaves what was there before.
 * @throws CheckpointError
 */
export async function saveCheckpoint(
  file: string,
  state: CheckpointState,
  options: SaveCheckpointOptions = {},
): Promise<void> {
  const all = gather(state);
  if (options.checkFinite === true) {
    const bad = findNotFinite([...all].filter(([name]) => weighed(name)));
    if (bad !== undefined)
      throw new CheckpointError(`${file} was not written: ${bad} holds NaN or infinity at step ${state.step}.`, file);
  }
  const { model: _model, random: _random, tensors: _tensors, optimizer, average, ...facts } = state;
  const payload: Payload = {
    ...facts,
    version: 1,
    ...(optimizer === undefined ? {} : { optimizer: withoutTensors(optimizer) }),
    ...(average === undefined ? {} : { average: withoutTensors(average) }),
    notes: [...all].map(([name, tensor]) => [name, tensor.dtype, tensor.shape, checksum(tensor)]),
  };
  const text = stringifyExact(payload);
  try {
    await torch.save(all, file, {
      format: 'safetensors',
      metadata: { format: 'pt', [payloadKey]: text, [checksumKey]: String(zlib.crc32(text)) },
    });
  } catch (error) {
    const { cause } = error as Error;
    const problem = errorCode(cause) === '' ? error : cause;
    throw new CheckpointError(
      `${file} cannot be written: ${writeProblem(file, problem)}; what was there before is untouched.`,
      file,
      { cause: error },
    );
  }
}

function damaged(file: string, problem: string, cause?: unknown): CheckpointError {
  return new CheckpointError(`${file} is not a usable checkpoint: ${problem}.`, file, { cause });
}

async function readPayload(file: string): Promise<Payload> {
  let texts: Record<string, string>;
  try {
    texts = await torch.loadMetadata(file);
  } catch (error) {
    if (errorCode(error) === 'ENOENT')
      throw new CheckpointError(`There is no checkpoint ${file}.`, file, { cause: error });
    throw damaged(file, (error as Error).message.replace(`${file}: `, 'it ').replace(/\.$/, ''), error);
  }
  const text = texts[payloadKey];
  if (text === undefined) throw damaged(file, 'it holds tensors only, not the state of a run');
  if (String(zlib.crc32(text)) !== texts[checksumKey]) throw damaged(file, 'the checksum of its header is wrong');
  const payload = parseExact(text) as Payload;
  if (payload.version !== 1) throw damaged(file, `it is of version ${String(payload.version)}, made by a newer Praxis`);
  return payload;
}

/** Step, epoch, score and metrics of a checkpoint; reads the header only. @throws CheckpointError */
export async function readCheckpointInfo(file: string): Promise<CheckpointInfo> {
  const { step, epoch, score, metrics, extra } = await readPayload(file);
  return { file, step, epoch, score, metrics, extra };
}

/**
 * Reads a checkpoint and checks every byte of it.
 * @throws CheckpointError when it is not there, cut short, damaged, or none
 */
export async function loadCheckpoint(file: string, options: LoadCheckpointOptions = {}): Promise<CheckpointState> {
  const { version: _version, notes, optimizer, average, ...facts } = await readPayload(file);
  let found: Record<string, Tensor>;
  try {
    found = await torch.load<Record<string, Tensor>>(file, { mmap: true });
  } catch (error) {
    throw damaged(file, (error as Error).message.replace(`${file}: `, 'it ').replace(/\.$/, ''), error);
  }
  const count = Object.keys(found).length;
  if (count !== notes.length) throw damaged(file, `it holds ${count} tensors and should hold ${notes.length}`);
  const byGroup: Record<Group, Record<string, Tensor>> = {
    model: {},
    optimizer: {},
    average: {},
    random: {},
    tensors: {},
  };
  for (const [name, dtype, shape, expected] of notes) {
    const tensor = found[name];
    if (tensor === undefined) throw damaged(file, `the tensor ${name} is missing`);
    if (tensor.dtype !== dtype || tensor.shape.join() !== shape.join())
      throw damaged(file, `the tensor ${name} has another type or shape than noted`);
    if (checksum(tensor) !== expected) throw damaged(file, `the checksum of the tensor ${name} is wrong`);
    if (options.checkFinite === true && weighed(name) && findNotFinite([[name, tensor]]) !== undefined)
      throw damaged(file, `the tensor ${name} holds NaN or infinity`);
    const dot = name.indexOf('.');
    const group = name.slice(0, dot) as Group;
    // Random states stay on the CPU, whatever the device is that they are of.
    const placed = options.device === undefined || group === 'random' ? tensor : tensor.to(options.device);
    setOwn(byGroup[group], name.slice(dot + 1), placed);
  }
  return {
    ...facts,
    model: byGroup.model,
    ...(optimizer === undefined ? {} : { optimizer: { ...optimizer, tensors: byGroup.optimizer } }),
    ...(average === undefined ? {} : { average: { ...average, tensors: byGroup.average } }),
    ...(Object.keys(byGroup.random).length === 0 ? {} : { random: byGroup.random }),
    ...(Object.keys(byGroup.tensors).length === 0 ? {} : { tensors: byGroup.tensors }),
  };
}

/** Whether a file is there at all; damage is found when it is read. */
export const checkpointExists = (file: string): boolean => fs.existsSync(file);

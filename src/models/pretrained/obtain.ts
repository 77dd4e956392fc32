/** Gets the file of weights: from its place, from the cache, or from where its makers publish it. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { defaultCacheFolder } from '../../data/cache/folder.js';
import { DataError } from '../../data/errors.js';
import { sha256Of } from '../../data/known/checksum.js';
import { type DownloadOptions, download } from '../../data/known/download.js';
import type { ChannelStatistics } from '../../data/types.js';
import { ArgumentError, nearest } from '../../torch/errors.js';
import { writeFileAtomic } from '../../track/index.js';
import { findWeights, type KnownWeights, knownWeights, timmArchitectures, weightsOfFile } from './known.js';

/** A file of weights, and what is known of it besides. */
export interface Obtained {
  readonly file: string;
  /** SHA-256 of the file, in hexadecimal. */
  readonly sha256: string;
  /** Where it came from: a known name, an address, or its path. */
  readonly source: string;
  /** Where something says it: how the pictures they saw were normalised. */
  readonly statistics?: ChannelStatistics;
  /** Side of those pictures. */
  readonly side?: number;
  readonly trainedOn?: string;
}

export interface ObtainOptions extends DownloadOptions {
  /** Never ask the network; default: whether PRAXIS_OFFLINE or HF_HUB_OFFLINE is set to anything but 0. */
  readonly offline?: boolean;
  /** Where downloaded weights are kept; default `weights` in the folder of all caches (PRAXIS_CACHE_DIR). */
  readonly folder?: string;
  /** Address of the hub; default HF_ENDPOINT, else https://huggingface.co. */
  readonly hub?: string;
}

const extensions = ['.safetensors', '.pth', '.pt', '.th', '.bin', '.ckpt', '.tar'];

/** Where downloaded weights are kept. */
export const weightsFolder = (): string => path.join(defaultCacheFolder(), 'weights');

const isOffline = (): boolean =>
  [process.env.PRAXIS_OFFLINE, process.env.HF_HUB_OFFLINE].some(
    (value) => value !== undefined && !/^(0|false|)$/i.test(value),
  );

/** The beginning of the SHA-256 that PyTorch's makers write into names: `resnet18-f37072fd.pth`. */
const hashInName = (file: string): string | undefined => /-([0-9a-f]{8,64})\.[a-z.]+$/.exec(file)?.[1];

/** What a timm `config.json` says of the pictures. */
function readConfig(text: string): Pick<Obtained, 'statistics' | 'side'> {
  const config = JSON.parse(text) as { pretrained_cfg?: Record<string, unknown> } & Record<string, unknown>;
  const { mean, std, input_size: size } = (config.pretrained_cfg ?? config) as Record<string, unknown>;
  const numbers = (value: unknown): value is number[] =>
    Array.isArray(value) && value.length > 0 && value.every((x) => typeof x === 'number' && Number.isFinite(x));
  return {
    ...(numbers(mean) && numbers(std) && mean.length === std.length && std.every((x) => x > 0)
      ? { statistics: { mean, std } }
      : {}),
    ...(numbers(size) && size.length === 3 ? { side: size[1] as number } : {}),
  };
}

const factsOf = (known: KnownWeights | undefined): Partial<Obtained> =>
  known === undefined ? {} : { statistics: known.statistics, side: known.side, trainedOn: known.trainedOn };

/** A file on this machine. */
async function fromFile(file: string): Promise<Obtained> {
  const beside = path.join(path.dirname(file), 'config.json');
  let told: Partial<Obtained> = {};
  if (existsSync(beside))
    try {
      told = readConfig(readFileSync(beside, 'utf8'));
    } catch {
      // Somebody else's file of that name.
    }
  const known = weightsOfFile(file);
  const expected = known?.url === undefined ? undefined : hashInName(known.url);
  const sha256 = await sha256Of(file);
  // A known name with another content is another file: nothing is known of it.
  const sure = known !== undefined && (expected === undefined || sha256.startsWith(expected));
  return { file, sha256, source: file, ...(sure ? factsOf(known) : {}), ...told };
}

/** The weights in a folder: model.safetensors, pytorch_model.bin, or the only one. */
function inFolder(folder: string): string {
  const files = readdirSync(folder).filter((name) => extensions.includes(path.extname(name)) && !name.endsWith('.tar'));
  const usual = ['model.safetensors', 'open_clip_model.safetensors', 'pytorch_model.bin'].find((name) =>
    files.includes(name),
  );
  const [only, ...others] = files;
  if (usual !== undefined) return path.join(folder, usual);
  if (only === undefined)
    throw new DataError(`${folder}: there are no weights in it (${extensions.slice(0, 5).join(', ')}).`);
  if (others.length > 0)
    throw new DataError(`${folder}: there are several files of weights in it (${files.sort().join(', ')}); name one.`);
  return path.join(folder, only);
}

interface Remote {
  readonly url: string;
  /** Where it is kept. */
  readonly file: string;
  /** Beginning of the SHA-256, where the address or the server says it. */
  readonly sha256?: string;
}

const byHand = (remote: Remote): string =>
  `Where there is a network, download ${remote.url} and put it here as ${remote.file}`;

/** From the cache, or downloaded into it, with its checksum beside it. */
async function fromCache(remote: Remote, options: ObtainOptions): Promise<{ file: string; sha256: string }> {
  const { file } = remote;
  const note = `${file}.json`;
  if (existsSync(file)) {
    const sha256 = await sha256Of(file);
    const noted = existsSync(note) ? (JSON.parse(readFileSync(note, 'utf8')) as { sha256?: string }).sha256 : undefined;
    const expected = noted ?? remote.sha256;
    if (expected !== undefined && !sha256.startsWith(expected))
      throw new DataError(
        `${file} is damaged or another file: its SHA-256 is ${sha256} and should be ${expected}${expected.length < 64 ? '…' : ''}; delete it, and it is downloaded again.`,
      );
    return { file, sha256 };
  }
  if (options.offline ?? isOffline())
    throw new DataError(
      `${path.basename(file)} is not on this machine, and the network is not to be asked. ${byHand(remote)}.`,
    );
  try {
    await download(
      { urls: [remote.url], ...(remote.sha256 === undefined ? {} : { sha256: remote.sha256 }) },
      file,
      options,
    );
  } catch (error) {
    if (!(error instanceof DataError) || error.message.startsWith('There is no space')) throw error;
    throw new DataError(`${error.message} ${byHand(remote)}.`, { cause: error });
  }
  const sha256 = await sha256Of(file);
  await writeFileAtomic(note, `${JSON.stringify({ url: remote.url, sha256, bytes: statSync(file).size })}\n`);
  return { file, sha256 };
}

/** A text of a few lines; undefined where it cannot be had. */
async function fetchText(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(30_000) });
    return response.ok ? await response.text() : undefined;
  } catch {
    return undefined;
  }
}

/** The SHA-256 of a large file that the hub tells in the headers of its answer. Source: huggingface_hub's `get_hf_file_metadata`. */
async function hubChecksum(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(30_000) });
    const tag = response.headers.get('x-linked-etag')?.replaceAll(/^W\/|"/g, '');
    return tag !== undefined && /^[0-9a-f]{64}$/.test(tag) ? tag : undefined;
  } catch {
    return undefined;
  }
}

/** `owner/name` or `owner/name@revision` on the hub. */
async function fromHub(address: string, options: ObtainOptions, known?: KnownWeights): Promise<Obtained> {
  const [repository = '', revision = 'main'] = address.split('@');
  const hub = (options.hub ?? process.env.HF_ENDPOINT ?? 'https://huggingface.co').replace(/\/+$/, '');
  const folder = path.join(options.folder ?? weightsFolder(), ...`${repository}@${revision}`.split('/'));
  const url = (name: string): string => `${hub}/${repository}/resolve/${revision}/${name}`;
  const present =
    existsSync(folder) && readdirSync(folder).find((name) => ['model.safetensors', 'pytorch_model.bin'].includes(name));
  const name = present || 'model.safetensors';
  const config = path.join(folder, 'config.json');
  const offline = options.offline ?? isOffline();
  const sha256 = present || offline ? undefined : await hubChecksum(url(name));
  const got = await fromCache(
    { url: url(name), file: path.join(folder, name), ...(sha256 === undefined ? {} : { sha256 }) },
    options,
  );
  if (!existsSync(config) && !offline) {
    const text = await fetchText(url('config.json'));
    if (text !== undefined) await writeFileAtomic(config, text);
  }
  let told: Partial<Obtained> = {};
  if (existsSync(config))
    try {
      told = readConfig(await readFile(config, 'utf8'));
    } catch {
      throw new DataError(`${config} cannot be read as JSON; delete it, and it is downloaded again.`);
    }
  return { ...got, source: known?.name ?? repository, ...factsOf(known), ...told };
}

/** What a downloaded file is called here. */
const fileOf = (name: string): string => name.replaceAll(/[^\w.-]/g, '_');

/** Whether known weights are on this machine already, so that they cost no download. */
export function areKept({ name, url }: KnownWeights, folder = weightsFolder()): boolean {
  if (url !== undefined)
    return existsSync(path.join(folder, fileOf(decodeURIComponent(new URL(url).pathname.split('/').pop() ?? ''))));
  const place = path.join(folder, ...`timm/${name}@main`.split('/'));
  return ['model.safetensors', 'pytorch_model.bin'].some((file) => existsSync(path.join(place, file)));
}

async function fromUrl(url: string, options: ObtainOptions, known?: KnownWeights): Promise<Obtained> {
  const name = decodeURIComponent(new URL(url).pathname.split('/').pop() ?? '');
  if (!extensions.includes(path.extname(name)))
    throw new DataError(`${url}: weights are files that end in ${extensions.slice(0, 5).join(', ')}.`);
  const file = path.join(options.folder ?? weightsFolder(), fileOf(name));
  const sha256 = hashInName(name);
  const got = await fromCache({ url, file, ...(sha256 === undefined ? {} : { sha256 }) }, options);
  return { ...got, source: known?.name ?? url, ...factsOf(known ?? weightsOfFile(name)) };
}

/**
 * Weights by the name they are known under (`resnet18`, `resnet18.a1_in1k`, `ResNet18_Weights.IMAGENET1K_V1`), a file, a folder, an
 * address, or a place on the hub (`timm/resnet18.a1_in1k`, `hf-hub:owner/name@revision`). What is downloaded is kept, with its checksum.
 * @throws DataError when they cannot be had, with what to do; ArgumentError for a name that nobody knows
 */
export async function obtainWeights(source: string, options: ObtainOptions = {}): Promise<Obtained> {
  const text = source.trim();
  if (existsSync(text)) {
    const place = path.resolve(text);
    return fromFile(statSync(place).isDirectory() ? inFolder(place) : place);
  }
  const page = /^https?:\/\/(?:www\.)?huggingface\.co\/([\w.-]+\/[\w.-]+)\/?$/.exec(text);
  if (page !== null) return fromHub(page[1] as string, options);
  if (/^https?:\/\//.test(text)) return fromUrl(text, options);
  const hub = /^(?:hf[-_]hub:)?([\w.-]+\/[\w.-]+(?:@[\w./-]+)?)$/.exec(text);
  const known = findWeights(text.replace(/^(timm|torchvision)\//, ''));
  if (known?.url !== undefined) return fromUrl(known.url, options, known);
  if (known !== undefined) return fromHub(`timm/${known.name}`, options, known);
  const looksLikeFile =
    extensions.includes(path.extname(text)) || /^[./~]|^[A-Za-z]:[\\/]/.test(text) || text.split('/').length > 2;
  if (hub !== null && !looksLikeFile) return fromHub(hub[1] as string, options);
  if (looksLikeFile) throw new DataError(`${text}: there is no such file of weights.`);
  const [architecture = ''] = text.split('.');
  if (text.includes('.') && timmArchitectures.includes(architecture)) return fromHub(`timm/${text}`, options);
  const near = nearest(
    text,
    knownWeights.flatMap(({ name, model }) => [name, model]),
  );
  throw new ArgumentError(
    `There are no weights known as '${text}'${near === undefined ? '.' : `; did you mean '${near}'?`} Give a name that praxis models --weights lists, a file, a folder, an address, or a place on the hub such as timm/resnet18.a1_in1k.`,
  );
}

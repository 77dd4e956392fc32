/** Settings from defaults, a configuration file and flags, checked against the schema; every complaint names the nearest right answer. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { z } from 'zod';
import { nearest } from '../../torch/errors.js';
import { ConfigError } from '../errors.js';
import { flagOf, type SettingName, settingNames, type TrainSettings, trainSchema } from './schema.js';

type Issue = z.core.$ZodIssue;

/** What a setting takes, in words: `'auto', or an integer above 0`. */
function expectations(issue: Issue): string[] {
  if (issue.code === 'invalid_union') return issue.errors.flatMap((issues) => issues.flatMap(expectations));
  if (issue.code === 'invalid_value') return issue.values.map((value) => JSON.stringify(value));
  if (issue.code === 'invalid_type') {
    const words: Record<string, string> = {
      int: 'a whole number',
      number: 'a number',
      string: 'text',
      boolean: 'true or false',
    };
    return [
      words[issue.expected] ??
        (issue.expected === 'tuple' ? 'a list' : issue.expected === 'object' ? 'an object' : `a ${issue.expected}`),
    ];
  }
  if (issue.code === 'too_small')
    return [
      issue.origin === 'string'
        ? 'text that is not empty'
        : `a number ${issue.inclusive ? 'of at least' : 'above'} ${issue.minimum}`,
    ];
  if (issue.code === 'too_big') return [`a number ${issue.inclusive ? 'of at most' : 'below'} ${issue.maximum}`];
  if (issue.code === 'invalid_format') return ["'auto', 'cpu', 'cuda', 'cuda:1' or 'mps'"];
  return [issue.message];
}

const listed = (items: readonly string[]): string =>
  items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} or ${items.at(-1)}`;

function valueAt(settings: unknown, place: readonly PropertyKey[]): unknown {
  let value = settings;
  for (const key of place) value = (value as Record<PropertyKey, unknown> | undefined)?.[key];
  return value;
}

function sentence(issue: Issue, given: unknown, where: string): string {
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    const near = nearest(key, settingNames);
    return `${where}: there is no setting '${key}'${near ? `; did you mean ${near}?` : `. Known: ${settingNames.join(', ')}.`}`;
  }
  const [name = ''] = issue.path as [string?];
  const value = valueAt(given, issue.path.slice(0, 1));
  if (issue.code === 'custom') return `${where}: ${name}: ${issue.message}, got ${JSON.stringify(value)}.`;
  const expected = [...new Set(expectations(issue))];
  const words = expected.filter((text) => text.startsWith('"')).map((text) => JSON.parse(text) as unknown);
  const near =
    typeof value === 'string'
      ? nearest(
          value,
          words.filter((word): word is string => typeof word === 'string'),
        )
      : undefined;
  return `${where}: ${name === '' ? 'the settings' : name} must be ${listed(expected)}, got ${JSON.stringify(value)}${near ? `; did you mean '${near}'?` : '.'}`;
}

/**
 * Checks settings and fills in the defaults.
 * @param where what the message begins with: a file's name, `train()`, `--flag`
 * @throws ConfigError with one sentence for the first thing that is wrong
 */
export function checkSettings(given: unknown, where: string): TrainSettings {
  const result = trainSchema.safeParse(given);
  if (result.success) return crossChecked(result.data, where);
  throw new ConfigError(sentence(result.error.issues[0] as Issue, given, where));
}

/** What no single field can know. */
function crossChecked(settings: TrainSettings, where: string): TrainSettings {
  if (typeof settings.mixup === 'number' && typeof settings.cutmix === 'number' && settings.augment === 'none')
    throw new ConfigError(
      `${where}: augment is 'none', but mixup and cutmix are on; set them off or choose another preset.`,
    );
  if (settings.precision === 'float16' && settings.device === 'cpu')
    throw new ConfigError(`${where}: float16 is slow and inexact on a CPU; use precision 'bfloat16' there.`);
  return settings;
}

const fileNames = ['praxis.config.ts', 'praxis.config.js', 'praxis.config.mjs', 'praxis.config.json'];

/** The configuration file of a folder, or undefined. */
export const findConfigFile = (folder: string): string | undefined =>
  fileNames.map((name) => path.join(folder, name)).find((file) => existsSync(file));

/**
 * Reads a configuration file: JSON, or a module whose default export is the settings.
 * @throws ConfigError when it cannot be read
 */
export async function readConfigFile(file: string): Promise<Record<string, unknown>> {
  const fail = (reason: string): never => {
    throw new ConfigError(`${file}: ${reason}`);
  };
  if (!existsSync(file)) fail('there is no such configuration file.');
  let settings: unknown;
  try {
    if (file.endsWith('.json')) settings = JSON.parse(readFileSync(file, 'utf8'));
    else {
      const { createJiti } = await import('jiti');
      // A configuration may import 'praxis' before the package is installed anywhere: it means this one.
      const self = new URL(import.meta.url.endsWith('.ts') ? 'define.ts' : 'define.js', import.meta.url);
      const jiti = createJiti(pathToFileURL(file).href, {
        fsCache: false,
        moduleCache: false,
        alias: { praxis: fileURLToPath(self) },
      });
      settings = await jiti.import(file, { default: true });
    }
  } catch (error) {
    fail(
      `cannot be read as ${file.endsWith('.json') ? 'JSON' : 'a module'}: ${(error as Error).message.split('\n')[0]}`,
    );
  }
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings))
    fail('the settings must be an object: export default { epochs: 40 }.');
  return settings as Record<string, unknown>;
}

/**
 * Turns the text of a flag into what the schema takes: numbers, booleans, `70/15/15`, `96x128`.
 * @throws ConfigError naming the flag
 */
export function parseFlag(name: SettingName, text: string | boolean): unknown {
  if (typeof text === 'boolean') return text;
  const trimmed = text.trim();
  if (name === 'split') {
    const numbers = trimmed.split(/[/,:]/).map(Number);
    if (numbers.length !== 3 || numbers.some((x) => !(x > 0)))
      throw new ConfigError(`--split takes three shares such as 70/15/15, got '${text}'.`);
    const sum = numbers.reduce((a, b) => a + b, 0);
    if (Math.abs(sum - 1) > 1e-6 && Math.abs(sum - 100) > 1e-6)
      throw new ConfigError(`--split: the shares must sum to 100 (or to 1), got ${sum} from '${text}'.`);
    return numbers.map((x) => x / sum);
  }
  if (name === 'size' && /^\d+\s*[x×]\s*\d+$/.test(trimmed)) return trimmed.split(/[x×]/).map(Number);
  if (name === 'budget' && /^[\d.]+\s*m(in)?$/.test(trimmed)) return Number.parseFloat(trimmed);
  if (['name', 'out', 'splitFile', 'exclude', 'model', 'pretrained', 'device'].includes(name)) return trimmed;
  if (/^(true|yes|on)$/.test(trimmed) && typeof trainSchema.shape[name].safeParse(true).data === 'boolean') return true;
  if (/^(false|no)$/.test(trimmed) && typeof trainSchema.shape[name].safeParse(true).data === 'boolean') return false;
  const number = Number(trimmed);
  return trimmed !== '' && !Number.isNaN(number) ? number : trimmed;
}

/**
 * The settings of a run: defaults, then the configuration file, then flags.
 * @param flags by setting name, as the command line gives them
 * @param options `config`: a file; without it `praxis.config.*` of `folder` is used where there is one
 */
export async function gatherSettings(
  flags: Readonly<Partial<Record<SettingName, string | boolean>>>,
  options: { readonly config?: string; readonly folder?: string } = {},
): Promise<{ settings: TrainSettings; file: string | undefined }> {
  const file = options.config ?? findConfigFile(options.folder ?? process.cwd());
  const fromFile = file === undefined ? {} : await readConfigFile(path.resolve(file));
  if (file !== undefined) checkSettings(fromFile, path.basename(file));
  const merged: Record<string, unknown> = { ...fromFile };
  for (const [name, text] of Object.entries(flags) as [SettingName, string | boolean | undefined][]) {
    if (text === undefined) continue;
    const value = parseFlag(name, text);
    // Checked one by one, so that the message names the flag.
    const alone = trainSchema.shape[name].safeParse(value);
    if (!alone.success) {
      const issue = { ...(alone.error.issues[0] as Issue), path: [name] } as Issue;
      throw new ConfigError(sentence(issue, { [name]: value }, `--${flagOf(name)}`).replace(`: ${name} must`, ' must'));
    }
    merged[name] = value;
  }
  return { settings: checkSettings(merged, file === undefined ? 'the settings' : path.basename(file)), file };
}

/** What the generator knows about the engines: their schemas, and which operators PyTorch shows as methods or functions. */
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type FunctionSchema, parseSchema } from '../../src/torch/schema.js';

const FOLDER = new URL('./', import.meta.url);

/** One overload of one operator, over all engines that have it. */
export interface Overload {
  /** Without namespace: `add`. */
  readonly name: string;
  readonly overload: string;
  /** As the preferred engine has it. */
  readonly schema: FunctionSchema;
  readonly text: string;
  readonly versions: readonly string[];
}

/** How PyTorch's Python shows an overload. */
export interface Binding {
  readonly isFunction: boolean;
  readonly isMethod: boolean;
  /** `linalg`, `fft`, `special`, `nn`, … or empty for `torch` itself. */
  readonly module: string;
}

export interface Snapshots {
  /** Ascending, e.g. `['1.13', '2.13', '2.14']`. */
  readonly versions: readonly string[];
  /** Key is the operator with its namespace and overload, e.g. `aten::add.Tensor`, sorted. */
  readonly overloads: ReadonlyMap<string, Overload>;
  /** Key is the operator without namespace, with overload: `add.Tensor`. */
  readonly bindings: ReadonlyMap<string, Binding>;
}

/** The version whose schema the types follow where engines differ: the one Praxis installs. */
const PREFERRED = '2.13';

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** Reads the committed snapshots; needs no engine and no Python. */
export function readSnapshots(): Snapshots {
  const versions = readdirSync(FOLDER)
    .map((file) => /^schemas-([\d.]+)\.txt\.gz$/.exec(file)?.[1])
    .filter((version) => version !== undefined)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const texts = new Map<string, Map<string, string>>();
  for (const version of versions) {
    const lines = gunzipSync(readFileSync(new URL(`schemas-${version}.txt.gz`, FOLDER))).toString('utf8');
    for (const line of lines.trim().split('\n')) {
      const key = line.slice(0, line.indexOf('('));
      const found = texts.get(key) ?? new Map<string, string>();
      texts.set(key, found.set(version, line));
    }
  }
  const overloads = new Map<string, Overload>();
  for (const key of [...texts.keys()].sort(byText)) {
    const perVersion = texts.get(key)!;
    const text = perVersion.get(PREFERRED) ?? [...perVersion.values()].at(-1)!;
    const schema = parseSchema(text);
    const name = schema.name.slice(schema.name.indexOf('::') + 2);
    overloads.set(key, { name, overload: schema.overload, schema, text, versions: [...perVersion.keys()] });
  }
  return { versions, overloads, bindings: readBindings() };
}

function readBindings(): Map<string, Binding> {
  const bindings = new Map<string, Binding>();
  for (const line of readFileSync(new URL('bindings.txt', FOLDER), 'utf8').trim().split('\n')) {
    const [key = '', variants = '', module = ''] = line.split(' ');
    bindings.set(key, { isFunction: variants.includes('f'), isMethod: variants.includes('m'), module });
  }
  return bindings;
}

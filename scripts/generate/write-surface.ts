/** Writes the interfaces of the methods of `Tensor` and the functions of `torch`. */
import { availability } from './availability.js';
import { type Signature, signaturesOf, writeParameters } from './signatures.js';
import type { Snapshots } from './snapshots.js';
import { summaryOf } from './summaries.js';
import { type FunctionSpace, functionSpaces, type Surface, type SurfaceOperator } from './surface.js';
import { heading, key } from './text.js';

const INTERFACES: Readonly<Record<FunctionSpace, readonly [name: string, what: string]>> = {
  torch: ['TorchFunctions', 'Functions of `torch`.'],
  linalg: ['TorchLinalgFunctions', 'Functions of `torch.linalg`.'],
  fft: ['TorchFftFunctions', 'Functions of `torch.fft`.'],
  special: ['TorchSpecialFunctions', 'Functions of `torch.special`.'],
  nn: [
    'TorchNnFunctions',
    'The operators behind `nn.functional`; they take numbers where `nn.functional` takes words.',
  ],
};

const IMPORTS = `import type { DeviceString, DType, Layout, MemoryFormat } from '../dtype.js';
import type { Generator } from '../generator.js';
import type { Tensor } from '../tensor.js';
import type { NamedTuple, Scalar } from '../types.js';

`;

export function writeMethods(surface: Surface, snapshots: Snapshots): string {
  let body =
    "/** Methods of `Tensor`; the tensor itself is the operator's `self`. */\nexport interface TensorMethods {\n";
  for (const operator of surface.methods) {
    body += writeOperator(operator, true, surface.varargsMethods.includes(operator.name), snapshots);
  }
  body += '}\n';
  return heading('Every operator that PyTorch shows as a method of `Tensor`.') + importsFor(body) + body;
}

export function writeFunctions(surface: Surface, snapshots: Snapshots): string {
  const body = functionSpaces.map((space) => {
    const [name, what] = INTERFACES[space];
    const operators = surface.functions[space].map((operator) => writeOperator(operator, false, false, snapshots));
    return `/** ${what} */\nexport interface ${name} {\n${operators.join('')}}\n`;
  });
  const text = body.join('\n');
  return (
    heading('Every operator that PyTorch shows as a function of `torch` or one of its modules.') +
    importsFor(text) +
    text
  );
}

/** Only the imports that are used, so that the compiler's check for unused ones may stay on. */
function importsFor(body: string): string {
  return IMPORTS.replace(/\{ ([^}]+) \}/g, (_, names: string) => {
    const used = names.split(', ').filter((name) => new RegExp(`\\b${name}\\b`).test(body));
    return `{ ${used.join(', ')} }`;
  }).replace(/^import type \{ {2}\}.*\n/gm, '');
}

function writeOperator(operator: SurfaceOperator, asMethod: boolean, varargs: boolean, snapshots: Snapshots): string {
  let text = '';
  for (const signature of signaturesOf(operator, asMethod)) {
    const lists = [...(varargs ? spread(signature) : []), ...writeParameters(signature, asMethod)];
    for (const [index, list] of lists.entries()) {
      // Editors show the comment of the signature that fits, so the sentence stands at each and the schema at the first.
      text += index === 0 ? documentation(operator, signature, snapshots) : summaryComment(operator);
      text += `  ${key(operator.name)}${list}: ${signature.result};\n`;
    }
  }
  return text;
}

/** `(...size: number[])` beside `(size: readonly number[])`. */
function spread(signature: Signature): string[] {
  const [only, ...more] = signature.parameters.filter((parameter) => !parameter.keywordOnly);
  if (only === undefined || more.length > 0 || !only.types.includes('readonly number[]')) return [];
  return [`(...${only.name}: number[])`];
}

function summaryComment(operator: SurfaceOperator): string {
  const summary = summaryOf(operator.aten);
  return summary === undefined ? '' : `  /** ${summary} */\n`;
}

function documentation(operator: SurfaceOperator, signature: Signature, snapshots: Snapshots): string {
  const lines = [summaryOf(operator.aten), ...signature.overloads.map((overload) => `\`${overload.text.slice(6)}\``)];
  const versions = snapshots.versions.filter((v) =>
    signature.overloads.some((overload) => overload.versions.includes(v)),
  );
  lines.push(availability(versions, snapshots.versions));
  const present = lines.filter((line) => line !== undefined);
  if (present.length === 1) return `  /** ${present[0]} */\n`;
  return `  /**\n${present.map((line) => `   * ${line}\n`).join('   *\n')}   */\n`;
}

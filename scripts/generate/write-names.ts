/** Writes the tables of names that run time needs: what to install where, and nothing about arguments. */
import { functionSpaces, type Surface, type SurfaceOperator } from './surface.js';
import { heading, key } from './text.js';

export function writeNames(surface: Surface): string {
  let text = heading(
    'TypeScript name → operator name (without `aten::`), for methods of `Tensor` and functions of `torch`.',
  );
  text += '/** Methods of `Tensor`. */\n';
  text += table('methodNames', surface.methods);
  for (const space of functionSpaces) {
    text += `\n/** Functions of \`${space === 'torch' ? 'torch' : space === 'nn' ? 'nn.functional' : `torch.${space}`}\`. */\n`;
    text += table(`${space}FunctionNames`, surface.functions[space]);
  }
  text +=
    '\n/** Methods, by TypeScript name, whose list of integers may be spread: `x.view(2, 3)` is `x.view([2, 3])`. */\n';
  text += 'export const varargsMethods: ReadonlySet<string> = new Set([\n';
  for (const name of surface.varargsMethods) text += `  '${name}',\n`;
  text += ']);\n\n';
  text +=
    '/** Methods, by TypeScript name, whose operator has `self` elsewhere than in front, and where; `where` is called `where(condition, self, other)`. */\n';
  text += 'export const selfPositions: Readonly<Record<string, number>> = {\n';
  for (const [name, position] of Object.entries(surface.selfPositions)) text += `  ${key(name)}: ${position},\n`;
  return `${text}};\n`;
}

function table(name: string, operators: readonly SurfaceOperator[]): string {
  let text = `export const ${name}: Readonly<Record<string, string>> = {\n`;
  for (const operator of operators) text += `  ${key(operator.name)}: '${operator.aten}',\n`;
  return `${text}};\n`;
}

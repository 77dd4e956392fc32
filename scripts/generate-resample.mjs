// Compiles src/data/pictures/resample.wat into src/data/pictures/resample-simd.generated.ts: node scripts/generate-resample.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import wabt from 'wabt';

const folder = new URL('../src/data/pictures/', import.meta.url);
const source = readFileSync(new URL('resample.wat', folder), 'utf8');
const { parseWat } = await wabt();
const { buffer } = parseWat('resample.wat', source, { simd: true }).toBinary({});
const lines = Buffer.from(buffer)
  .toString('base64')
  .match(/.{1,110}/g)
  ?.map((line) => `  '${line}',`)
  .join('\n');
writeFileSync(
  new URL('resample-simd.generated.ts', folder),
  `// Generated from resample.wat by scripts/generate-resample.mjs.

/** The WebAssembly module, in base64. */
export const resampleModule: string = [
${lines}
].join('');
`,
);

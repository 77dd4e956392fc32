/** Writes test/golden/nn.pt with the Python of the parity tests: what PyTorch computes in the cases of nn marked golden. */
import { fileURLToPath } from 'node:url';
import { forPython } from '../../test/nn/case.js';
import { allCases } from '../../test/nn/cases.js';
import { runPython } from '../../test/support/python.js';

const at = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const failures = runPython<Record<string, string>>(
  [at('nn.py'), at('../../test/golden/nn.pt'), 'golden'],
  forPython(allCases),
);
if (Object.keys(failures).length > 0) throw new Error(JSON.stringify(failures, null, 2));

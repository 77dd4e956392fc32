/** Praxis: deep learning in practice. The engine (`torch`) is libtorch; everything else is TypeScript. */
export * as F from './nn/functional.js';
export * as nn from './nn/index.js';
export * as optim from './optim/index.js';
export * from './torch/index.js';

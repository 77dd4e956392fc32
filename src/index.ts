/** Praxis: deep learning in practice. The engine (`torch`) is libtorch; everything else is TypeScript. */
export * from './data/index.js';
export * from './look/index.js';
export * from './look/quiz/index.js';
export * from './models/index.js';
export * as F from './nn/functional.js';
export * as nn from './nn/index.js';
export * from './onnx/index.js';
export * as optim from './optim/index.js';
export * from './report/index.js';
export * from './torch/index.js';
export * from './track/index.js';
export * from './train/index.js';

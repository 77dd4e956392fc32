/** Praxis: deep learning in practice. The engine (`torch`) is libtorch; everything else is TypeScript. */
export * from './torch/index.js';

/** Networks as ONNX files. */
export { OnnxError } from './errors.js';
export { exportOnnx, type OnnxOptions, toOnnx } from './export.js';

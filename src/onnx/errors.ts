/** A model that cannot be written as ONNX. The message is one sentence: which operator or module, and what to do. */
export class OnnxError extends Error {
  override readonly name = 'OnnxError';
}

/**
 * ONNX's messages, as much of them as an exported network needs.
 * Source: onnx/onnx.proto, https://github.com/onnx/onnx
 */
import type { DType } from '../torch/index.js';
import { bytes, chosenInteger, type Field, float, integer, message, text } from '../track/tensorboard/protobuf.js';
import { OnnxError } from './errors.js';

/** TensorProto.DataType. */
const elementTypes: Readonly<Partial<Record<DType, number>>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
};

/** The code of an element type. @throws OnnxError for one that ONNX does not have */
export function elementType(dtype: DType): number {
  const code = elementTypes[dtype];
  if (code === undefined) throw new OnnxError(`ONNX has no tensors of ${dtype}.`);
  return code;
}

/** Numbers in the bytes of their type, little-endian. */
export interface TensorData {
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly bytes: Uint8Array;
}

/** A dimension: a number, or the name of one that is known only when the network runs. */
export type NamedDimension = number | string;

export interface ValueInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly NamedDimension[];
}

/** `{ float: 2 }` is a float attribute that JavaScript would take for an integer. */
export type Attribute = number | string | readonly number[] | { readonly float: number };

export interface NodeInfo {
  readonly operator: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface ModelInfo {
  readonly opset: number;
  readonly producerVersion: string;
  readonly name: string;
  readonly description: string;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly initializers: ReadonlyMap<string, TensorData>;
  readonly nodes: readonly NodeInfo[];
  readonly metadata: Readonly<Record<string, string>>;
}

const attributeType = { float: 1, integer: 2, string: 3, integers: 7 } as const;

function attribute(name: string, value: Attribute): Uint8Array {
  const type = (code: number): Field => integer(20, code);
  const head = text(1, name);
  if (typeof value === 'number') return message(head, chosenInteger(3, value), type(attributeType.integer));
  if (typeof value === 'string') return message(head, bytes(4, value), type(attributeType.string));
  if ('float' in value) return message(head, float(2, value.float), type(attributeType.float));
  return message(head, ...value.map((one) => chosenInteger(8, one)), type(attributeType.integers));
}

const tensor = (name: string, data: TensorData): Uint8Array =>
  message(
    ...data.dims.map((size) => chosenInteger(1, size)),
    integer(2, elementType(data.dtype)),
    text(8, name),
    bytes(9, data.bytes),
  );

const node = (info: NodeInfo): Uint8Array =>
  message(
    // An input that is left out has an empty name.
    ...info.inputs.map((name) => bytes(1, name)),
    ...info.outputs.map((name) => bytes(2, name)),
    text(3, info.name),
    text(4, info.operator),
    ...Object.entries(info.attributes).map(([name, value]) => bytes(5, attribute(name, value))),
  );

function valueInfo({ name, dtype, shape }: ValueInfo): Uint8Array {
  const dimensions = shape.map((size) =>
    bytes(1, typeof size === 'number' ? chosenInteger(1, size) : message(text(2, size))),
  );
  const tensorType = message(integer(1, elementType(dtype)), bytes(2, message(...dimensions)));
  return message(text(1, name), bytes(2, message(bytes(1, tensorType))));
}

/** The file format's version that came with a version of the operators. */
const formatOf = (opset: number): number => (opset <= 14 ? 7 : opset <= 18 ? 8 : opset <= 20 ? 9 : 10);

/** No message of protobuf may be larger. */
const largest = 2 ** 31 - 1;

/** The bytes of an `.onnx` file. @throws OnnxError when they would be more than 2 GiB, protobuf's limit */
export function encodeModel(model: ModelInfo): Uint8Array {
  const weights = [...model.initializers.values()].reduce((sum, { bytes: data }) => sum + data.byteLength, 0);
  if (weights > largest - 2 ** 24)
    throw new OnnxError(
      `The weights take ${(weights / 2 ** 30).toFixed(1)} GiB, and an ONNX file holds at most 2; export a smaller network, or to safetensors.`,
    );
  const graph = message(
    ...model.nodes.map((info) => bytes(1, node(info))),
    text(2, model.name),
    ...[...model.initializers].map(([name, data]) => bytes(5, tensor(name, data))),
    text(10, model.description),
    ...model.inputs.map((info) => bytes(11, valueInfo(info))),
    ...model.outputs.map((info) => bytes(12, valueInfo(info))),
  );
  return message(
    integer(1, formatOf(model.opset)),
    text(2, 'praxis'),
    text(3, model.producerVersion),
    bytes(7, graph),
    bytes(8, message(integer(2, model.opset))),
    ...Object.entries(model.metadata).map(([key, value]) => bytes(14, message(text(1, key), bytes(2, value)))),
  );
}

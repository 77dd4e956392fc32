/**
 * TensorBoard's messages.
 * Source: tensorboard/compat/proto/{event,summary,tensor,graph,node_def,attr_value}.proto and tensorboard/plugins/hparams/*.proto,
 * https://github.com/tensorflow/tensorboard
 */
import {
  bytes,
  chosenInteger,
  double,
  doubles,
  type Field,
  float,
  floats,
  integer,
  message,
  text,
} from './protobuf.js';
import type { Histogram } from './values.js';

/** An Event: `content` is one of the fields below. */
export const event = (wallTime: number, step: number, content: Field): Uint8Array =>
  message(double(1, wallTime), integer(2, step), content);

/** The first event of a file. */
export const fileVersion = (): Field => text(3, 'brain.Event:2');
/** A graph. */
export const graphDefinition = (graph: Uint8Array): Field => bytes(4, graph);
/** Summaries: of values. */
export const summary = (...values: readonly Uint8Array[]): Field =>
  bytes(5, message(...values.map((value) => bytes(1, value))));
/** A session that starts again at the event's step: what was logged at and beyond it before is void. */
export const sessionStart = (): Field => bytes(7, message(integer(1, 1)));

export const scalarValue = (tag: string, value: number): Uint8Array => message(text(1, tag), float(2, value));

export const imageValue = (
  tag: string,
  image: { readonly height: number; readonly width: number; readonly channels: number; readonly png: Uint8Array },
): Uint8Array =>
  message(
    text(1, tag),
    bytes(
      4,
      message(integer(1, image.height), integer(2, image.width), integer(3, image.channels), bytes(4, image.png)),
    ),
  );

export const histogramValue = (tag: string, histogram: Histogram): Uint8Array =>
  message(
    text(1, tag),
    bytes(
      5,
      message(
        double(1, histogram.min),
        double(2, histogram.max),
        double(3, histogram.num),
        double(4, histogram.sum),
        double(5, histogram.sumSquares),
        doubles(6, histogram.bucketLimit),
        doubles(7, histogram.bucket),
      ),
    ),
  );

/** Which plugin a value is for, and what it wants to know. */
const metadata = (plugin: string, content: Uint8Array): Uint8Array =>
  bytes(9, message(bytes(1, message(text(1, plugin), content.byteLength === 0 ? undefined : bytes(2, content)))));

const shape = (...sizes: readonly number[]): Uint8Array =>
  message(...sizes.map((size) => bytes(2, message(integer(1, size)))));

const FLOAT = 1;
const STRING = 7;

export const textValue = (tag: string, markdown: string): Uint8Array =>
  message(
    text(1, `${tag}/text_summary`),
    bytes(8, message(integer(1, STRING), bytes(2, shape(1)), bytes(8, markdown))),
    metadata('text', message()),
  );

/** Rows: true positives, false positives, true negatives, false negatives, precision, recall; a column per threshold. */
export const curveValue = (tag: string, rows: readonly (readonly number[])[]): Uint8Array => {
  const thresholds = rows[0]?.length ?? 0;
  return message(
    text(1, tag),
    bytes(8, message(integer(1, FLOAT), bytes(2, shape(rows.length, thresholds)), floats(5, rows.flat()))),
    metadata('pr_curves', message(integer(2, thresholds))),
  );
};

/** A hyperparameter: what TensorBoard can filter and sort by. */
export type HyperParameter = number | string | boolean;

function plainValue(value: HyperParameter): Uint8Array {
  if (typeof value === 'number') return double(2, value);
  return typeof value === 'string' ? bytes(3, value) : chosenInteger(4, value);
}

const hyperParameterTypes = { string: 1, boolean: 2, number: 3 } as const;

const hyperParameterSummary = (tag: string, content: Uint8Array): Uint8Array =>
  message(text(1, tag), metadata('hparams', content));

/** The three values by which TensorBoard knows a run's hyperparameters and which scalars are its results. */
export function hyperParameterValues(
  parameters: Readonly<Record<string, HyperParameter>>,
  metrics: readonly string[],
): Uint8Array[] {
  const entries = Object.entries(parameters);
  const experiment = message(
    ...entries.map(([name, value]) =>
      bytes(
        4,
        message(text(1, name), integer(4, hyperParameterTypes[typeof value as keyof typeof hyperParameterTypes])),
      ),
    ),
    ...metrics.map((tag) => bytes(5, message(bytes(1, message(text(2, tag)))))),
  );
  const start = message(
    ...entries.map(([name, value]) => bytes(1, message(text(1, name), bytes(2, plainValue(value))))),
  );
  const success = 1;
  return [
    hyperParameterSummary('_hparams_/experiment', message(bytes(2, experiment))),
    hyperParameterSummary('_hparams_/session_start_info', message(bytes(3, start))),
    hyperParameterSummary('_hparams_/session_end_info', message(bytes(4, message(integer(1, success))))),
  ];
}

/** A node of a graph: a name with `/` between levels, and the names of the nodes whose outputs it takes. */
export interface GraphNode {
  readonly name: string;
  readonly operation: string;
  readonly inputs: readonly string[];
  readonly attributes?: Readonly<Record<string, string>>;
  readonly outputShape?: readonly number[];
}

export function graph(nodes: readonly GraphNode[]): Uint8Array {
  const attribute = (name: string, value: Uint8Array) => bytes(5, message(text(1, name), bytes(2, value)));
  const minimumProducer = 22;
  return message(
    ...nodes.map((node) =>
      bytes(
        1,
        message(
          text(1, node.name),
          text(2, node.operation),
          ...node.inputs.map((input) => bytes(3, input)),
          ...(node.outputShape === undefined
            ? []
            : [attribute('_output_shapes', bytes(1, bytes(7, shape(...node.outputShape))))]),
          ...Object.entries(node.attributes ?? {}).map(([name, value]) => attribute(name, bytes(2, value))),
        ),
      ),
    ),
    bytes(4, message(integer(1, minimumProducer))),
  );
}

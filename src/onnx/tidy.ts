/** Last steps over a graph: outputs get the names that were asked for, and what leads nowhere is left out. */
import type { Graph } from './graph.js';
import type { NodeInfo, TensorData } from './proto.js';

interface Parts {
  readonly nodes: readonly NodeInfo[];
  readonly initializers: ReadonlyMap<string, TensorData>;
}

/** @param wanted name of each output → the value that it is */
export function renamed(graph: Graph, wanted: ReadonlyMap<string, string>): Parts {
  const produced = new Set(graph.nodes.flatMap((node) => node.outputs));
  const names = new Map<string, string>();
  const copies: NodeInfo[] = [];
  for (const [name, value] of wanted) {
    // One value may be several outputs, or be no node's: an input, a weight.
    if (produced.has(value) && !names.has(value) && !produced.has(name)) names.set(value, name);
    else
      copies.push({
        operator: 'Identity',
        name: graph.unique('/Identity'),
        inputs: [value],
        outputs: [name],
        attributes: {},
      });
  }
  const change = (name: string): string => names.get(name) ?? name;
  return {
    nodes: [...graph.nodes, ...copies].map((node) => ({
      ...node,
      inputs: node.inputs.map(change),
      outputs: node.outputs.map(change),
    })),
    initializers: graph.initializers,
  };
}

/** Without the nodes and constants that no output needs. */
export function pruned({ nodes, initializers }: Parts, outputs: readonly string[]): Parts {
  const needed = new Set(outputs);
  const kept: NodeInfo[] = [];
  for (const node of [...nodes].reverse()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    for (const name of node.inputs) if (name !== '') needed.add(name);
    kept.push(node);
  }
  return {
    nodes: kept.reverse(),
    initializers: new Map([...initializers].filter(([name]) => needed.has(name))),
  };
}

/** `nn`: networks. Modules and layers hold what is learnt, `F` computes without holding anything. */

export type { BackwardHook, ForwardHook, ForwardPreHook } from './hooks.js';
export * from './module.js';
export { Buffer, type BufferOptions, Parameter, type ParameterOptions } from './parameter.js';
export type { LoadStateDictOptions, LoadStateDictResult, StateDict } from './state-dict.js';
export { StateDictError } from './state-dict.js';

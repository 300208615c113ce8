/**
 * Devices that compile pure functions of TensorFlow.js tensors, and what such functions are made of.
 *
 * ```ts
 * import { openDevice } from "laebench/engine";
 *
 * await using device = await openDevice("cpu", { threads: 1 });
 * ```
 *
 * @module
 */
export { createNoise, draws, foldIn, type Key, keyOf } from "../core/noise.ts";
export { repeat } from "../core/repeat.ts";
export { flatten, unflatten } from "../core/tree.ts";
export type {
  ArraySpec,
  Device,
  DeviceState,
  DType,
  HostArray,
  HostArrays,
  Noise,
  Program,
  PureFunction,
  State,
  Tree,
} from "../core/types.ts";
export { DEVICES, openDevice } from "../engine/device.ts";

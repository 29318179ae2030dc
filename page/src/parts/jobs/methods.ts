import type { Text } from "../../shell/text";

const DESCRIBED = [
  "rcnn",
  "fast-rcnn",
  "faster-rcnn",
  "mask-rcnn",
  "ssd",
  "retinanet",
  "fcos",
  "fcn",
  "unet",
  "deeplab-v3",
  "classifier",
] as const;

/** One sentence on a method; "" for one that this page does not know. */
export function describeMethod(method: string, text: Text): string {
  const known = DESCRIBED.find((name) => name === method);
  return known ? text(`jobs.methods.${known}`) : "";
}

/** The method to offer first: a quick one where there is one. */
export function firstMethod(methods: readonly string[]): string {
  return ["ssd", "unet", "classifier"].find((name) => methods.includes(name)) ?? methods[0] ?? "";
}

import { boxColor } from "../../parts/colors";
import { outlinePath } from "../../parts/outlines";
import type { Box, Shape } from "../../parts/photo-view";
import { decodeMask } from "../../parts/rle";
import type { Model, PhotoResult } from "./predictions";

export type FoundObject = NonNullable<PhotoResult["objects"]>[number];

/** An object, ready to be drawn. */
export interface DrawnObject {
  found: FoundObject;
  shape: Shape;
}

/** What is shown of a result. */
export interface Filter {
  minScore: number;
  hidden: ReadonlySet<string>;
}

/** All objects of a result, with their outlines. This is the slow part, and happens once per result. */
export function drawObjects(objects: readonly FoundObject[], model: Model): DrawnObject[] {
  return objects.map((found, id) => {
    const mask = found.mask ? decodeMask(found.mask) : null;
    const color = boxColor(Math.max(0, model.class_names.indexOf(found.class)));
    const shape: Shape = { id, box: found.box as unknown as Box, color, name: found.class };
    if (mask) shape.path = outlinePath(mask);
    return { found, shape };
  });
}

export function isShown({ score, class: name }: FoundObject, { minScore, hidden }: Filter): boolean {
  return score >= minScore && !hidden.has(name);
}

/** How many objects of each class have at least a score. */
export function countClasses(objects: readonly FoundObject[], minScore: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { class: name, score } of objects) {
    if (score >= minScore) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

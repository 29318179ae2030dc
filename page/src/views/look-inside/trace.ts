import { type Box, boxesNamed, type Explanation, stageNamed } from "./explanation";

/** Where a detection comes from, stage by stage. What a method does not have is undefined. */
export interface Trace {
  name: string;
  score: number;
  /** The anchor that it began with; a point is a box without extent. */
  anchor: Box | undefined;
  /** Of the map that the anchor or point belongs to. */
  stride: number | undefined;
  objectness: number | undefined;
  proposal: Box | undefined;
  /** After the regression, before NMS. */
  moved: Box | undefined;
  /** How many boxes NMS removed for overlapping it. */
  removed: number;
  box: Box;
}

/** The trace of one of the followed objects. */
export function traceOf(explanation: Explanation, object: number): Trace {
  const found = explanation.objects[object];
  if (!found) throw new RangeError(`there is no object ${object}`);
  const proposals = stageNamed(explanation, "proposals");
  const winners = stageNamed(explanation, "winners");
  const anchors = boxesNamed(proposals, "anchors-of-objects") ?? boxesNamed(winners, "starts");
  const moved =
    boxesNamed(stageNamed(explanation, "box-regression"), "after") ?? boxesNamed(winners, "boxes");
  const candidates = boxesNamed(stageNamed(explanation, "nms"), "candidates");
  return {
    name: found.class,
    score: found.score,
    anchor: anchors?.boxes[object],
    stride: anchors?.strides?.[object],
    objectness: winners ? undefined : anchors?.scores?.[object],
    proposal: boxesNamed(proposals, "proposals-of-objects")?.boxes[object],
    moved: moved?.boxes[object],
    removed: (candidates?.objects ?? []).filter((each) => each === object).length - 1,
    box: found.box,
  };
}

/** How far the edges of a box lie from those of another, at most, in pixels of the photo. */
export function distance(one: Box, other: Box): number {
  return Math.max(...one.map((edge, side) => Math.abs(edge - (other[side] ?? edge))));
}

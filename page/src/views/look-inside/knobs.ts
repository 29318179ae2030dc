import { boxesNamed, type Layer, layersOf, type Stage } from "./explanation";
import type { Trace } from "./trace";

/** What the user has set. What is per stage is by the name of the stage. */
export interface Knobs {
  /** The followed object; null: all. */
  object: number | null;
  /** The chosen layer of a stage that has several, one at a time. */
  choice: Readonly<Record<string, number>>;
  /** The lowest score that is shown. */
  score: Readonly<Record<string, number>>;
  /** How many proposals are shown. */
  count: number;
  /** Whether the boxes that NMS removed are shown. */
  removed: boolean;
}

export const FIRST_KNOBS: Knobs = { object: null, choice: {}, score: {}, count: 30, removed: true };

/** The lowest score that stages show at first, unless the objects have lower ones; 0 elsewhere. */
const FIRST_SCORES: Readonly<Record<string, number>> = { scores: 0.3, nms: 0.25, detections: 0.5 };

/** The layers that are shown one at a time. */
export function choicesOf(stage: Stage): Layer[] {
  const boxes = boxesNamed(stage, "before-nms") ? layersOf(stage, "boxes").slice(0, 2) : [];
  const rasters = stage.layers.filter(
    (layer) => !["boxes", "details"].includes(layer.kind) && layer.name !== "masks",
  );
  return [...boxes, ...rasters];
}

/** The number of the layer that is shown: the user's, that of the followed object, or the first choice. */
export function choiceOf(stage: Stage, knobs: Knobs, trace: Trace | undefined): number {
  const choices = choicesOf(stage);
  const chosen = knobs.choice[stage.name];
  if (chosen !== undefined) return chosen;
  if (trace?.stride !== undefined) {
    const level = choices.findIndex((layer) => "stride" in layer && layer.stride === trace.stride);
    if (level >= 0) return level;
  }
  return firstChoice(stage.name, choices);
}

function firstChoice(name: string, choices: Layer[]): number {
  if (name === "regions") {
    const few = choices.findIndex((layer) => layer.kind === "picture" && (layer.count ?? 0) <= 64);
    return Math.max(0, few);
  }
  if (name === "anchors") return Math.floor((choices.length - 1) / 2);
  const isLast = name === "proposals" || choices.some((layer) => layer.name === "step");
  return isLast ? choices.length - 1 : 0;
}

/** Whether the scores of a stage can be cut off. */
export function hasScores(stage: Stage): boolean {
  return ["scored", "candidates", "detections"].some((name) => boxesNamed(stage, name)) || isScoreMap(stage);
}

function isScoreMap(stage: Stage): boolean {
  return layersOf(stage, "map").some((layer) => layer.center === 0 || SCORE_MAPS.includes(layer.name));
}

const SCORE_MAPS = ["objectness", "class_scores", "centerness", "scores", "probability"];

/** The lowest score that is shown in a stage. */
export function scoreOf(stage: Stage, knobs: Knobs): number {
  return knobs.score[stage.name] ?? firstScore(stage);
}

/** So low that the followed objects are shown, and what NMS removed in their favor; not lower. */
function firstScore(stage: Stage): number {
  const [layer] = layersOf(stage, "boxes").filter((each) => each.scores);
  const first = FIRST_SCORES[stage.name];
  if (!layer?.scores || first === undefined) return 0;
  const { scores, objects } = layer;
  const isFollowed = (row: number) => !objects || typeof objects[row] === "number";
  const kept = scores.filter((_, row) => isFollowed(row) && (layer.states?.[row] ?? "kept") === "kept");
  const lowest = objects ? Math.min(...kept) : Math.max(0, ...kept);
  return Math.floor(100 * Math.min(first, stage.name === "detections" ? lowest : lowest / 2)) / 100;
}

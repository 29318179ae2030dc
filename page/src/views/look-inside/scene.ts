import { boxColor, distinctColor } from "../../parts/colors";
import {
  type AnchorLayer,
  type Box,
  type BoxLayer,
  boxesNamed,
  detailsOf,
  type Explanation,
  type Layer,
  layersOf,
  type Stage,
} from "./explanation";
import { choiceOf, choicesOf, type Knobs, scoreOf } from "./knobs";
import { overlay } from "./overlay";
import { type Trace, traceOf } from "./trace";

export const GRAY = "#B8B8B8"; // of what belongs to no followed object

/** A box or a point over the photo. */
export interface Mark {
  box: Box;
  color: string;
  weight: "thin" | "thick";
  isDashed?: boolean;
  name?: string;
  /** Lines from the middle of the box, which is a point, to the edges of this one. */
  reaches?: Box | undefined;
  /** Lines that divide the box into so many rows and columns. */
  cells?: number;
}

/** What a stage draws over the photo. */
export interface Scene {
  /** The layer that covers the area of the stage; undefined: the photo as it is. */
  raster: Layer | undefined;
  /** Values of the raster below this one are clear; null: none. */
  lowest: number | null;
  /** The objects whose masks are not shown, by number. */
  hidden: ReadonlySet<string>;
  marks: Mark[];
}

/** Everything that the marks of a stage depend on. */
export interface View {
  explanation: Explanation;
  stage: Stage;
  knobs: Knobs;
  traces: Trace[];
}

export function viewOf(explanation: Explanation, stage: Stage, knobs: Knobs): View {
  const traces = explanation.objects.map((_, object) => traceOf(explanation, object));
  return { explanation, stage, knobs, traces };
}

/** The layer that a stage shows of those that it shows one at a time. */
export function chosenLayer({ stage, knobs, traces }: View): Layer | undefined {
  const trace = knobs.object === null ? undefined : traces[knobs.object];
  return choicesOf(stage)[choiceOf(stage, knobs, trace)];
}

export function sceneOf(view: View): Scene {
  const chosen = chosenLayer(view);
  const masks = layersOf(view.stage, "labels").find((layer) => layer.name === "masks");
  const covers = chosen && ["map", "labels", "picture"].includes(chosen.kind);
  const lowest = scoreOf(view.stage, view.knobs);
  return {
    raster: covers ? chosen : masks,
    lowest: lowest > 0 ? lowest : null,
    hidden: masks ? hiddenObjects(view) : NONE,
    marks: [...ownMarks(view, chosen), ...overlay(view)],
  };
}

const NONE: ReadonlySet<string> = new Set();

/** The detections that are not drawn. */
function hiddenObjects(view: View): ReadonlySet<string> {
  const detections = boxesNamed(view.stage, "detections");
  const shown = new Set(detections ? shownRows(view, detections) : []);
  const rows = (detections?.boxes ?? []).map((_, row) => row);
  return new Set(rows.filter((row) => !shown.has(row)).map(String));
}

function ownMarks(view: View, chosen: Layer | undefined): Mark[] {
  const { stage, knobs } = view;
  if (chosen?.kind === "anchors") return anchorMarks(chosen);
  if (stage.name === "proposals") {
    const layer = chosen?.kind === "boxes" ? chosen : boxesNamed(stage, "proposals");
    return (layer?.boxes ?? []).slice(0, knobs.count).map((box, n) => thin(box, boxColor(n)));
  }
  const scored = boxesNamed(stage, "scored");
  if (scored) return scoredMarks(view, scored);
  const candidates = boxesNamed(stage, "candidates");
  if (candidates) return candidateMarks(view, candidates);
  const detections = boxesNamed(stage, "detections");
  if (detections) return detectionMarks(view, detections);
  return detailMarks(view);
}

function thin(box: Box, color: string): Mark {
  return { box, color, weight: "thin" };
}

function anchorMarks(layer: AnchorLayer): Mark[] {
  return layer.middle.map((box, number) => ({ box, color: distinctColor(number), weight: "thick" }));
}

/** The proposals by their best class, with at least the lowest score. */
function scoredMarks(view: View, layer: BoxLayer): Mark[] {
  const lowest = scoreOf(view.stage, view.knobs);
  return rowsOf(layer, lowest).map((row) => thin(boxAt(layer, row), colorOfClass(view, layer, row)));
}

/** The boxes around NMS in the colors of the objects, the removed ones first and thin. */
function candidateMarks({ stage, knobs }: View, layer: BoxLayer): Mark[] {
  const rows = rowsOf(layer, scoreOf(stage, knobs));
  const isMine = (row: number) => knobs.object === null || layer.objects?.[row] === knobs.object;
  const color = (row: number) => {
    const object = layer.objects?.[row];
    return object === null || object === undefined ? GRAY : distinctColor(object);
  };
  const removed = rows.filter((row) => layer.states?.[row] !== "kept" && knobs.removed && isMine(row));
  const kept = rows.filter((row) => layer.states?.[row] === "kept" && isMine(row));
  return [
    ...removed.map((row) => thin(boxAt(layer, row), color(row))),
    ...kept.map((row): Mark => {
      const isFollowed = typeof layer.objects?.[row] === "number";
      const shown = isFollowed ? named(layer, row) : { box: boxAt(layer, row) };
      return { ...shown, color: color(row), weight: isFollowed ? "thick" : "thin" };
    }),
  ];
}

function detectionMarks(view: View, layer: BoxLayer): Mark[] {
  return shownRows(view, layer).map((row) => ({
    ...named(layer, row),
    color: distinctColor(row),
    weight: "thick",
  }));
}

function shownRows({ stage, knobs }: View, layer: BoxLayer): number[] {
  const rows = rowsOf(layer, scoreOf(stage, knobs));
  return rows.filter((row) => knobs.object === null || row === knobs.object);
}

/** The parts that are shown in detail, by number. Regions have their cells. */
function detailMarks({ stage, knobs }: View): Mark[] {
  const details = detailsOf(stage);
  if (details.length < 2 && stage.name === "scores") return []; // the whole photo
  return details.flatMap((detail, index) => {
    const object = detail.objects[0];
    if (knobs.object !== null && !detail.objects.includes(knobs.object)) return [];
    const color = object === undefined ? GRAY : distinctColor(object);
    const cells = stage.name === "roi-pooling" ? (detail.cells?.width ?? 1) : 1;
    return [{ box: detail.box, color, weight: "thin", name: `${index + 1}`, cells } satisfies Mark];
  });
}

function rowsOf(layer: BoxLayer, lowest: number): number[] {
  return layer.boxes.map((_, row) => row).filter((row) => (layer.scores?.[row] ?? 1) >= lowest);
}

function boxAt(layer: BoxLayer, row: number): Box {
  return layer.boxes[row] ?? [];
}

/** A box with its class and score. */
function named(layer: BoxLayer, row: number): Pick<Mark, "box" | "name"> {
  return { box: boxAt(layer, row), name: `${layer.classes?.[row]} ${layer.scores?.[row]?.toFixed(2)}` };
}

function colorOfClass({ explanation }: View, layer: BoxLayer, row: number): string {
  return boxColor(explanation.class_names.indexOf(layer.classes?.[row] ?? ""));
}

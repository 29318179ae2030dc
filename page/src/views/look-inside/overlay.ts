import { distinctColor } from "../../parts/colors";
import type { Box } from "./explanation";
import type { Mark, View } from "./scene";
import type { Trace } from "./trace";

/** What of a followed object a stage shows: where the object is at that stage. */
const PLACES: Readonly<Record<string, readonly (keyof Trace & ("anchor" | "proposal" | "moved" | "box"))[]>> =
  {
    image: ["box"],
    features: ["box"],
    regions: ["proposal"],
    anchors: ["anchor"],
    objectness: ["anchor"],
    "class-scores": ["anchor"],
    centerness: ["anchor"],
    proposals: ["anchor", "proposal"],
    "box-regression": ["proposal", "moved"],
    winners: ["anchor", "moved"],
  };

/** The marks of the followed object in a stage; without one, those of all where the stage is about them. */
export function overlay({ stage, knobs, traces }: View): Mark[] {
  const isAboutAll = stage.name === "box-regression" || stage.name === "winners";
  return traces.flatMap((trace, object) => {
    if (knobs.object === null ? !isAboutAll : object !== knobs.object) return [];
    return placesOf(trace, stage.name).map((mark) => ({ ...mark, color: distinctColor(object) }));
  });
}

function placesOf(trace: Trace, stage: string): Omit<Mark, "color">[] {
  const places = stage === "scores" && trace.anchor && !trace.proposal ? ["anchor" as const] : PLACES[stage];
  const shown = (places ?? []).filter((place) => trace[place] !== undefined);
  return shown.map((place, index) => {
    const box = trace[place] as Box;
    const isLast = index === shown.length - 1;
    const label = `${trace.name} ${trace.score.toFixed(2)}`;
    return {
      box,
      weight: isLast ? "thick" : "thin",
      isDashed: !isLast,
      reaches: place === "anchor" && isPoint(box) ? trace.moved : undefined,
      ...(isLast ? { name: label } : {}),
    };
  });
}

/** Whether a box has no extent, as the points of FCOS. */
export function isPoint(box: Box): boolean {
  const [x1, y1, x2, y2] = box;
  return x1 === x2 && y1 === y2;
}

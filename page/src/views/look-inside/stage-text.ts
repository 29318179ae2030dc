import type { Key, Text } from "../../shell/text";
import { type Explanation, type Stage, stageNamed } from "./explanation";

/** The heading of a stage. */
export function stageTitle(text: Text, explanation: Explanation, stage: Stage): string {
  return text(keyOf(explanation, stage, "title"));
}

/** What happens in a stage, and why. */
export function stageText(text: Text, explanation: Explanation, stage: Stage): string {
  return text(keyOf(explanation, stage, "text"), stage.facts);
}

function keyOf(explanation: Explanation, stage: Stage, part: "title" | "text"): Key {
  return `look-inside.stages.${textName(explanation, stage)}.${part}` as Key; // a test knows all of them
}

/** The name of the texts of a stage. Methods that do the same differently have texts of their own. */
export function textName(explanation: Explanation, stage: Stage): string {
  const variant = VARIANTS[stage.name]?.(explanation, stage);
  return variant ? `${stage.name}-${variant}` : stage.name;
}

type Variant = (explanation: Explanation, stage: Stage) => string | undefined;

/** A variant per method, or another one for the rest. */
function byMethod(variants: Readonly<Record<string, string>>, rest?: Variant): Variant {
  return (explanation, stage) => variants[explanation.method] ?? rest?.(explanation, stage);
}

const VARIANTS: Readonly<Record<string, Variant>> = {
  image: byMethod({ ssd: "square" }, ({ width, height }, { area }) =>
    area[2] === width && area[3] === height ? undefined : "tile",
  ),
  features: byMethod(
    { "fast-rcnn": "shared", ssd: "ssd", fcn: "fcn", unet: "unet", "deeplab-v3": "dilated" },
    (_, { facts }) => (facts.maps === 1 ? undefined : "pyramid"),
  ),
  anchors: byMethod({ ssd: "ssd" }),
  proposals: (_, { facts }) => ("before_nms" in facts ? "rpn" : "search"),
  "roi-pooling": byMethod({ "fast-rcnn": "max" }),
  scores: byMethod({ classifier: "photo", ssd: "ssd", retinanet: "anchors", fcos: "fcos" }, (explanation) =>
    stageNamed(explanation, "svm-margins") ? "svm" : "regions",
  ),
  "class-scores": byMethod({ fcos: "points" }, () => "pixels"),
  "box-regression": byMethod({ rcnn: "ridge" }),
  winners: byMethod({ fcos: "points", ssd: "ssd" }, () => "anchors"),
  skips: byMethod({ fcn: "fcn", unet: "unet" }),
};

import { expect, test } from "vitest";
import { distinctColor } from "../../parts/colors";
import { textIn } from "../../shell/text";
import { type Explanation, stageNamed } from "./explanation";
import { followSentence } from "./follow";
import { choiceOf, choicesOf, FIRST_KNOBS, hasScores, type Knobs } from "./knobs";
import { pathOf } from "./marks";
import { SAMPLE } from "./sample";
import { chosenLayer, sceneOf, viewOf } from "./scene";
import { traceOf } from "./trace";

function view(name: string, knobs: Partial<Knobs> = {}, explanation: Explanation = SAMPLE) {
  const stage = stageNamed(explanation, name);
  if (!stage) throw new Error(name);
  return viewOf(explanation, stage, { ...FIRST_KNOBS, ...knobs });
}

test("a detection is traced back to its anchor", () => {
  expect(traceOf(SAMPLE, 0)).toEqual({
    name: "dog",
    score: 0.9,
    anchor: [4, 4, 40, 40],
    stride: 16,
    objectness: 0.7,
    proposal: [8, 8, 48, 48],
    moved: [10, 10, 50, 50],
    removed: 1,
    box: [10, 10, 50, 50],
  });
  expect(traceOf(SAMPLE, 1).removed).toBe(0);
  expect(() => traceOf(SAMPLE, 2)).toThrow("there is no object 2");
});

test("following an object chooses the map of its anchor", () => {
  expect(chosenLayer(view("objectness"))).toMatchObject({ stride: 8 });
  expect(chosenLayer(view("objectness", { object: 0 }))).toMatchObject({ stride: 16 });
  expect(chosenLayer(view("objectness", { object: 0, choice: { objectness: 0 } }))).toMatchObject({
    stride: 8,
  });
  const scene = sceneOf(view("objectness", { object: 0 }));
  expect(scene.raster).toMatchObject({ kind: "map", stride: 16 });
  expect(scene.marks).toMatchObject([{ box: [4, 4, 40, 40], color: distinctColor(0) }]);
});

test("proposals are shown after NMS at first, and as many as the user wants", () => {
  const { stage, knobs } = view("proposals");
  expect(choicesOf(stage).map((layer) => layer.name)).toEqual(["before-nms", "proposals"]);
  expect(choiceOf(stage, knobs, undefined)).toBe(1);
  expect(sceneOf(view("proposals")).marks).toHaveLength(2);
  expect(sceneOf(view("proposals", { count: 1 })).marks).toHaveLength(1);
  expect(sceneOf(view("proposals", { choice: { proposals: 0 } })).marks).toHaveLength(3);
  const followed = sceneOf(view("proposals", { count: 0, object: 1 })).marks;
  expect(followed).toMatchObject([
    { box: [60, 20, 90, 70], isDashed: true },
    { box: [60, 20, 91, 71], weight: "thick", name: "cat 0.80" },
  ]);
});

test("boxes move from thin to thick", () => {
  const { marks } = sceneOf(view("box-regression"));
  expect(marks.map(({ weight }) => weight)).toEqual(["thin", "thick", "thin", "thick"]);
  expect(sceneOf(view("box-regression", { object: 1 })).marks).toHaveLength(2);
});

test("NMS: removed boxes have the color of the box that removed them", () => {
  const { marks } = sceneOf(view("nms"));
  expect(marks.map(({ weight }) => weight)).toEqual(["thin", "thick", "thick"]);
  expect(marks[0]?.color).toBe(distinctColor(0));
  expect(marks.map(({ name }) => name)).toEqual([undefined, "dog 0.90", "cat 0.80"]);
  expect(sceneOf(view("nms", { score: { nms: 0 } })).marks).toHaveLength(4);
  expect(sceneOf(view("nms", { removed: false })).marks).toHaveLength(2);
  expect(sceneOf(view("nms", { score: { nms: 0.5 } })).marks).toHaveLength(2);
  expect(sceneOf(view("nms", { object: 0 })).marks).toHaveLength(2);
});

test("detections and their masks begin at a score of 0.5", () => {
  const scene = sceneOf(view("detections"));
  expect(scene.marks.map(({ name }) => name)).toEqual(["dog 0.90", "cat 0.80"]);
  expect(scene.raster).toMatchObject({ name: "masks" });
  expect([...scene.hidden]).toEqual(["2"]);
  expect([...sceneOf(view("detections", { object: 1 })).hidden]).toEqual(["0", "2"]);
  expect(sceneOf(view("detections", { score: { detections: 0 } })).marks).toHaveLength(3);
});

test("if no score reaches 0.5, the followed objects are shown", () => {
  const unsure = structuredClone(SAMPLE);
  for (const stage of unsure.stages)
    for (const layer of stage.layers)
      if (layer.kind === "boxes" && layer.scores) layer.scores = layer.scores.map((score) => score / 10);
  expect(sceneOf(view("detections", {}, unsure)).marks.map(({ name }) => name)).toEqual([
    "dog 0.09",
    "cat 0.08",
  ]);
  expect(sceneOf(view("nms", {}, unsure)).marks).toHaveLength(3);
});

test("without any detection, nothing is shown", () => {
  const empty = structuredClone(SAMPLE);
  empty.objects = [];
  for (const stage of empty.stages)
    for (const layer of stage.layers)
      if (layer.kind === "boxes")
        Object.assign(layer, { boxes: [], scores: [], classes: [], objects: [], states: [], strides: [] });
  for (const { name } of empty.stages) expect(sceneOf(view(name, {}, empty)).marks).toEqual([]);
});

test("scores can be cut off where there are scores", () => {
  const names = SAMPLE.stages.filter(hasScores).map(({ name }) => name);
  expect(names).toEqual(["objectness", "nms", "detections"]);
});

test("each stage says what became of the followed object", () => {
  const sentence = (name: string, object: number) =>
    followSentence(textIn("en"), view(name, { object }), traceOf(SAMPLE, object));
  expect(sentence("objectness", 0)).toBe("dog 0.90 comes from the marked anchor, on the map with stride 16.");
  expect(sentence("proposals", 0)).toContain("had an objectness of 0.70. Its edges moved by up to 8 pixels.");
  expect(sentence("box-regression", 0)).toBe("The edges of dog 0.90 moved by up to 2 pixels.");
  expect(sentence("nms", 0)).toBe("dog 0.90 removed 1 box that overlaps it.");
  expect(sentence("nms", 1)).toBe("cat 0.80 removed 0 boxes that overlap it.");
});

test("the paths of boxes, cells and points", () => {
  const mark = { color: "", weight: "thin" } as const;
  expect(pathOf({ ...mark, box: [1, 2, 5, 6] })).toBe("M1 2H5V6H1Z");
  expect(pathOf({ ...mark, box: [0, 0, 4, 4], cells: 2 })).toBe("M0 0H4V4H0ZM2 0V4M0 2H4");
  expect(pathOf({ ...mark, box: [3, 4, 3, 4], reaches: [1, 1, 9, 8] })).toBe("M1 4H9M3 1V8");
});

import type { BoxLayer, Explanation, Layer, Stage } from "./explanation";

/** Two objects that a Faster R-CNN found, for tests. */
export const SAMPLE: Explanation = {
  model: "pets",
  method: "faster-rcnn",
  task: "detection",
  name: "a.png",
  width: 100,
  height: 80,
  class_names: ["cat", "dog"],
  objects: [
    { class: "dog", score: 0.9, box: [10, 10, 50, 50] },
    { class: "cat", score: 0.8, box: [60, 20, 90, 70] },
  ],
  stages: [
    stage("objectness", [map(8, [0, 255]), map(16, [255, 0])]),
    stage("proposals", [
      boxes("before-nms", [
        [0, 0, 9, 9],
        [8, 8, 48, 48],
        [60, 20, 91, 71],
      ]),
      boxes("proposals", [
        [8, 8, 48, 48],
        [60, 20, 91, 71],
      ]),
      boxes(
        "anchors-of-objects",
        [
          [4, 4, 40, 40],
          [60, 20, 90, 70],
        ],
        { scores: [0.7, 0.6], strides: [16, 8] },
      ),
      boxes(
        "proposals-of-objects",
        [
          [8, 8, 48, 48],
          [60, 20, 91, 71],
        ],
        { objects: [0, 1] },
      ),
    ]),
    stage("box-regression", [
      boxes(
        "before",
        [
          [8, 8, 48, 48],
          [60, 20, 91, 71],
        ],
        { objects: [0, 1] },
      ),
      boxes(
        "after",
        [
          [10, 10, 50, 50],
          [60, 20, 90, 70],
        ],
        { objects: [0, 1] },
      ),
    ]),
    stage("nms", [
      boxes(
        "candidates",
        [
          [10, 10, 50, 50],
          [60, 20, 90, 70],
          [11, 10, 50, 50],
          [0, 0, 5, 5],
        ],
        {
          scores: [0.9, 0.8, 0.4, 0.1],
          classes: ["dog", "cat", "dog", "cat"],
          objects: [0, 1, 0, null],
          states: ["kept", "kept", "removed", "kept"],
        },
      ),
    ]),
    stage("detections", [
      boxes(
        "detections",
        [
          [10, 10, 50, 50],
          [60, 20, 90, 70],
          [0, 0, 5, 5],
        ],
        {
          scores: [0.9, 0.8, 0.1],
          classes: ["dog", "cat", "cat"],
          objects: [0, 1, null],
        },
      ),
      { kind: "labels", name: "masks", png: "", of: "objects" },
    ]),
  ],
};

function stage(name: string, layers: Layer[]): Stage {
  return { name, title: name, text: "", area: [0, 0, 100, 80], facts: {}, layers };
}

function boxes(name: string, list: number[][], columns: Partial<BoxLayer> = {}): BoxLayer {
  return { kind: "boxes", name, boxes: list, total: list.length, ...columns };
}

function map(stride: number, bytes: number[]): Layer {
  const cells = { width: 2, height: 1, low: 0, high: 1, bytes: btoa(String.fromCharCode(...bytes)) };
  return { kind: "map", name: "objectness", stride, cells, covered: [1, 1], center: 0 };
}

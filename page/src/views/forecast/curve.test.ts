import { expect, test } from "vitest";
import { learningCurves } from "./curve";

const NAMES = { measured: "measured", expected: "expected" };
const EMPTY = { metric: "AP", trainings: 3, outlooks: [], sentences: [], warnings: [] };

test("trainings come in the order of their photos", () => {
  const points = [
    { photos: 40, value: 0.4 },
    { photos: 10, value: 0.1 },
  ];
  expect(learningCurves({ ...EMPTY, points }, NAMES)).toEqual({
    x: [10, 40],
    curves: [{ name: "measured", values: [0.1, 0.4], kind: "points" }],
  });
});

test("the outlook follows the trainings, with a band", () => {
  const points = [{ photos: 10, value: 0.1 }];
  const outlooks = [{ more: 10, photos: 20, value: 0.3, interval: { low: 0.2, high: 0.4 } }];
  const { x, curves } = learningCurves({ ...EMPTY, points, outlooks }, NAMES);
  expect(x).toEqual([10, 20]);
  expect(curves.map(({ values }) => values)).toEqual([
    [0.1, null],
    [null, 0.3],
    [null, 0.2],
    [null, 0.4],
  ]);
});

import { expect, test } from "vitest";
import { lossCurves, metricCurves } from "./curves";

test("the sum of the losses comes before its parts", () => {
  const curves = {
    minutes: [1, 2],
    losses: { box: [2, 1], class: [3, null] },
    images_per_second: [4, 4],
    validations: [],
  };
  expect(lossCurves(curves, "all")).toEqual({
    x: [1, 2],
    curves: [
      { name: "all", values: [5, 1] },
      { name: "box", values: [2, 1] },
      { name: "class", values: [3, null] },
    ],
  });
});

test("a single loss has no parts, and a row without losses has no sum", () => {
  const curves = { minutes: [1, 2], losses: { box: [2, null] }, images_per_second: [], validations: [] };
  expect(lossCurves(curves, "all").curves).toEqual([{ name: "all", values: [2, null] }]);
});

test("a metric that is missing in a validation leaves a gap", () => {
  const validations = [
    { minutes: 1, metrics: { AP: 0.1 } },
    { minutes: 2, metrics: { AP: 0.2, AP50: 0.5 } },
  ];
  expect(metricCurves(validations)).toEqual({
    x: [1, 2],
    curves: [
      { name: "AP", values: [0.1, 0.2] },
      { name: "AP50", values: [null, 0.5] },
    ],
  });
});

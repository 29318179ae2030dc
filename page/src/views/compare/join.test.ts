import { expect, test } from "vitest";
import { joinValidations } from "./join";

test("trainings share one axis, with gaps", () => {
  const trainings = [
    {
      name: "ssd",
      validations: [
        { minutes: 1, metrics: { AP: 0.1 } },
        { minutes: 3, metrics: { AP: 0.3 } },
      ],
    },
    { name: "fcos", validations: [{ minutes: 2, metrics: { AP: 0.2 } }] },
    { name: "rcnn", validations: [] },
  ];
  expect(joinValidations(trainings, "AP")).toEqual({
    x: [1, 2, 3],
    curves: [
      { name: "ssd", values: [0.1, null, 0.3] },
      { name: "fcos", values: [null, 0.2, null] },
    ],
  });
  expect(joinValidations(trainings, "mIoU")).toEqual({ x: [], curves: [] });
});

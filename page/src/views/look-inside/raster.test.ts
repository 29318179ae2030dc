import { expect, test } from "vitest";
import type { MapLayer } from "./explanation";
import { heat } from "./heat";
import { cellPixels } from "./raster";
import { placeOf } from "./stage-picture";

const cells = { width: 3, height: 1, low: 0, high: 2, bytes: btoa(String.fromCharCode(0, 128, 255)) };

test("heat has the colors of matplotlib's inferno", () => {
  const known = {
    0: [0, 0, 4],
    0.25: [87, 16, 110],
    0.5: [188, 55, 84],
    0.75: [249, 142, 9],
    1: [252, 255, 164],
  };
  for (const [value, color] of Object.entries(known))
    heat(Number(value)).forEach((channel, index) => {
      expect(Math.abs(channel - (color[index] ?? 0)), value).toBeLessThan(8);
    });
});

test("brighter cells hide more of the photo", () => {
  const alpha = [3, 7, 11].map((index) => cellPixels(cells, null)[index]);
  expect(alpha).toEqual([89, 153, 217]);
});

test("cells below the lowest value are clear", () => {
  const alpha = (lowest: number) => [3, 7, 11].map((index) => (cellPixels(cells, lowest)[index] ?? 0) > 0);
  expect(alpha(0.5)).toEqual([false, true, true]);
  expect(alpha(1.5)).toEqual([false, false, true]);
  expect(alpha(2)).toEqual([false, false, true]);
});

test("a map alone is opaque", () => {
  expect([3, 7, 11].map((index) => cellPixels(cells, null, true)[index])).toEqual([255, 255, 255]);
});

test("a map also covers the padding, and its values stand where their anchors are", () => {
  const layer = { kind: "map", name: "scores", cells, covered: [0.5, 0.75], center: 0.5 } as MapLayer;
  expect(placeOf(layer, 150, 100)).toMatchObject({ left: 0, top: 0, width: 200, height: 200 });
  const atCorner = placeOf({ ...layer, center: 0 }, 150, 100);
  expect(atCorner.left).toBeCloseTo(-200 / 3 / 2);
  expect(atCorner.top).toBeCloseTo(-100);
});

import { expect, test } from "vitest";
import { distinctColor, isBackground, mapColors, rgb } from "./colors";

test("the colors are those of boxmask.visualization.style", () => {
  const expected = "#C74646 #46C76B #CC93F5 #F5E993 #93E4F5 #F593C8 #ABF593 #9793F5 #F5B493 #0F9966";
  expect(Array.from({ length: 10 }, (_, i) => distinctColor(12 + i)).join(" ")).toBe(expected);
  expect(mapColors(["background", "a", "_background_", "b"])).toEqual([
    "#000000",
    "#56B4E9",
    "#E69F00",
    "#009E73",
  ]);
});

test("a color as numbers", () => {
  expect(rgb("#56B4E9")).toEqual([0x56, 0xb4, 0xe9]);
  expect(isBackground("Background")).toBe(true);
});

import { expect, test } from "vitest";
import { parseCounts } from "./counts";

test("numbers may be parted by commas and spaces", () => {
  expect(parseCounts("25, 50  100,")).toEqual([25, 50, 100]);
  expect(parseCounts("  ")).toBe(null);
});

test("only whole numbers above 0 count, and ten at most", () => {
  for (const typed of ["0", "-5", "1.5", "many", "1000001", "1 2 3 4 5 6 7 8 9 10 11"]) {
    expect(parseCounts(typed)).toBe(undefined);
  }
});

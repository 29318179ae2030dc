import { expect, test } from "vitest";
import { placeName, visibleNames } from "./names";

const VIEW = { width: 300, height: 200 };
const PLACEMENT = { scale: 2, left: 10, top: 20 };
const at = (x: number, y: number) => ({ x, y, width: 50, height: 16 });

test("a name gives way to those before it", () => {
  expect(visibleNames([at(0, 0), at(40, 5), null, at(60, 0), at(40, 20)])).toEqual([
    true,
    false,
    false,
    true,
    true,
  ]);
});

test("a name lies above its box, and inside of the view", () => {
  expect(placeName([20, 20, 40, 40], 50, PLACEMENT, VIEW)).toEqual(at(50, 44));
  expect(placeName([20, -5, 40, 40], 50, PLACEMENT, VIEW)).toEqual(at(50, 10));
  expect(placeName([140, 20, 160, 40], 50, PLACEMENT, VIEW)).toEqual(at(250, 44));
  expect(placeName([-40, 20, 5, 40], 50, PLACEMENT, VIEW)).toEqual(at(0, 44));
  expect(placeName([160, 20, 170, 40], 50, PLACEMENT, VIEW)).toBeNull();
});

test("at most sixty names are shown", () => {
  const many = Array.from({ length: 100 }, (_, index) => at(0, 20 * index));
  expect(visibleNames(many).filter(Boolean).length).toBe(60);
});

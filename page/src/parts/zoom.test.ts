import { expect, test } from "vitest";
import { panBy, place, WHOLE, zoomAt, zoomTo } from "./zoom";

const PHOTO = { width: 400, height: 200 };
const VIEW = { width: 200, height: 200 };

test("the whole photo lies in the middle of the view", () => {
  expect(place(WHOLE, PHOTO, VIEW)).toEqual({ scale: 0.5, left: 0, top: 50 });
});

test("the point under the mouse stays there", () => {
  const at = { x: 60, y: 90 };
  const before = place(WHOLE, PHOTO, VIEW);
  const point = (at.x - before.left) / before.scale;
  const after = place(zoomAt(WHOLE, 4, at.x, at.y, PHOTO, VIEW), PHOTO, VIEW);
  expect(after.scale).toBe(2);
  expect((at.x - after.left) / after.scale).toBeCloseTo(point);
});

test("the photo cannot leave the view", () => {
  const zoom = zoomAt(WHOLE, 4, 100, 100, PHOTO, VIEW);
  const { left, top } = place(panBy(zoom, 9999, -9999, PHOTO, VIEW), PHOTO, VIEW);
  expect(left).toBeCloseTo(0);
  expect(top).toBeCloseTo(VIEW.height - 2 * PHOTO.height);
  expect(panBy(WHOLE, 50, 50, PHOTO, VIEW)).toEqual(WHOLE);
});

test("zooming has bounds", () => {
  expect(zoomAt(WHOLE, 0.1, 0, 0, PHOTO, VIEW)).toEqual(WHOLE);
  expect(place(zoomAt(WHOLE, 1e6, 0, 0, PHOTO, VIEW), PHOTO, VIEW).scale).toBe(24);
});

test("a box is shown with some space around it", () => {
  const { scale, left, top } = place(zoomTo([100, 50, 120, 70], PHOTO, VIEW), PHOTO, VIEW);
  expect(scale).toBe(5);
  expect(left + 110 * scale).toBeCloseTo(100);
  expect(top + 60 * scale).toBeCloseTo(100);
});

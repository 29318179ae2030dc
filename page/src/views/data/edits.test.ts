import { expect, test } from "vitest";
import {
  addPoint,
  bodyOf,
  boxOf,
  change,
  type Draft,
  type EditObject,
  exchange,
  handlesOf,
  isDirty,
  middlesOf,
  moveBy,
  moveHandle,
  newObject,
  redo,
  removePoint,
  startDraft,
  undo,
} from "./edits";

function draft(): Draft {
  const photo = {
    version: "1-0",
    objects: [
      {
        id: 0,
        class_name: "cat",
        kind: "box" as const,
        box: [10, 10, 30, 20] as [number, number, number, number],
        rings: [],
      },
      {
        id: 1,
        class_name: "dog",
        kind: "polygon" as const,
        box: [0, 0, 8, 8] as [number, number, number, number],
        rings: [
          [
            [0, 0],
            [8, 0],
            [4, 8],
          ] as [number, number][],
        ],
      },
      { id: 2, class_name: "dog", kind: "outline" as const, box: null, rings: [] },
    ],
  };
  return startDraft(photo);
}

const at = (drafted: Draft, index: number) => drafted.objects[index] as EditObject;

test("what was not touched is sent without its shape", () => {
  const start = draft();
  expect(isDirty(start)).toBe(false);
  const renamed = change(start, exchange(start.objects, { ...at(start, 1), className: "cat" }));
  expect(isDirty(renamed)).toBe(true);
  expect(bodyOf(renamed)).toEqual([
    { id: 0, class_name: "cat", shape: null },
    { id: 1, class_name: "cat", shape: null },
    { id: 2, class_name: "dog", shape: null },
  ]);
});

test("moved, new and removed objects", () => {
  const start = draft();
  const moved = moveBy(at(start, 0), 5, -3, 100, 100);
  const added = newObject("cat", {
    kind: "polygon",
    box: [0, 0, 2, 2],
    rings: [
      [
        [0, 0],
        [2, 0],
        [2, 2],
      ],
    ],
  });
  const next = change(start, [moved, at(start, 2), added]);
  expect(bodyOf(next)).toEqual([
    { id: 0, class_name: "cat", shape: { kind: "box", box: [15, 7, 35, 17] } },
    { id: 2, class_name: "dog", shape: null },
    {
      id: null,
      class_name: "cat",
      shape: {
        kind: "polygon",
        points: [
          [0, 0],
          [2, 0],
          [2, 2],
        ],
      },
    },
  ]);
});

test("undo and redo", () => {
  const start = draft();
  const first = change(start, start.objects.slice(1));
  const second = change(first, []);
  expect(undo(second).objects).toBe(first.objects);
  expect(isDirty(undo(undo(second)))).toBe(false);
  expect(undo(start)).toBe(start);
  expect(redo(undo(second)).objects).toEqual([]);
  expect(redo(second)).toBe(second);
  expect(change(undo(second), start.objects).future).toEqual([]);
});

test("objects stay inside of the photo", () => {
  const start = draft();
  expect(moveBy(at(start, 0), -99, 99, 100, 100).box).toEqual([0, 90, 20, 100]);
  expect(moveBy(at(start, 1), -5, -5, 100, 100)).toBe(at(start, 1));
  expect(moveBy(at(start, 2), 5, 5, 100, 100)).toBe(at(start, 2));
  expect(boxOf([50, 120], [-4, 20], 60, 100)).toEqual([0, 20, 50, 100]);
  expect(boxOf([5, 5], [6, 90], 60, 100)).toBe(null);
});

test("handles of a box move its sides, also beyond each other", () => {
  const box = at(draft(), 0);
  expect(handlesOf(box)).toHaveLength(8);
  expect(moveHandle(box, 0, [1, 2]).box).toEqual([1, 2, 30, 20]);
  expect(moveHandle(box, 3, [40, 99]).box).toEqual([10, 10, 40, 20]);
  expect(moveHandle(box, 5, [99, 50]).box).toEqual([10, 10, 30, 50]);
  expect(moveHandle(box, 4, [2, 4]).box).toEqual([2, 4, 10, 10]);
  expect(moveHandle(box, 4, [40, 30]).isReshaped).toBe(true);
});

test("points of a polygon are moved, added and removed", () => {
  const polygon = at(draft(), 1);
  expect(moveHandle(polygon, 2, [4, 20]).box).toEqual([0, 0, 8, 20]);
  expect(middlesOf(polygon)).toEqual([
    [4, 0],
    [6, 4],
    [2, 4],
  ]);
  const more = addPoint(polygon, 0, [4, -2]);
  expect(more.rings[0]).toEqual([
    [0, 0],
    [4, -2],
    [8, 0],
    [4, 8],
  ]);
  expect(removePoint(more, 1).rings).toEqual(polygon.rings);
  expect(removePoint(polygon, 1)).toBe(polygon);
});

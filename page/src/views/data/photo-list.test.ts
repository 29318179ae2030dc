import { expect, test, vi } from "vitest";
import { ALL, type listPhotos } from "./api";
import { pathsOf } from "./grid";
import { corner, gridOf, inSight } from "./layout";
import { PhotoList } from "./photo-list";

const NUMBERS = Array.from({ length: 1000 }, (_, index) => 3 * index);

function listOf(load = vi.fn<typeof listPhotos>()) {
  load.mockImplementation(async (_name, _filter, offset, limit) => ({
    total: NUMBERS.length,
    offset,
    photos: NUMBERS.slice(offset, offset + limit).map((number) => ({
      number,
      file: `${number}.jpg`,
      width: 8,
      height: 6,
      thumbnail: "",
      objects: 0,
      labels: [],
      boxes: [],
    })),
  }));
  const onError = vi.fn();
  return { list: new PhotoList("pets", ALL, onError, load), load, onError };
}

test("only the parts that are looked at are loaded, and only once", async () => {
  const { list, load } = listOf();
  const changed = vi.fn();
  list.subscribe(changed);
  await Promise.all([list.want(150, 310), list.want(150, 310)]);
  expect(load.mock.calls.map((call) => call[2])).toEqual([100, 200, 300]);
  expect(list.at(150)?.number).toBe(450);
  expect(list.at(20)).toBe(undefined);
  expect(list.total).toBe(1000);
  expect(changed).toHaveBeenCalledTimes(3);
});

test("a photo is found in a list of which little is loaded", async () => {
  const { list, load } = listOf();
  expect(await list.placeOf(2001, null)).toBe(667);
  expect(await list.placeOf(2002, null)).toBe(null);
  expect(load.mock.calls.length).toBeLessThan(8);
});

test("a part that could not be loaded is asked for again", async () => {
  const { list, load, onError } = listOf();
  load.mockRejectedValueOnce(new Error("gone"));
  await list.want(0, 1);
  expect(onError).toHaveBeenCalledOnce();
  await list.want(0, 1);
  expect(list.at(0)?.number).toBe(0);
});

test("only cells in sight are drawn", () => {
  const grid = gridOf(1000, 10_000);
  expect(grid.columns).toBe(6);
  const range = inSight(grid, 10_000, 50 * grid.row, 800);
  expect(range.from).toBe(48 * 6);
  expect(range.to - range.from).toBeLessThan(70);
  expect(inSight(grid, 10_000, -5000, 800)).toEqual({ from: 0, to: 0 });
  expect(inSight(grid, 7, 0, 800)).toEqual({ from: 0, to: 7 });
  expect(corner(grid, 7)).toEqual({ x: grid.cell + 8, y: grid.row });
  expect(gridOf(320, 5).columns).toBe(2);
});

test("the boxes of a class are one path", () => {
  const boxes: [number, number, number, number][] = [
    [0, 0, 2, 3],
    [1, 1, 4, 4],
    [5, 5, 6, 6],
  ];
  expect(pathsOf({ labels: [1, 0, 1], boxes })).toEqual([
    [1, "M0 0H2V3H0ZM5 5H6V6H5Z"],
    [0, "M1 1H4V4H1Z"],
  ]);
});

import { expect, test } from "vitest";
import { outlinePath } from "./outlines";
import { decodeMask, decompress, type RunLengths } from "./rle";

/** Written by boxmask.geometry.rle. */
const CASES: (RunLengths & { rows: string[] })[] = [
  {
    size: [6, 7],
    counts: "=42MO112005",
    rows: [".......", "..####.", "..#.##.", "..####.", "..####.", "......."],
  },
  { size: [4, 3], counts: "0<", rows: ["###", "###", "###", "###"] },
  { size: [4, 3], counts: "<", rows: ["...", "...", "...", "..."] },
  {
    size: [5, 9],
    counts: "021O10O120NO000000031MO40L021",
    rows: ["#...#####", "##.#.#.##", "....###.#", "####..##.", ".##.#.#.."],
  },
];
const LARGE =
  "Rm5`7l1000000000000000000000000000000000000000000000000000000000000000000000000000000RJX1X1hNhNX1X1hNhNX1X1hNhNX1X1hNhNX1X1hNhNX1X1hNhNX1X1hNhNX1X1hNhNX1X1hNhNX1X1hNhNX1X1hNhNX1X1hNhNX1X1hNhNX1X1hNhNX1X1hNhNX1X1hNhNX1X1hNhNX1X1hNhNX1X1hNhNX1X1hNhNX1X1hNhNX1X1hNhNX1X1hNhNX1X1hNhNX1X1hNhNX1X1hNhNX1X1hNhNX1X1hNhNX1X1hNhNX1X1hNf40000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000ni5";

function rowsOf(lengths: RunLengths): string[] {
  const [height = 0, width = 0] = lengths.size;
  const rows = Array.from({ length: height }, () => Array.from({ length: width }, () => "."));
  const mask = decodeMask(lengths);
  mask?.pixels.forEach((value, i) => {
    const row = rows[mask.y + Math.floor(i / mask.width)];
    if (row && value) row[mask.x + (i % mask.width)] = "#";
  });
  return rows.map((row) => row.join(""));
}

test.each(CASES)("the mask $counts is as boxmask wrote it", ({ rows, ...lengths }) => {
  expect(rowsOf(lengths)).toEqual(rows);
});

test("a large mask with a hole", () => {
  const mask = decodeMask({ size: [300, 200], counts: LARGE });
  expect(mask).toMatchObject({ x: 20, y: 50, width: 160, height: 240 });
  expect(mask?.pixels.reduce((sum, value) => sum + value, 0)).toBe(35400);
  expect(mask && outlinePath(mask)).toBe("M20,50L180,50L180,290L20,290ZM60,100L60,200L90,200L90,100Z");
});

test("parts that touch at a corner stay apart", () => {
  const mask = { x: 0, y: 0, width: 2, height: 2, pixels: Uint8Array.from([1, 0, 0, 1]) };
  expect(outlinePath(mask)).toBe("M0,0L1,0L1,1L0,1ZM1,1L2,1L2,2L1,2Z");
});

test("the area inside of an outline is that of the mask", () => {
  for (const { rows, ...lengths } of CASES) {
    const mask = decodeMask(lengths);
    if (mask) expect(shoelace(outlinePath(mask))).toBe(rows.join("").replaceAll(".", "").length);
  }
});

test.each(["!", "P", "<<"])("broken run lengths %s are refused", (counts) => {
  expect(() => decodeMask({ size: [4, 3], counts })).toThrow(/run lengths/);
});

test("run lengths of more than one piece", () => {
  expect(decompress("Rm5`7l1")).toEqual([6066 - 16, 240, 60]);
});

function shoelace(path: string): number {
  let sum = 0;
  for (const ring of path.split("M").filter(Boolean)) {
    const points = ring
      .replace("Z", "")
      .split("L")
      .map((pair) => pair.split(",").map(Number));
    points.forEach(([x1 = 0, y1 = 0], i) => {
      const [x2 = 0, y2 = 0] = points[(i + 1) % points.length] ?? [];
      sum += x1 * y2 - x2 * y1;
    });
  }
  return sum / 2;
}

import type { MaskWindow } from "./rle";

/**
 * The border of a mask as the data of an SVG path, along the edges of its pixels, in pixels of the photo.
 * Holes run the other way round, so that the usual fill rule leaves them empty.
 */
export function outlinePath(mask: MaskWindow): string {
  const steps = borderSteps(mask);
  const rings: string[] = [];
  for (const start of steps.keys()) {
    while ((steps.get(start)?.length ?? 0) > 0) rings.push(ring(start, steps, mask));
  }
  return rings.join("");
}

/** The data of an SVG path for a closed line through points. */
export function polygonPath(points: readonly (readonly [number, number])[]): string {
  return points.length === 0 ? "" : `M${points.map(([x, y]) => `${x},${y}`).join("L")}Z`;
}

/** Right, down, left, up. */
const MOVES = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const;

/** From each corner, the directions in which the border goes on with the object on its right. */
type Steps = Map<number, number[]>;

function borderSteps({ width, height, pixels }: MaskWindow): Steps {
  const steps: Steps = new Map();
  const corner = (x: number, y: number) => y * (width + 1) + x;
  const isSet = (x: number, y: number) =>
    x >= 0 && y >= 0 && x < width && y < height && pixels[y * width + x] === 1;
  const add = (key: number, direction: number) => {
    const found = steps.get(key);
    if (found) found.push(direction);
    else steps.set(key, [direction]);
  };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!isSet(x, y)) continue;
      if (!isSet(x, y - 1)) add(corner(x, y), 0);
      if (!isSet(x + 1, y)) add(corner(x + 1, y), 1);
      if (!isSet(x, y + 1)) add(corner(x + 1, y + 1), 2);
      if (!isSet(x - 1, y)) add(corner(x, y + 1), 3);
    }
  }
  return steps;
}

/** Follow the border from a corner until it closes, and remove its steps. */
function ring(start: number, steps: Steps, { x: left, y: top, width }: MaskWindow): string {
  const parts: string[] = [];
  let key = start;
  let last = -1;
  let first = -1;
  do {
    const open = steps.get(key) as number[];
    const direction = open.length > 1 && last >= 0 ? turn(open, last) : (open.pop() as number);
    const x = key % (width + 1);
    const y = (key - x) / (width + 1);
    if (direction !== last) parts.push(`${left + x},${top + y}`);
    const [dx, dy] = MOVES[direction] as readonly [number, number];
    key += dx + dy * (width + 1);
    last = direction;
    if (first < 0) first = direction;
  } while (key !== start);
  if (first === last) parts.shift(); // it began in the middle of a side
  return `M${parts.join("L")}Z`;
}

/** Where two parts touch at a corner, turn right: the parts stay apart. */
function turn(open: number[], last: number): number {
  const right = open.indexOf((last + 1) % 4);
  return open.splice(Math.max(right, 0), 1)[0] as number;
}

import type { Box } from "./photo-view";
import type { Placement, Size } from "./zoom";

const HEIGHT = 16; // of a name, in pixels of the screen
const GAP = 2;
const MAX_NAMES = 60; // as in saved pictures
const FONT = '600 13px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';

/** A rectangle on the screen. */
export interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Where the name of a box belongs: above it, or inside where it would leave the view. Null if the box is outside. */
export function placeName(
  box: Box,
  width: number,
  { scale, left, top }: Placement,
  view: Size,
): Rectangle | null {
  const [x1, y1, x2, y2] = box.map(
    (edge, index) => edge * scale + (index % 2 ? top : left),
  ) as unknown as Box;
  if (x2 < 0 || y2 < 0 || x1 > view.width || y1 > view.height) return null;
  const x = Math.max(0, Math.min(x1, view.width - width));
  const y = y1 >= HEIGHT ? y1 - HEIGHT : Math.max(0, y1);
  return { x, y, width, height: HEIGHT };
}

/** Which names are shown: those that overlap none before them. */
export function visibleNames(names: readonly (Rectangle | null)[]): boolean[] {
  const shown: Rectangle[] = [];
  return names.map((name) => {
    const isFree = name !== null && shown.length < MAX_NAMES && !shown.some((other) => overlaps(name, other));
    if (isFree) shown.push(name);
    return isFree;
  });
}

/** The name of a shape, and what draws it. */
export interface Tag {
  shape: { name: string; box: Box };
  element: SVGElement;
}

/** Move names to their places, and hide those that have none. The first ones win. */
export function layOutNames(tags: readonly Tag[], placement: Placement, view: Size): void {
  const places = tags.map(({ shape }) => placeName(shape.box, widthOf(shape.name), placement, view));
  const isShown = visibleNames(places);
  tags.forEach(({ element }, index) => {
    const at = places[index];
    element.style.display = isShown[index] ? "" : "none";
    if (!at || !isShown[index]) return;
    const [x, y] = [(at.x - placement.left) / placement.scale, (at.y - placement.top) / placement.scale];
    element.setAttribute("transform", `translate(${x} ${y})`);
  });
}

const widths = new Map<string, number>();
let context: CanvasRenderingContext2D | null = null;

/** The width of a name on the screen. */
function widthOf(name: string): number {
  let width = widths.get(name);
  if (width === undefined) {
    context ??= document.createElement("canvas").getContext("2d");
    if (context) context.font = FONT;
    width = (context?.measureText(name).width ?? 8 * name.length) + 6;
    widths.set(name, width);
  }
  return width;
}

function overlaps(a: Rectangle, b: Rectangle): boolean {
  return (
    a.x < b.x + b.width + GAP &&
    b.x < a.x + a.width + GAP &&
    a.y < b.y + b.height + GAP &&
    b.y < a.y + a.height + GAP
  );
}

import { memo } from "../../parts/memo";
import type { Box } from "./explanation";
import type { Mark } from "./scene";

/** Boxes, points and their names, in pixels of the photo. */
export const Marks = memo(({ marks }: { marks: readonly Mark[] }) => (
  <>
    {marks.map((mark, index) => (
      <g key={index} class={classOf(mark)} stroke={mark.color} fill={mark.color}>
        <Outline mark={mark} />
      </g>
    ))}
    {marks.map((mark, index) =>
      mark.name ? (
        <text key={index} class="name" x={mark.box[0]} y={mark.box[1]} dy="1em" dx=".25em">
          {mark.name}
        </text>
      ) : null,
    )}
  </>
));

function classOf(mark: Mark): string {
  return `mark ${mark.weight}${mark.isDashed ? " dashed" : ""}`;
}

function Outline({ mark }: { mark: Mark }) {
  const path = pathOf(mark);
  return (
    <>
      <path class="halo" d={path} />
      <path class="line" d={path} />
    </>
  );
}

/** The data of an SVG path: the box, the lines inside it, and those from a point to the edges of its box. */
export function pathOf({ box, cells = 1, reaches }: Mark): string {
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = box;
  const lines = [reaches ? cross(x1, y1, reaches) : `M${x1} ${y1}H${x2}V${y2}H${x1}Z`];
  for (let cell = 1; cell < cells; cell++) {
    const [x, y] = [x1 + ((x2 - x1) * cell) / cells, y1 + ((y2 - y1) * cell) / cells];
    lines.push(`M${x} ${y1}V${y2}`, `M${x1} ${y}H${x2}`);
  }
  return lines.join("");
}

function cross(x: number, y: number, [x1 = 0, y1 = 0, x2 = 0, y2 = 0]: Box): string {
  return `M${x1} ${y}H${x2}M${x} ${y1}V${y2}`;
}

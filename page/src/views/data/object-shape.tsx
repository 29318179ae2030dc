import { polygonPath } from "../../parts/outlines";
import type { Drag } from "./canvas";
import { type EditObject, moveBy } from "./edits";
import { followPointer } from "./pointer";

interface Props {
  object: EditObject;
  color: string;
  isSelected: boolean;
  canMove: boolean;
  drag: Drag;
  onSelect: () => void;
}

/** An object on the photo. It is selected by a click; once selected, it can be moved. */
export function ObjectShape({ object, color, isSelected, canMove, drag, onSelect }: Props) {
  const path = pathOf(object);
  if (!path) return null;
  const onPointerDown = (event: PointerEvent) => {
    if (event.button !== 0) return;
    if (!isSelected) return onSelect();
    if (!canMove || object.kind === "outline") return;
    event.stopPropagation(); // the photo stays where it is
    const [x, y] = drag.toPhoto(event);
    const { width, height } = drag.size;
    followPointer(event, {
      at: (next) => {
        const [u, v] = drag.toPhoto(next);
        return moveBy(object, u - x, v - y, width, height);
      },
      ...drag,
    });
  };
  return (
    <g
      class={isSelected ? "shape chosen" : "shape"}
      data-class={object.className}
      stroke={color}
      fill={color}
      onPointerDown={onPointerDown}
    >
      <path class="halo" d={path} />
      <path class="line" d={path} />
    </g>
  );
}

function pathOf({ box, rings }: EditObject): string {
  if (rings.length > 0) return rings.map(polygonPath).join("");
  if (!box) return "";
  const [x1, y1, x2, y2] = box;
  return `M${x1},${y1}H${x2}V${y2}H${x1}Z`;
}

import type { Drag } from "./canvas";
import {
  addPoint,
  type EditObject,
  handlesOf,
  middlesOf,
  moveHandle,
  type Point,
  removePoint,
} from "./edits";
import { followPointer } from "./pointer";

/** The points of the selected object, to drag them. */
export function Handles({ object, ...drag }: { object: EditObject } & Drag) {
  const start = (event: PointerEvent, handle: number, from: EditObject) => {
    if (event.button !== 0) return;
    event.stopPropagation(); // the photo stays where it is
    followPointer(event, { at: (next) => moveHandle(from, handle, drag.toPhoto(next)), ...drag });
  };
  return (
    <>
      {middlesOf(object).map((point, index) => (
        <Handle
          key={`middle-${index}`}
          point={point}
          class="middle"
          onPointerDown={(event) => start(event, index + 1, addPoint(object, index, point))}
        />
      ))}
      {handlesOf(object).map((point, index) => (
        <Handle
          key={`point-${index}`}
          point={point}
          class={`handle side-${index}`}
          onPointerDown={(event) => start(event, index, object)}
          onDblClick={() => object.kind === "polygon" && drag.onEnd(removePoint(object, index))}
        />
      ))}
    </>
  );
}

interface HandleProps {
  point: Point;
  class: string;
  onPointerDown: (event: PointerEvent) => void;
  onDblClick?: () => void;
}

/** A dot of the same size at every zoom, with a larger one around it that fingers meet. */
function Handle({ point: [x, y], class: name, ...events }: HandleProps) {
  const path = `M${x},${y}h0`;
  return (
    <g class={`dot ${name}`} {...events}>
      <path class="reach" d={path} />
      <path class="rim" d={path} />
      <path class="core" d={path} />
    </g>
  );
}

import { useEffect, useState } from "preact/hooks";
import type { Size } from "../../parts/zoom";
import type { ToPhoto } from "./canvas";
import { boundsOf, boxOf, type EditObject, type Point } from "./edits";

export type Tool = "select" | "box" | "polygon";

interface Props {
  tool: Tool;
  size: Size;
  color: string;
  toPhoto: ToPhoto;
  onDraw: (shape: Pick<EditObject, "kind" | "box" | "rings">) => void;
}

const NEAR = 12; // pixels of the screen around the first point that close a polygon

/** Catches the pointer over the photo, and shows what is drawn. */
export function Drawing(props: Props) {
  return props.tool === "box" ? <BoxDrawing {...props} /> : <PolygonDrawing {...props} />;
}

function BoxDrawing({ size, color, toPhoto, onDraw }: Props) {
  const [corners, setCorners] = useState<[Point, Point] | null>(null);
  const onPointerDown = (event: PointerEvent) => {
    if (event.button !== 0) return;
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    setCorners([toPhoto(event), toPhoto(event)]);
  };
  const onPointerUp = (event: PointerEvent) => {
    if (!corners) return;
    const box = boxOf(corners[0], toPhoto(event), size.width, size.height);
    setCorners(null);
    if (box) onDraw({ kind: "box", box, rings: [] });
  };
  const box = corners && boxOf(...corners, size.width, size.height);
  return (
    <>
      <rect
        class="catch"
        {...size}
        onPointerDown={onPointerDown}
        onPointerMove={(event) => corners && setCorners([corners[0], toPhoto(event)])}
        onPointerUp={onPointerUp}
        onPointerCancel={() => setCorners(null)}
      />
      {box && <Line path={`M${box[0]},${box[1]}H${box[2]}V${box[3]}H${box[0]}Z`} color={color} />}
    </>
  );
}

function PolygonDrawing({ size, color, toPhoto, onDraw }: Props) {
  const [points, setPoints] = useState<Point[]>([]);
  const [pointer, setPointer] = useState<Point | null>(null);
  const finish = () => {
    setPoints([]);
    if (points.length >= 3) onDraw({ kind: "polygon", box: boundsOf(points), rings: [points] });
  };
  useDrawingKeys(points, setPoints, finish);
  const onPointerDown = (event: PointerEvent) => {
    if (event.button !== 0) return;
    const next = toPhoto(event);
    if (points.length >= 3 && isNear(points[0] as Point, event, toPhoto)) finish();
    else setPoints([...points, next]);
  };
  const shown = pointer && points.length > 0 ? [...points, pointer] : points;
  const path = shown.length > 0 ? `M${shown.map(([x, y]) => `${x},${y}`).join("L")}` : "";
  return (
    <>
      <rect
        class="catch"
        {...size}
        onPointerDown={onPointerDown}
        onPointerMove={(event) => setPointer(toPhoto(event))}
      />
      {path && <Line path={path} color={color} />}
      {points.map(([x, y], index) => (
        <path key={`${x},${y}`} class={index === 0 ? "first rim" : "rim"} d={`M${x},${y}h0`} />
      ))}
    </>
  );
}

/** Enter ends a polygon, Backspace takes the last point back, Escape all of them. */
function useDrawingKeys(points: Point[], setPoints: (points: Point[]) => void, finish: () => void): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (points.length === 0) return;
      if (event.key === "Enter") finish();
      else if (event.key === "Backspace") setPoints(points.slice(0, -1));
      else if (event.key === "Escape") setPoints([]);
      else return;
      event.preventDefault();
      event.stopPropagation();
    };
    addEventListener("keydown", onKeyDown, { capture: true });
    return () => removeEventListener("keydown", onKeyDown, { capture: true });
  });
}

function isNear([x, y]: Point, event: PointerEvent, toPhoto: ToPhoto): boolean {
  const [u, v] = toPhoto(event);
  const [right] = toPhoto({ clientX: event.clientX + NEAR, clientY: event.clientY });
  const [left] = toPhoto({ clientX: event.clientX - NEAR, clientY: event.clientY });
  return Math.hypot(u - x, v - y) <= Math.max(right - u, u - left);
}

function Line({ path, color }: { path: string; color: string }) {
  return (
    <g class="shape chosen drawn" stroke={color} fill={color}>
      <path class="halo" d={path} />
      <path class="line" d={path} />
    </g>
  );
}

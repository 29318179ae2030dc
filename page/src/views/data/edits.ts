import type { Photo, SavedObject } from "./api";

export type Point = [x: number, y: number];
export type Box = [x1: number, y1: number, x2: number, y2: number];

/** An object while it is corrected, in pixels of the photo. */
export interface EditObject {
  /** Its own among the objects of the photo, as long as the page is open. */
  key: number;
  /** The server's, null for a new object. */
  id: number | null;
  className: string;
  /** Outlines can be seen, but not drawn anew. */
  kind: "box" | "polygon" | "outline";
  box: Box | null;
  rings: Point[][];
  /** Whether its shape is another one than the server's. */
  isReshaped: boolean;
}

export type Objects = readonly EditObject[];

/** The corrections of a photo, and the way back. */
export interface Draft {
  /** Of the photo that was corrected. */
  version: string;
  original: Objects;
  objects: Objects;
  past: readonly Objects[];
  future: readonly Objects[];
}

const MAX_STEPS = 100;
const MIN_SIDE = 2; // pixels of the photo
let lastKey = 0;

/** Nothing corrected yet. */
export function startDraft(photo: Pick<Photo, "version" | "objects">): Draft {
  const objects = photo.objects.map((found) => ({
    key: ++lastKey,
    id: found.id,
    className: found.class_name,
    kind: found.kind,
    box: found.box as Box | null,
    rings: found.rings as Point[][],
    isReshaped: false,
  }));
  return { version: photo.version, original: objects, objects, past: [], future: [] };
}

/** A new box or polygon. */
export function newObject(className: string, shape: Pick<EditObject, "kind" | "box" | "rings">): EditObject {
  return { key: ++lastKey, id: null, className, isReshaped: true, ...shape };
}

export function change(draft: Draft, objects: Objects): Draft {
  if (objects === draft.objects) return draft;
  return { ...draft, objects, past: [...draft.past, draft.objects].slice(-MAX_STEPS), future: [] };
}

export function undo(draft: Draft): Draft {
  const before = draft.past.at(-1);
  if (!before) return draft;
  return {
    ...draft,
    objects: before,
    past: draft.past.slice(0, -1),
    future: [draft.objects, ...draft.future],
  };
}

export function redo(draft: Draft): Draft {
  const [after, ...future] = draft.future;
  if (!after) return draft;
  return { ...draft, objects: after, past: [...draft.past, draft.objects], future };
}

/** Whether there is something to save. */
export function isDirty({ objects, original }: Draft): boolean {
  return (
    objects.length !== original.length ||
    objects.some((each, index) => {
      const before = original[index] as EditObject;
      return each.key !== before.key || each.className !== before.className || each.isReshaped;
    })
  );
}

/** The objects as the server takes them. Shapes that stay are left out, so that the file keeps their numbers. */
export function bodyOf(draft: Draft): SavedObject[] {
  return draft.objects.map((each) => {
    const named = { class_name: each.className, id: each.id };
    if (!each.isReshaped || each.kind === "outline") return { ...named, shape: null };
    if (each.kind === "polygon") return { ...named, shape: { kind: "polygon", points: each.rings[0] ?? [] } };
    return { ...named, shape: { kind: "box", box: each.box as Box } };
  });
}

/** The same objects with one exchanged. */
export function exchange(objects: Objects, changed: EditObject): Objects {
  return objects.map((each) => (each.key === changed.key ? changed : each));
}

// ---------------------------------------------------------------- shapes

/** The points that can be dragged: eight of a box, clockwise from the upper left corner, or those of a polygon. */
export function handlesOf(object: EditObject): Point[] {
  if (object.kind === "polygon") return object.rings[0] ?? [];
  if (object.kind === "outline" || !object.box) return [];
  const [x1, y1, x2, y2] = object.box;
  const [x, y] = [(x1 + x2) / 2, (y1 + y2) / 2];
  return [
    [x1, y1],
    [x, y1],
    [x2, y1],
    [x2, y],
    [x2, y2],
    [x, y2],
    [x1, y2],
    [x1, y],
  ];
}

/** The middle of each side of a polygon, where a point can be added. */
export function middlesOf(object: EditObject): Point[] {
  if (object.kind !== "polygon") return [];
  const ring = object.rings[0] ?? [];
  return ring.map(([x, y], index) => {
    const [u, v] = ring[(index + 1) % ring.length] as Point;
    return [(x + u) / 2, (y + v) / 2];
  });
}

/** The object with one of its handles elsewhere. */
export function moveHandle(object: EditObject, handle: number, [x, y]: Point): EditObject {
  if (object.kind === "polygon") {
    const ring = (object.rings[0] ?? []).map((point, index) =>
      index === handle ? ([x, y] as Point) : point,
    );
    return withRing(object, ring);
  }
  const [x1, y1, x2, y2] = object.box as Box;
  const isLeft = [0, 6, 7].includes(handle);
  const isRight = [2, 3, 4].includes(handle);
  const isTop = [0, 1, 2].includes(handle);
  const isBottom = [4, 5, 6].includes(handle);
  return withBox(object, [isLeft ? x : x1, isTop ? y : y1, isRight ? x : x2, isBottom ? y : y2]);
}

/** The polygon with a further point after another one. */
export function addPoint(object: EditObject, after: number, point: Point): EditObject {
  const ring = [...(object.rings[0] ?? [])];
  ring.splice(after + 1, 0, point);
  return withRing(object, ring);
}

/** The polygon without a point; a triangle stays. */
export function removePoint(object: EditObject, index: number): EditObject {
  const ring = object.rings[0] ?? [];
  return ring.length <= 3 ? object : withRing(object, ring.toSpliced(index, 1));
}

/** The object moved, but not beyond the photo. */
export function moveBy(
  object: EditObject,
  dx: number,
  dy: number,
  width: number,
  height: number,
): EditObject {
  if (object.kind === "outline" || !object.box) return object;
  const [x1, y1, x2, y2] = object.kind === "polygon" ? boundsOf(object.rings[0] ?? []) : object.box;
  const right = Math.max(-x1, Math.min(dx, width - x2));
  const down = Math.max(-y1, Math.min(dy, height - y2));
  if (right === 0 && down === 0) return object;
  if (object.kind === "box") return withBox(object, [x1 + right, y1 + down, x2 + right, y2 + down]);
  return withRing(
    object,
    (object.rings[0] ?? []).map(([x, y]) => [x + right, y + down]),
  );
}

/** A box around two corners, of two pixels at least and inside of the photo. */
export function boxOf([x, y]: Point, [u, v]: Point, width: number, height: number): Box | null {
  const [x1, x2] = [Math.max(0, Math.min(x, u)), Math.min(width, Math.max(x, u))];
  const [y1, y2] = [Math.max(0, Math.min(y, v)), Math.min(height, Math.max(y, v))];
  return x2 - x1 < MIN_SIDE || y2 - y1 < MIN_SIDE ? null : [x1, y1, x2, y2];
}

export function boundsOf(ring: readonly Point[]): Box {
  const xs = ring.map(([x]) => x);
  const ys = ring.map(([, y]) => y);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

function withBox(object: EditObject, [x1, y1, x2, y2]: Box): EditObject {
  const box: Box = [Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)];
  return { ...object, box, isReshaped: true };
}

function withRing(object: EditObject, ring: Point[]): EditObject {
  return { ...object, rings: [ring], box: boundsOf(ring), isReshaped: true };
}

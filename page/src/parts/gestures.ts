import { panBy, type Size, WHOLE, type ZoomStore, zoomAt } from "./zoom";

const STEP = 1.4; // of a button or key
const PAN_STEP = 60; // pixels of the screen

/** A view that can be zoomed. */
export interface Zoomable {
  frame: HTMLElement;
  zoom: ZoomStore;
  photo: Size;
  /** Whether dragging with one finger or the mouse moves the photo. */
  canPan(): boolean;
}

type Point = { x: number; y: number };

/** Zoom and move a photo by wheel, drag and pinch. Returns what ends it. */
export function listenToGestures(view: Zoomable): () => void {
  const { frame } = view;
  const pointers = new Map<number, Point>();
  const stop = new AbortController();
  const options = { signal: stop.signal };
  frame.addEventListener("wheel", (event) => onWheel(event, view), { ...options, passive: false });
  frame.addEventListener(
    "pointerdown",
    (event) => {
      if ((event.target as Element).closest("button, a, input")) return;
      if (!view.canPan() && event.pointerType !== "touch") return;
      pointers.set(event.pointerId, pointOf(event, frame));
    },
    options,
  );
  frame.addEventListener("pointermove", (event) => onMove(event, view, pointers), options);
  for (const end of ["pointerup", "pointercancel", "pointerleave"] as const) {
    frame.addEventListener(end, (event) => pointers.delete(event.pointerId), options);
  }
  return () => stop.abort();
}

function onWheel(event: WheelEvent, view: Zoomable): void {
  const isOut = event.deltaY > 0;
  if (isOut && view.zoom.get().scale === 1 && !event.ctrlKey) return; // the page scrolls
  event.preventDefault();
  const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 30 : 1;
  const delta = Math.max(-120, Math.min(120, event.deltaY * lines));
  zoomBy(view, Math.exp(-delta / (event.ctrlKey ? 100 : 300)), pointOf(event, view.frame));
}

function onMove(event: PointerEvent, view: Zoomable, pointers: Map<number, Point>): void {
  const before = pointers.get(event.pointerId);
  if (!before) return;
  const now = pointOf(event, view.frame);
  const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
  pointers.set(event.pointerId, now);
  const size = sizeOf(view.frame);
  if (other) {
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    zoomBy(view, distance(now, other) / Math.max(1, distance(before, other)), middle);
    view.zoom.set(panBy(view.zoom.get(), (now.x - before.x) / 2, (now.y - before.y) / 2, view.photo, size));
  } else if (view.canPan() && view.zoom.get().scale > 1) {
    if (!view.frame.hasPointerCapture(event.pointerId)) view.frame.setPointerCapture(event.pointerId);
    view.zoom.set(panBy(view.zoom.get(), now.x - before.x, now.y - before.y, view.photo, size));
  }
}

/** Zoom by a factor around a point of the view; without one, around its middle. */
export function zoomBy(view: Omit<Zoomable, "canPan">, factor: number, at?: Point): void {
  const size = sizeOf(view.frame);
  const { x, y } = at ?? { x: size.width / 2, y: size.height / 2 };
  view.zoom.set(zoomAt(view.zoom.get(), factor, x, y, view.photo, size));
}

/** What the buttons do. */
export function zoomIn(view: Omit<Zoomable, "canPan">): void {
  zoomBy(view, STEP);
}

export function zoomOut(view: Omit<Zoomable, "canPan">): void {
  zoomBy(view, 1 / STEP);
}

/** Zoom and move by + - 0 and the arrows. Arrows are left to others while all of the photo is shown. */
export function onZoomKey(event: KeyboardEvent, view: Omit<Zoomable, "canPan">): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const moves: Record<string, Point> = {
    ArrowLeft: { x: PAN_STEP, y: 0 },
    ArrowRight: { x: -PAN_STEP, y: 0 },
    ArrowUp: { x: 0, y: PAN_STEP },
    ArrowDown: { x: 0, y: -PAN_STEP },
  };
  const move = moves[event.key];
  if (event.key === "+" || event.key === "=") zoomIn(view);
  else if (event.key === "-") zoomOut(view);
  else if (event.key === "0") view.zoom.set(WHOLE);
  else if (move && view.zoom.get().scale > 1) {
    view.zoom.set(panBy(view.zoom.get(), move.x, move.y, view.photo, sizeOf(view.frame)));
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

export function sizeOf(frame: HTMLElement): Size {
  return { width: frame.clientWidth, height: frame.clientHeight };
}

function pointOf(event: MouseEvent, frame: HTMLElement): Point {
  const edges = frame.getBoundingClientRect();
  return { x: event.clientX - edges.left, y: event.clientY - edges.top };
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

import type { EditObject } from "./edits";

interface Follower {
  /** The object when the pointer is somewhere. */
  at: (event: PointerEvent) => EditObject;
  onMove: (object: EditObject | null) => void;
  /** Called only if the object has changed. */
  onEnd: (object: EditObject) => void;
}

/** Follow the pointer until it is lifted. Escape and a cancelled touch leave the object as it was. */
export function followPointer(start: PointerEvent, { at, onMove, onEnd }: Follower): void {
  const target = start.currentTarget as Element;
  const stop = new AbortController();
  const options = { signal: stop.signal };
  let last: EditObject | null = null;
  const end = (isKept: boolean) => {
    stop.abort();
    if (last && isKept) onEnd(last);
    onMove(null);
  };
  if (target.isConnected) target.setPointerCapture(start.pointerId);
  const isSame = (event: PointerEvent) => event.pointerId === start.pointerId;
  addEventListener(
    "pointermove",
    (event) => {
      if (!isSame(event)) return;
      last = at(event);
      onMove(last);
    },
    options,
  );
  addEventListener("pointerup", (event) => isSame(event) && end(true), options);
  addEventListener("pointercancel", (event) => isSame(event) && end(false), options);
  addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      end(false);
    },
    { ...options, capture: true },
  );
}

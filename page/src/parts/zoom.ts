import { createStore, type Store } from "../shell/store";

/** What part of a photo a view shows. Views that share it show the same part, whatever their sizes. */
export interface Zoom {
  /** 1 shows the whole photo. */
  scale: number;
  /** The point in the middle of the view, as fractions of the photo's width and height. */
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

/** Where a photo lies in a view: its pixels are scaled by `scale`, and then moved. */
export interface Placement {
  scale: number;
  left: number;
  top: number;
}

export const WHOLE: Zoom = { scale: 1, x: 0.5, y: 0.5 };
export const MAX_PIXEL = 24; // the largest size of a photo's pixel on the screen
const MIN_MAX_SCALE = 8;

export type ZoomStore = Store<Zoom>;

export function createZoom(): ZoomStore {
  return createStore(WHOLE);
}

/** Where the photo lies in a view of some size. */
export function place(zoom: Zoom, photo: Size, view: Size): Placement {
  const scale = fit(photo, view) * zoom.scale;
  return {
    scale,
    left: view.width / 2 - zoom.x * photo.width * scale,
    top: view.height / 2 - zoom.y * photo.height * scale,
  };
}

/** Zoom by a factor; the point of the photo at (x, y) in the view stays there. */
export function zoomAt(zoom: Zoom, factor: number, x: number, y: number, photo: Size, view: Size): Zoom {
  const before = place(zoom, photo, view);
  const most = Math.max(MIN_MAX_SCALE, MAX_PIXEL / fit(photo, view));
  const scale = Math.min(most, Math.max(1, zoom.scale * factor));
  const pixels = fit(photo, view) * scale;
  const [atX, atY] = [(x - before.left) / before.scale, (y - before.top) / before.scale];
  const next = {
    scale,
    x: (atX + (view.width / 2 - x) / pixels) / photo.width,
    y: (atY + (view.height / 2 - y) / pixels) / photo.height,
  };
  return inside(next, photo, view);
}

/** Move the photo by some pixels of the screen. */
export function panBy(zoom: Zoom, dx: number, dy: number, photo: Size, view: Size): Zoom {
  const { scale } = place(zoom, photo, view);
  const next = { ...zoom, x: zoom.x - dx / (scale * photo.width), y: zoom.y - dy / (scale * photo.height) };
  return inside(next, photo, view);
}

/** Show a box of the photo, with some space around it. box: x1, y1, x2, y2 in pixels */
export function zoomTo(box: readonly [number, number, number, number], photo: Size, view: Size): Zoom {
  const [x1, y1, x2, y2] = box;
  const wanted = Math.min(view.width / (2 * Math.max(1, x2 - x1)), view.height / (2 * Math.max(1, y2 - y1)));
  const scale = Math.max(1, Math.min(wanted, MAX_PIXEL) / fit(photo, view));
  return inside({ scale, x: (x1 + x2) / 2 / photo.width, y: (y1 + y2) / 2 / photo.height }, photo, view);
}

/** Pixels of the screen per pixel of the photo when all of it is shown. */
export function fit(photo: Size, view: Size): number {
  return Math.min(view.width / photo.width, view.height / photo.height) || 1;
}

/** The same zoom, moved so that no space is wasted. */
function inside(zoom: Zoom, photo: Size, view: Size): Zoom {
  const pixels = fit(photo, view) * zoom.scale;
  const clamp = (at: number, shown: number, all: number) => {
    const half = shown / (2 * all * pixels);
    return half >= 0.5 ? 0.5 : Math.min(1 - half, Math.max(half, at));
  };
  return {
    scale: zoom.scale,
    x: clamp(zoom.x, view.width, photo.width),
    y: clamp(zoom.y, view.height, photo.height),
  };
}

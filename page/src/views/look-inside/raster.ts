import { bytesOf } from "../../parts/base64";
import { decodeLabelMap, paintLabelMap } from "../../parts/label-map";
import type { Cells, LabelLayer } from "./explanation";
import { heat } from "./heat";

const LOW_OPACITY = 0.35; // of the lowest value, as in saved pictures
const HIGH_OPACITY = 0.85;

const HEAT = Array.from({ length: 256 }, (_, byte) => [
  ...heat(byte / 255),
  Math.round(255 * (LOW_OPACITY + ((HIGH_OPACITY - LOW_OPACITY) * byte) / 255)),
]);

type Bytes = Uint8ClampedArray<ArrayBuffer>;

/** RGBA of each cell. Cells with less than `lowest` are clear. opaque: without the photo behind them */
export function cellPixels(cells: Cells, lowest: number | null, opaque = false): Bytes {
  const span = cells.high - cells.low;
  const first = lowest !== null && span > 0 ? Math.ceil((255 * (lowest - cells.low)) / span) : 0;
  const pixels = new Uint8ClampedArray(4 * cells.width * cells.height);
  bytesOf(cells.bytes).forEach((byte, index) => {
    if (byte >= first) pixels.set(HEAT[byte] ?? [], 4 * index);
    if (opaque) pixels[4 * index + 3] = 255;
  });
  return pixels;
}

/** A small map in the colors of heat. */
export function cellCanvas(cells: Cells, lowest: number | null, opaque = false): HTMLCanvasElement {
  return canvasOf(cellPixels(cells, lowest, opaque), cells.width, cells.height);
}

/** A label map in the colors of its classes, or of the objects. hidden: their names, or numbers */
export async function labelCanvas(
  layer: LabelLayer,
  classNames: readonly string[],
  hidden: ReadonlySet<string>,
) {
  const names = layer.of === "objects" ? OBJECT_NAMES : classNames;
  return paintLabelMap(await decodeLabelMap(layer.png), names, hidden);
}

/** Object n has the label n, and the color of the number n - 1. */
const OBJECT_NAMES = ["background", ...Array.from({ length: 255 }, (_, number) => `${number}`)];

function canvasOf(pixels: Bytes, width: number, height: number): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  context2d(canvas).putImageData(new ImageData(pixels, width, height), 0, 0);
  return canvas;
}

function context2d(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser cannot draw on a canvas.");
  return context;
}

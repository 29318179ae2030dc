import { bytesOf } from "./base64";
import { isBackground, mapColors, rgb } from "./colors";

/** The classes of a photo's pixels, as indices into the class names; 255 is not labeled. */
export interface LabelMap {
  width: number;
  height: number;
  labels: Uint8Array;
}

/** Decode the PNG of a label map, whose gray values are the classes. */
export async function decodeLabelMap(base64: string): Promise<LabelMap> {
  const bytes = bytesOf(base64);
  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }), {
    colorSpaceConversion: "none", // the values are no colors
    premultiplyAlpha: "none",
  });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d") as OffscreenCanvasRenderingContext2D;
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const labels = new Uint8Array(width * height);
  for (let i = 0; i < labels.length; i++) labels[i] = data[4 * i] as number;
  return { width, height, labels };
}

/** Paint the shown classes in their colors, with white borders between classes, for an overlay. */
export function paintLabelMap(
  map: LabelMap,
  names: readonly string[],
  hidden: ReadonlySet<string>,
): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = map.width;
  canvas.height = map.height;
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  const picture = context.createImageData(map.width, map.height);
  fill(new Uint32Array(picture.data.buffer), map, palette(names, hidden));
  context.putImageData(picture, 0, 0);
  return canvas;
}

/** One color per label, as the four bytes of a pixel; 0 is clear. */
function palette(names: readonly string[], hidden: ReadonlySet<string>): Uint32Array {
  const colors = new Uint32Array(256);
  mapColors(names).forEach((color, label) => {
    const name = names[label] as string;
    if (!isBackground(name) && !hidden.has(name)) colors[label] = pixel(...rgb(color));
  });
  return colors;
}

function fill(pixels: Uint32Array, { width, height, labels }: LabelMap, colors: Uint32Array): void {
  const white = pixel(255, 255, 255);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      const color = colors[labels[i] as number] as number;
      const right = x + 1 < width ? (colors[labels[i + 1] as number] as number) : color;
      const below = y + 1 < height ? (colors[labels[i + width] as number] as number) : color;
      pixels[i] = right !== color || below !== color ? white : color;
    }
  }
}

function pixel(red: number, green: number, blue: number): number {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

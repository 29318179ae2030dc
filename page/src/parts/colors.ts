/** The colors of classes, the same as in the pictures that boxmask saves: boxmask/visualization/style.py. */

/** Okabe and Ito's palette (2008) without black, then Tol's "muted" (2021): safe for color-blind people. */
export const PALETTE = [
  "#56B4E9",
  "#E69F00",
  "#009E73",
  "#CC79A7",
  "#F0E442",
  "#0072B2",
  "#D55E00",
  "#882255",
  "#DDCC77",
  "#332288",
  "#44AA99",
  "#999933",
] as const;

const GOLDEN_ANGLE = 0.381966; // of a full turn: consecutive hues are far apart
const BACKGROUND_NAMES = ["background", "_background_"];

export type Color = string;

/** The color of a class of a detector, by its place in the class names. */
export function boxColor(label: number): Color {
  return PALETTE[label % PALETTE.length] as Color;
}

/** The color of a number: first the palette, then hues in between. */
export function distinctColor(index: number): Color {
  const known = PALETTE[index];
  if (known !== undefined) return known;
  const level = Math.floor(index / 7) % 3;
  const hue = ((index - PALETTE.length) * GOLDEN_ANGLE) % 1;
  return hsv(hue, 0.9 - 0.25 * level, 0.6 + 0.18 * level);
}

/** The colors of a label map's classes. The background is black and is not counted. */
export function mapColors(names: readonly string[]): Color[] {
  const colors: Color[] = [];
  let index = 0;
  for (const name of names) {
    const isFirstBackground = isBackground(name) && !colors.includes("#000000");
    colors.push(isFirstBackground ? "#000000" : distinctColor(index++));
  }
  return colors;
}

/** Whether a class is the background, which is not tinted. */
export function isBackground(name: string): boolean {
  return BACKGROUND_NAMES.includes(name.toLowerCase());
}

/** #RRGGBB as three numbers. */
export function rgb(color: Color): [number, number, number] {
  const value = Number.parseInt(color.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

function hsv(hue: number, saturation: number, value: number): Color {
  const sector = Math.floor(hue * 6);
  const f = hue * 6 - sector;
  const [p, q, t] = [1 - saturation, 1 - saturation * f, 1 - saturation * (1 - f)].map((x) => value * x);
  const channels = [
    [value, t, p],
    [q, value, p],
    [p, value, t],
    [p, q, value],
    [t, p, value],
    [value, p, q],
  ][sector % 6] as number[];
  return `#${channels
    .map((x) =>
      roundHalfEven(255 * x)
        .toString(16)
        .padStart(2, "0"),
    )
    .join("")}`.toUpperCase();
}

/** As Python rounds. */
function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor === 0.5) return floor + (floor % 2);
  return Math.round(x);
}

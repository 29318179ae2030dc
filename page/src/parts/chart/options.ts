import type uPlot from "uplot";

/** A curve: one value per x, or null where it has none. */
export interface Curve {
  name: string;
  values: readonly (number | null)[];
  /** "points" are not joined; "edge" is a side of a band, two of which follow each other: low, high. */
  kind?: "line" | "points" | "edge";
}

export interface ChartData {
  x: readonly number[];
  curves: readonly Curve[];
  /** What x counts. */
  xLabel: string;
  /** The y axis shows 0 to this; by default as much as there is. */
  top?: number;
}

/** The colors of the page, in the order of the curves. */
export const COLORS = ["--accent", "--split-1", "--split-2", "--note", "--error", "--warning", "--soft"];

export function colorOf(index: number): string {
  return COLORS[index % COLORS.length] as string;
}

/** How uPlot draws a chart with the colors of the page as they are now. */
export function optionsOf(data: ChartData, size: { width: number; height: number }): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(name).trim();
  return {
    ...size,
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { size: 7 } },
    scales: {
      x: { time: false, range: (_, __, high) => [0, 1.02 * (high || 1)] },
      y: { range: (_, low, high) => rangeOf(data, low, high) },
    },
    axes: [axis(color, data.xLabel), { ...axis(color), size: 54 }],
    series: [
      {},
      ...data.curves.map((curve, index) => seriesOf(curve, color(colorOf(colorIndex(data, index))))),
    ],
    bands: bandsOf(data, (index) => `${color(colorOf(colorIndex(data, index)))}2e`),
  };
}

/** Both edges of a band have the color of the curve before them. */
function colorIndex(data: ChartData, index: number): number {
  let found = index;
  while (found > 0 && data.curves[found]?.kind === "edge") found -= 1;
  return found;
}

function axis(color: (name: string) => string, label?: string): uPlot.Axis {
  const stroke = color("--soft");
  const grid = { stroke: color("--line"), width: 1 };
  return {
    stroke,
    grid,
    ticks: grid,
    font: "12px system-ui, sans-serif",
    ...(label
      ? { label, labelSize: 18, labelGap: -4, labelFont: "12px system-ui, sans-serif", size: 34 }
      : {}),
  };
}

function seriesOf(curve: Curve, stroke: string): uPlot.Series {
  const isJoined = curve.kind !== "points";
  return {
    label: curve.name,
    stroke,
    width: curve.kind === "edge" ? 0 : isJoined ? 2 : 0,
    spanGaps: true,
    points: {
      show: curve.kind === "points" || (isJoined && curve.kind !== "edge" && isShort(curve)),
      size: 7,
      fill: stroke,
    },
  };
}

/** Whether a curve is so short that its points are worth seeing. */
function isShort(curve: Curve): boolean {
  return curve.values.filter((value) => value !== null).length <= 24;
}

function bandsOf(data: ChartData, fill: (index: number) => string): uPlot.Band[] {
  return data.curves.flatMap((curve, index) =>
    curve.kind === "edge" && data.curves[index + 1]?.kind === "edge"
      ? [{ series: [index + 2, index + 1] as [number, number], fill: fill(index) }]
      : [],
  );
}

/** From 0, with a little air above the highest value. */
export function rangeOf(data: ChartData, low: number | null, high: number | null): [number, number] {
  if (data.top !== undefined) return [0, data.top];
  return [Math.min(0, low ?? 0), (high ?? 0) > 0 ? 1.06 * (high as number) : 1];
}

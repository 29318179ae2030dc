import type { Schema } from "../../api/client";
import type { Curve } from "../../parts/chart/options";

interface Names {
  measured: string;
  expected: string;
}

/** The measured trainings, and the expected metric with its band. */
export function learningCurves(
  curve: Schema<"LearningCurve">,
  names: Names,
): { x: number[]; curves: Curve[] } {
  const points = [...curve.points].sort((a, b) => a.photos - b.photos);
  const outlooks = [...curve.outlooks].sort((a, b) => a.photos - b.photos);
  const ahead = outlooks.map(({ photos }) => photos);
  const x = [...points.map(({ photos }) => photos), ...ahead];
  const before = points.map(() => null);
  const after = outlooks.map(() => null);
  const measured: Curve = {
    name: names.measured,
    values: [...points.map(({ value }) => value), ...after],
    kind: "points",
  };
  if (!outlooks.length) return { x, curves: [measured] };
  const edge = (side: "low" | "high"): Curve => ({
    name: `${names.expected} ${side}`,
    values: [...before, ...outlooks.map(({ interval }) => interval[side])],
    kind: "edge",
  });
  const expected = { name: names.expected, values: [...before, ...outlooks.map(({ value }) => value)] };
  return { x, curves: [measured, expected, edge("low"), edge("high")] };
}

import type { Schema } from "../../api/client";
import type { Curve } from "../../parts/chart/options";

const MAX_PARTS = 5;

interface Curves {
  x: number[];
  curves: Curve[];
}

/** The sum of all losses, and its parts if they are few. */
export function lossCurves(curves: Schema<"Curves">, sum: string): Curves {
  const parts = Object.entries(curves.losses);
  const total = curves.minutes.map((_, row) => sumOf(parts.map(([, values]) => values[row] ?? null)));
  const shown = parts.length > 1 && parts.length <= MAX_PARTS ? parts : [];
  return {
    x: curves.minutes,
    curves: [{ name: sum, values: total }, ...shown.map(([name, values]) => ({ name, values }))],
  };
}

function sumOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length ? known.reduce((sum, value) => sum + value, 0) : null;
}

/** One curve per metric. */
export function metricCurves(validations: readonly Schema<"Validation">[]): Curves {
  const names = new Set(validations.flatMap((validation) => Object.keys(validation.metrics)));
  return {
    x: validations.map((validation) => validation.minutes),
    curves: [...names].map((name) => ({
      name,
      values: validations.map((validation) => validation.metrics[name] ?? null),
    })),
  };
}

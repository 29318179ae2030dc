import type { Schema } from "../../api/client";
import type { Curve } from "../../parts/chart/options";

/** A metric of several trainings over the same minutes. Trainings without it are left out. */
export function joinValidations(
  trainings: readonly Schema<"TrainedModel">[],
  metric: string,
): { x: number[]; curves: Curve[] } {
  const measured = trainings
    .map(({ name, validations }) => ({
      name,
      values: new Map(
        validations
          .filter((validation) => metric in validation.metrics)
          .map((validation) => [validation.minutes, validation.metrics[metric] ?? null]),
      ),
    }))
    .filter(({ values }) => values.size > 0);
  const x = [...new Set(measured.flatMap(({ values }) => [...values.keys()]))].sort((a, b) => a - b);
  return {
    x,
    curves: measured.map(({ name, values }) => ({ name, values: x.map((at) => values.get(at) ?? null) })),
  };
}

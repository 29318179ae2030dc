"""How often `boxmask forecast` is right: `python benchmarks/forecast_coverage.py [DATA...] --out DIR`.

Without DATA, learning curves are simulated: known curves, of families that the forecast knows and of others,
with noise. The table says how often the true value was inside the intervals.

With DATA, models are trained on parts of the labels, from a sixteenth to all, with the flags after "--" (see
`boxmask train --help`). The forecast gets the trainings on at most half of the photos, and then on at most a
quarter. The table compares it with the trainings on more photos, which it has not seen. Trainings that are in
DIR already are not repeated.

    python benchmarks/forecast_coverage.py ../shared/data/raccoon --out coverage -- --size 160 --epochs 10
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table

from boxmask.forecasting.fit import fit_curve
from boxmask.forecasting.folder import EVALUATIONS, PARTS, ForecastFolder
from boxmask.forecasting.labels import read_labels
from boxmask.forecasting.options import ForecastOptions
from boxmask.forecasting.outlook import look_ahead
from boxmask.forecasting.trainings import CLASS_METRICS, measure_all
from boxmask.runs.recipe import Recipe
from boxmask.runs.serialization import recipe_to_dict
from boxmask.runs.work_folder import check_settings, claim_folder, record_split
from boxmask.tasks.table import task_of
from boxmask.training.initialization import InitSources
from boxmask.training.progress import Report

SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4)
KNOWN = (1 / 2, 1 / 4)  # the largest share of the photos that the forecast knows
CONFIDENCES = (0.5, 0.8, 0.95)
METRICS = ("AP", "AP50", "AP75", "mask_AP", "mask_AP50", "mIoU", "accuracy")

# ---------------------------------------------------------------- simulated curves

Curve = Callable[[np.ndarray], np.ndarray]


def power_law(best: float, now: float, slope: float) -> Curve:
    return lambda ratio: best - (best - now) * ratio**-slope


def logistic(best: float, now: float, slope: float) -> Curve:
    return lambda ratio: best / (1 + (best - now) / now * ratio**-slope)


def exponential(best: float, now: float, slope: float) -> Curve:
    return lambda ratio: best - (best - now) * np.exp(-slope * (ratio - 1))


def logarithm(best: float, now: float, slope: float) -> Curve:
    return lambda ratio: now + (best - now) * slope * np.log(ratio)


def arctangent(best: float, now: float, slope: float) -> Curve:
    return lambda ratio: best * np.arctan(3 * slope * ratio) / (np.pi / 2)


def broken(best: float, now: float, slope: float) -> Curve:
    """Half of the slope beyond the present photos, which no training can tell."""
    return lambda ratio: best - (best - now) * np.where(ratio < 1, ratio**-slope, ratio ** (-slope / 2))


def flat(best: float, now: float, slope: float) -> Curve:
    return lambda ratio: now + 0 * ratio


CURVES = (power_law, logistic, exponential, logarithm, arctangent, broken, flat)
MORE = (0, 25, 50, 100)


@dataclass
class Simulation:
    """How often the intervals held the truth, by the name of the curve, what was forecast and confidence."""

    inside: dict[tuple[str, str, float], list[np.ndarray]]

    def add(self, name: str, kind: str, values: np.ndarray, truth: np.ndarray) -> None:
        for confidence in CONFIDENCES:
            low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
            self.inside[name, kind, confidence].append((low - 1e-9 <= truth) & (truth <= high + 1e-9))


def simulate(count: int, seed: int) -> Simulation:
    """Forecasts for random curves with random noise, each of which the forecast sees ten trainings of."""
    random, result = np.random.default_rng(seed), Simulation(defaultdict(list))
    for number in range(count):
        family, present = CURVES[number % len(CURVES)], int(random.choice([24, 40, 140, 205]))
        best = random.uniform(0.4, 0.98)
        curve = family(best, best * random.uniform(0.35, 0.98), random.uniform(0.15, 1.1))
        spread, spread_slope = np.exp(random.uniform(np.log(0.004), np.log(0.05))), random.uniform(0, 0.6)

        def true(photos: np.ndarray, curve: Curve = curve, present: int = present) -> np.ndarray:
            return np.clip(curve(photos / present), 0, 0.99)

        def training(
            photos: np.ndarray,
            true: Callable[[np.ndarray], np.ndarray] = true,
            scale: tuple[float, float, int] = (spread, spread_slope, present),
        ) -> np.ndarray:
            metric = np.clip(true(photos), 0.02, 0.98)
            deviation = scale[0] * (photos / scale[2]) ** -scale[1] * np.sqrt(4 * metric * (1 - metric))
            return np.clip(true(photos) + deviation * random.standard_normal(len(photos)), 0, 1)

        eighth, quarter, half = (max(4, round(present * share)) for share in (1 / 8, 1 / 4, 1 / 2))
        photos = np.array([eighth] * 3 + [quarter] * 3 + [half] * 2 + [present] * 2, dtype=np.float64)
        fit = fit_curve(photos, training(photos), number)
        ahead = np.array([present + more for more in MORE], dtype=np.float64)
        curves, name = fit.metric_at(ahead), family.__name__
        result.add(name, "one training", fit.trainings_at(ahead), training(ahead))
        result.add(name, "average", curves, true(ahead))
        result.add(name, "gain", curves - curves[:, :1], true(ahead) - true(ahead)[0])
    return result


def simulation_table(result: Simulation) -> Table:
    table = Table(title="share of true values inside the intervals", title_justify="left")
    for heading in ("forecast", "curves", "interval", *(f"{more} more" for more in MORE)):
        table.add_column(heading)
    names = [family.__name__ for family in CURVES]
    for kind in ("one training", "average", "gain"):
        for confidence in CONFIDENCES:
            _add_row(table, result, kind, "all", names, confidence)
        for name in names:
            _add_row(table, result, kind, name.replace("_", " "), [name], 0.95)
        table.add_section()
    return table


def _add_row(
    table: Table, result: Simulation, kind: str, title: str, names: Sequence[str], confidence: float
) -> None:
    inside = np.concatenate([result.inside[name, kind, confidence] for name in names]).mean(axis=0)
    table.add_row(kind, title, f"{confidence:.0%}", *(f"{share:.3f}" for share in inside))


# ---------------------------------------------------------------- real trainings


@dataclass(frozen=True)
class Check:
    """A forecast, and the trainings that it had not seen."""

    data: str
    curve: str
    known: int
    photos: int
    forecast: float
    low: float
    high: float
    measured: tuple[float, ...]

    @property
    def inside(self) -> int:
        return sum(self.low <= value <= self.high for value in self.measured)


def measure(data: Path, recipe: Recipe, out: Path) -> list[Check]:
    """Train on parts of a data set, and compare forecasts from the small parts with the large ones."""
    options = ForecastOptions(recipe)
    with claim_folder(ForecastFolder(out / data.name), (PARTS, EVALUATIONS)) as folder:
        labels = read_labels(data, recipe, options, folder, SHARES)
        check_settings(folder, {"labels": labels.dataset.fingerprint(), **recipe_to_dict(recipe)})
        record_split(folder, labels.photos)
        measure_all(labels, recipe, folder, Report())
        curves: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for part in labels.parts:
            evaluation = json.loads(folder.evaluation_file(part.name).read_text())["evaluation"]
            for name, value in metrics_of(evaluation, task_of(recipe.model).metrics[0]):
                curves[name].append((len(part.photos), value))
    return [check for name, points in curves.items() for check in checks(data.name, name, points)]


def metrics_of(evaluation: dict[str, Any], metric: str) -> Iterable[tuple[str, float]]:
    """The metrics over all classes, and that of each class."""
    yield from ((name, evaluation[name]) for name in METRICS if evaluation.get(name) is not None)
    if len(evaluation["per_class"]) > 1:
        for name, values in evaluation["per_class"].items():
            if (value := values.get(CLASS_METRICS[metric])) is not None:
                yield f"{metric} of {name}", value


def checks(data: str, curve: str, points: Sequence[tuple[int, float]]) -> Iterable[Check]:
    total = max(photos for photos, _ in points)
    for share in KNOWN:
        known = [(photos, value) for photos, value in points if photos <= share * total + 1]
        present = max(photos for photos, _ in known)
        hidden = sorted({photos for photos, _ in points if photos > present})
        ahead = look_ahead(*zip(*known, strict=True), [photos - present for photos in hidden])
        for outlook in ahead.outlooks:
            measured = tuple(value for photos, value in points if photos == outlook.photos)
            yield Check(data, curve, present, outlook.photos, outlook.metric, *outlook.interval, measured)


def check_table(found: Sequence[Check]) -> Table:
    table = Table(title="forecasts and later trainings", title_justify="left")
    for heading in ("data", "curve", "known", "photos", "forecast", "95 % interval", "measured", "inside"):
        table.add_column(heading)
    for check in found:
        measured = ", ".join(f"{value:.3f}" for value in check.measured)
        interval = f"{check.low:.3f} to {check.high:.3f}"
        inside = f"{check.inside} of {len(check.measured)}"
        numbers = (f"{check.known}", f"{check.photos}", f"{check.forecast:.3f}")
        table.add_row(check.data, check.curve, *numbers, interval, measured, inside)
    return table


def coverage_table(found: Sequence[Check]) -> Table:
    table = Table(title="coverage of the 95 % intervals", title_justify="left")
    for heading in ("data", "curves", "inside", "trainings", "mean error of the forecast", "mean width"):
        table.add_column(heading)
    groups: dict[tuple[str, str], list[Check]] = defaultdict(list)
    for check in found:
        for data in (check.data, "all"):
            groups[data, "per class" if " of " in check.curve else "over all classes"].append(check)
    for (data, curves), members in sorted(groups.items()):
        total = sum(len(check.measured) for check in members)
        inside = sum(check.inside for check in members)
        error = np.mean([abs(check.forecast - np.mean(check.measured)) for check in members])
        width = np.mean([check.high - check.low for check in members])
        table.add_row(data, curves, f"{inside / total:.3f}", f"{total}", f"{error:.3f}", f"{width:.3f}")
    return table


def read_recipe(flags: Sequence[str]) -> Recipe:
    """The recipe of flags of `boxmask train`."""
    app = App(default_parameter=Parameter(negative_iterable=""))

    @app.default
    def recipe(*, recipe: Annotated[Recipe, Parameter(name="*")] = Recipe()) -> Recipe:  # noqa: B008 (frozen)
        return InitSources.from_recipe(recipe).resolve(recipe)

    result: Recipe = app(list(flags), result_action="return_value")
    return result


def main() -> None:
    words = sys.argv[1:]
    end = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(
        prog="forecast_coverage", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="*", type=Path)
    parser.add_argument("--out", type=Path, default=Path("forecast-coverage"))
    parser.add_argument("--simulations", type=int, default=2800)
    parser.add_argument("--seed", type=int, default=0)
    args, console = parser.parse_args(words[:end]), Console(width=140)
    if not args.data:
        console.print(simulation_table(simulate(args.simulations, args.seed)))
        return
    recipe = read_recipe(words[end + 1 :])
    found = [check for data in args.data for check in measure(data, recipe, args.out)]
    console.print(check_table(found))
    console.print(coverage_table(found))


if __name__ == "__main__":
    main()

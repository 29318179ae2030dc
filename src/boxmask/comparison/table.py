"""The table of a comparison for the terminal."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from boxmask.comparison.contract import ComparedModel, Comparison, FailedModel, Speed
from boxmask.evaluation.format import format_fraction, format_interval

WIDTH = 140
MISSING = "-"


def comparison_table(comparison: Comparison) -> RenderableType:
    """The table, the spread between seeds, the failed models and the sentences."""
    table = models_table(comparison.metric, comparison.models, comparison.failed)
    spreads = [
        Text(
            f"{spread.method}: {spread.metric} of {len(spread.values)} seeds {spread.mean:.3f} ± "
            f"{spread.deviation:.3f} (standard deviation between trainings)"
        )
        for spread in comparison.spreads
    ]
    return Group(table, *spreads, *[Text(sentence) for sentence in comparison.sentences])


def models_table(metric: str, models: Sequence[ComparedModel], failed: Sequence[FailedModel] = ()) -> Group:
    """One row per model: the metric that decides with its interval, training, speed and size."""
    extra = _second_metric(metric)
    forms = list(dict.fromkeys(speed.form for model in models for speed in model.speeds))
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("model", overflow="fold")
    numbers = [metric, "95 % interval", *([extra] if extra else []), "minutes", "train MB"]
    speeds = [title for form in forms for title in (f"{form} ms", "95 %")]
    for title in (*numbers, *speeds, "file MB", "parameters"):
        table.add_column(title, justify="right", no_wrap=True)
    for model in models:
        table.add_row(Text(model.name), *_cells(model, metric, extra, forms))
    lines = [Text(f"{each.name}: {each.message}", style="red") for each in failed]
    return Group(table, *lines)


def _second_metric(metric: str) -> str | None:
    return {"AP": "AP50", "mask_AP": "mask_AP50", "mIoU": "pixel_accuracy"}.get(metric)


def _cells(model: ComparedModel, metric: str, extra: str | None, forms: Sequence[str]) -> list[str]:
    evaluation, training = model.evaluation, model.training
    seen = " (tainted)" if evaluation.seen and evaluation.seen.photos else ""
    cells = [format_fraction(evaluation[metric]) + seen, format_interval(evaluation.interval(metric))]
    cells += [format_fraction(evaluation[extra])] if extra else []
    cells.append(MISSING if training is None else f"{training.minutes:.1f}")
    memory = None if training is None else training.peak_memory_mb
    cells.append(_number(memory))
    by_form = {speed.form: speed for speed in model.speeds}
    cells += [cell for form in forms for cell in _speed_cells(by_form.get(form))]
    sizes = [speed.file_mb for speed in model.speeds if speed.file_mb is not None]
    cells.append(_number(sizes[0] if sizes else None))
    return [*cells, MISSING if model.parameters is None else f"{model.parameters / 1e6:.1f} M"]


def _speed_cells(speed: Speed | None) -> tuple[str, str]:
    return (MISSING, MISSING) if speed is None else (_number(speed.median_ms), _number(speed.p95_ms))


def _number(value: float | None) -> str:
    """A number with three digits or more."""
    if value is None:
        return MISSING
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def comparison_text(comparison: Comparison) -> str:
    """The table as text."""
    file = io.StringIO()
    Console(file=file, width=WIDTH).print(comparison_table(comparison))
    return "\n".join(line.rstrip() for line in file.getvalue().rstrip().splitlines())

"""The table of a comparison for the terminal."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from boxmask.comparison.contract import ComparedModel, Comparison, FailedModel
from boxmask.evaluation.format import format_fraction, format_interval

WIDTH = 140
MISSING = "-"
SECOND_METRICS = {"AP": "AP50", "mask_AP": "mask_AP50", "mIoU": "pixel_accuracy"}
TRAINING_TITLES = ("train\nmin", "passes", "train\nMB", "M\nparams", "M\nops")


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
    """One row per model, then one per model and form, and the messages of models that failed."""
    lines = [Text(f"{each.name}: {each.message}", style="red") for each in failed]
    tables = [_metrics_table(metric, models)] if models else []
    tables += [_speed_table(models)] if any(model.speeds for model in models) else []
    return Group(*tables, *lines)


def _metrics_table(metric: str, models: Sequence[ComparedModel]) -> Table:
    """The metric that decides with its interval, the training and the size."""
    extra = SECOND_METRICS.get(metric)
    titles = [metric, "95 % interval", *([extra] if extra else []), *TRAINING_TITLES]
    table = _table(titles)
    for model in models:
        evaluation = model.evaluation
        seen = " tainted" if evaluation.seen and evaluation.seen.photos else ""
        cells = [format_fraction(evaluation[metric]) + seen, format_interval(evaluation.interval(metric))]
        cells += [format_fraction(evaluation[extra])] if extra else []
        table.add_row(Text(model.name), *cells, *_training_cells(model))
    return table


def _training_cells(model: ComparedModel) -> tuple[str, ...]:
    """The cells of TRAINING_TITLES."""
    training = model.training
    millions = (None if count is None else count / 1e6 for count in (model.parameters, model.operations))
    if training is None:
        return (MISSING, MISSING, MISSING, *map(_number, millions))
    known = (training.minutes, training.passes, training.peak_memory_mb)
    return (*map(_number, known), *map(_number, millions))


def _speed_table(models: Sequence[ComparedModel]) -> Table:
    """The speed of each form of each model."""
    table = _table(("form", "ms per photo", "95 %", "MB of RAM", "file MB"))
    for model in models:
        name = model.name
        for speed in model.speeds:
            cells = (speed.median_ms, speed.p95_ms, speed.peak_memory_mb, speed.file_mb)
            table.add_row(Text(name), speed.form, *map(_number, cells))
            name = ""
    return table


def _table(titles: Sequence[str]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("model", overflow="fold")
    for title in titles:
        table.add_column(title, justify="right", no_wrap=True)
    return table


def _number(value: float | None) -> str:
    """A number with two digits or more."""
    if value is None:
        return MISSING
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def comparison_text(comparison: Comparison) -> str:
    """The table as text."""
    file = io.StringIO()
    Console(file=file, width=WIDTH).print(comparison_table(comparison))
    return "\n".join(line.rstrip() for line in file.getvalue().rstrip().splitlines())

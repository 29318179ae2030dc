"""A comparison as JSON and as a CSV table."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from boxmask.comparison.contract import ComparedModel, Comparison
from boxmask.outputs import write_output


def comparison_to_dict(comparison: Comparison) -> dict[str, Any]:
    """Plain numbers, texts and lists, without the results."""
    return {
        "data": str(comparison.data),
        "split": comparison.split,
        "folds": comparison.folds,
        "images": len(comparison.dataset),
        "task": comparison.task,
        "metric": comparison.metric,
        "models": [_model_to_dict(model) for model in comparison.models],
        "failed": [asdict(failed) for failed in comparison.failed],
        "differences": [difference.to_dict() for difference in comparison.differences],
        "spreads": [
            {**asdict(spread), "mean": spread.mean, "deviation": spread.deviation}
            for spread in comparison.spreads
        ],
        "sentences": list(comparison.sentences),
    }


def _model_to_dict(model: ComparedModel) -> dict[str, Any]:
    return {
        "name": model.name,
        "method": model.method,
        "source": str(model.source),
        "metrics": model.evaluation.to_dict(),
        "failures": model.failures and model.failures.to_dict(),
        "training": model.training and asdict(model.training),
        "speeds": [asdict(speed) for speed in model.speeds],
        "parameters": model.parameters,
        "operations": model.operations,
    }


def save_comparison_json(comparison: Comparison, path: Path) -> None:
    """Write the JSON file. Raises UsageError for a file that boxmask did not write."""
    with write_output(path) as partial:
        partial.write_text(json.dumps(comparison_to_dict(comparison), indent=1) + "\n", encoding="utf-8")


# ---------------------------------------------------------------- the table


def comparison_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """One row per model: its metrics with their intervals, its training and its speeds. None if unknown.

    Models that failed have a row with their message.
    """
    rows = [_row(model) for model in comparison.models]
    rows += [{"name": failed.name, "error": failed.message} for failed in comparison.failed]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    return [{column: row.get(column) for column in columns} for row in rows]


def _row(model: ComparedModel) -> dict[str, Any]:
    row: dict[str, Any] = {"name": model.name, "method": model.method, "source": str(model.source)}
    for name in model.evaluation:
        row[name] = model.evaluation[name]
        if (interval := model.evaluation.interval(name)) is not None:
            row |= {f"{name}_low": interval.low, f"{name}_high": interval.high}
    if model.training is not None:
        row |= {f"training_{name}": value for name, value in asdict(model.training).items()}
    for speed in model.speeds:
        values = {name: value for name, value in asdict(speed).items() if name not in ("form", "stages_ms")}
        row |= {f"{speed.form}_{name}": value for name, value in values.items()}
    return row | {"parameters": model.parameters, "operations": model.operations}


def save_comparison_csv(comparison: Comparison, path: Path) -> None:
    """Write the table. Raises UsageError for a file that boxmask did not write."""
    rows = comparison_rows(comparison)
    with (
        write_output(path) as partial,
        partial.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        writer = csv.DictWriter(file, list(rows[0]) if rows else ["name"])
        writer.writeheader()
        writer.writerows(rows)

"""Render the report as one HTML page that loads nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from boxmask.comparison.contract import Comparison
from boxmask.comparison.report.bar_charts import error_bars, size_bars, stage_bars
from boxmask.comparison.report.class_table import make_class_table
from boxmask.comparison.report.confusion import make_matrices
from boxmask.comparison.report.differences import make_pairs
from boxmask.comparison.report.interval_chart import make_interval_chart
from boxmask.comparison.report.line_charts import (
    calibration_chart,
    precision_recall_charts,
    proposal_chart,
)
from boxmask.comparison.report.make_gallery import MAX_BYTES, make_gallery
from boxmask.comparison.report.min_scores import min_score_data, min_score_rows
from boxmask.comparison.report.models_table import make_models_table, ranked
from boxmask.comparison.report.sentences import translated_sentences
from boxmask.comparison.report.speed_chart import make_speed_charts
from boxmask.comparison.report.suspects import suspect_groups
from boxmask.comparison.report.texts import LANGUAGES, Texts, texts_of_script
from boxmask.messages import printable
from boxmask.pages.render import ENLARGE, render_template

_PACKAGE = "boxmask.comparison.report"


def render_report(comparison: Comparison, max_bytes: int = MAX_BYTES) -> str:
    """The page as text.

    max_bytes: of all pictures together. Photos that do not fit are left out.
    """
    failures = {
        number: model.failures.to_dict()
        for number, model in enumerate(comparison.models)
        if model.failures is not None
    }
    gallery = make_gallery(comparison, failures, max_bytes)
    values = {
        **_summary(comparison),
        **_failures(comparison, failures),
        "gallery": gallery,
        "numbers": {photo.index: photo.number for photo in gallery.photos},
        "initial": ranked(comparison)[0] if comparison.models else 0,
        "pictures": gallery.pictures(),
        "t": Texts(),
        "languages": LANGUAGES,
        "script_texts": texts_of_script(),
        "date": f"{datetime.now().astimezone():%Y-%m-%d %H:%M}",
    }
    return render_template(_PACKAGE, "page.html", ["style.css"], ["script.js", "gallery.js", ENLARGE], values)


def _summary(comparison: Comparison) -> dict[str, object]:
    stages, stage_names = stage_bars(comparison)
    return {
        "comparison": comparison,
        "title": printable(comparison.data.resolve().name or str(comparison.data)),
        "counts": _counts(comparison),
        "sentences": translated_sentences(comparison.sentences),
        "speed_charts": make_speed_charts(comparison),
        "interval_chart": make_interval_chart(comparison),
        "table": make_models_table(comparison),
        "class_table": make_class_table(comparison),
        "pairs": make_pairs(comparison),
        "stages": stages,
        "stage_names": stage_names,
    }


def _counts(comparison: Comparison) -> dict[str, str]:
    """The numbers of photos, objects and classes, by the key of their text."""
    dataset = comparison.dataset
    counts = {"facts.items" if comparison.task == "classification" else "facts.photos": f"{len(dataset):,}"}
    if comparison.task == "detection":
        counts["facts.objects"] = f"{int(dataset.counted.sum()):,}"
    return {**counts, "facts.classes": f"{len(dataset.class_names):,}"}


def _failures(comparison: Comparison, failures: dict[int, dict[str, Any]]) -> dict[str, object]:
    names = [model.name for model in comparison.models]
    table = make_class_table(comparison)
    classes = [row.name for row in table.rows] if table else []
    rows = min_score_rows(failures, names, classes)
    return {
        "errors": error_bars(failures, names),
        "sizes": size_bars(failures, names),
        "curves": precision_recall_charts(failures, names, classes),
        "calibration": calibration_chart(failures, names),
        "proposals": proposal_chart(failures, names),
        "matrices": make_matrices(failures, names, comparison.task),
        "min_scores": rows,
        "min_score_data": min_score_data(failures, rows),
        "suspects": suspect_groups(failures, names),
    }

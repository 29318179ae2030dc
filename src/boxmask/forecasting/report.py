"""The result of a forecast."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType

from boxmask.forecasting.outlook import CONFIDENCE, CurveOutlook
from boxmask.forecasting.pool.choose import Chosen
from boxmask.forecasting.sentences import budget_sentence, falling_warnings, sentences, warnings
from boxmask.forecasting.tables import class_table, overall_table
from boxmask.forecasting.trainings import Measured
from boxmask.runs.recipe import Recipe

WIDTH = 120


@dataclass(frozen=True)
class Forecast:
    """What more labeled photos would bring. `print()` shows the report.

    data:       the labels, as given
    folder:     the folder of the trainings and files
    recipe:     how each model was trained
    metric:     the name of the metric: AP, mask_AP, mIoU or accuracy
    evaluated:  number of photos that every model was evaluated on, or of objects cropped from them
    split:      their split
    trainings:  in the order of training
    overall:    the learning curve over all classes
    per_class:  by the name of the class; classes that the evaluated photos do not show are left out
    label_next: the unlabeled photos to label next; None without a pool
    """

    data: Path
    folder: Path
    recipe: Recipe
    metric: str
    evaluated: int
    split: str
    trainings: tuple[Measured, ...]
    overall: CurveOutlook
    per_class: dict[str, CurveOutlook]
    label_next: Chosen | None = None

    @property
    def photos(self) -> int:
        """The present number of training photos."""
        return self.overall.fit.reference

    def sentences(self) -> tuple[str, ...]:
        """The answer in plain words."""
        answer = sentences(self.metric, self.overall, self.evaluated, self.split)
        return (*answer, budget_sentence(self.recipe))

    def warnings(self) -> tuple[str, ...]:
        """What makes the answer uncertain."""
        measured = [(training.photos, training.metric) for training in self.trainings]
        falling = falling_warnings(self.metric, self.overall.usual_difference, measured)
        return (*falling, *warnings(self.metric, self.overall, self.evaluated, self.split))

    def tables(self) -> RenderableType:
        """The report for the terminal."""
        title = f"{self.recipe.model} on {self.data}, {self.metric} on {self.evaluated:,} {self.split} photos"
        parts: list[RenderableType] = [overall_table(title, self.overall)]
        if len(self.per_class) > 1:
            parts.append(class_table(self.metric, self.per_class))
        parts += [*self.sentences(), *(f"warning: {warning}" for warning in self.warnings())]
        if self.label_next is not None:
            parts.append(self.label_next.sentence())
        return Group(*parts)

    def __str__(self) -> str:
        console = Console(file=io.StringIO(), width=WIDTH)
        console.print(self.tables(), markup=False, highlight=False)
        assert isinstance(console.file, io.StringIO)
        return console.file.getvalue()

    def __repr__(self) -> str:
        return f"Forecast({self.sentences()[0]})"

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, lists and text."""
        return {
            "data": str(self.data),
            "model": self.recipe.model,
            "metric": self.metric,
            "confidence": CONFIDENCE,
            "training_photos": self.photos,
            "evaluated": self.evaluated,
            "split": self.split,
            "trainings": [
                {"photos": one.photos, "draw": one.draw, self.metric: one.metric, "per_class": one.per_class}
                for one in self.trainings
            ],
            "overall": self.overall.to_dict(),
            "per_class": {name: outlook.to_dict() for name, outlook in self.per_class.items()},
            "sentences": list(self.sentences()),
            "warnings": list(self.warnings()),
            "label_next": None if self.label_next is None else self.label_next.to_dict(),
        }

    def to_json(self) -> str:
        """`to_dict()` as JSON text."""
        return json.dumps(self.to_dict(), indent=1)

    def save_chart(self, path: Path | str) -> None:
        """Draw the learning curve into a PNG or SVG file. Raises UsageError for another suffix."""
        from boxmask.forecasting.chart import draw_chart

        draw_chart(self, Path(path))

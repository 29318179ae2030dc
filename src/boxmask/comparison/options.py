"""What a comparison is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, cast, get_args

from boxmask.comparison.shared_recipe import SharedRecipe
from boxmask.errors import UsageError
from boxmask.options import check_choices, option

Form: TypeAlias = Literal["torch", "onnx", "int8"]
ComparedSplit: TypeAlias = Literal["test", "val"]
SECONDS_PER_FORM = 10.0


@dataclass(frozen=True)
class CompareOptions:
    """Which models are compared, and how.

    models:     methods to train; None: those that suit the labels, or none if others are given
    runs:       runs, checkpoints and ONNX files that join as they are
    detections: COCO JSON files of other tools, by the name that the table shows
    recipe:     of all trainings
    seeds:      number of trainings per method, with seeds that count up from the recipe's
    forms:      forms whose speed is measured; None: "torch", and "onnx" if the packages are installed
    split:      the photos that the models are evaluated on
    seconds:    of measurement per form
    folds:      number of parts of the photos; each is tested by a training on the others. None: one split

    Raises UsageError for values out of range, repeated names, and folds with a split.
    """

    models: tuple[str, ...] | None = None
    runs: tuple[Path, ...] = ()
    detections: tuple[tuple[str, Path], ...] = ()
    recipe: SharedRecipe = field(default_factory=SharedRecipe)
    seeds: int = 1
    forms: tuple[Form, ...] | None = None
    split: ComparedSplit = "test"
    seconds: float = SECONDS_PER_FORM
    folds: int | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        check_choices(CompareOptions, {"split": self.split, **dict.fromkeys(_OTHER_FIELDS)})
        parse_forms(self.forms or ())
        if self.seeds < 1:
            raise UsageError(f"{option('seeds')}: expected 1 or more, found {self.seeds}")
        self._check_folds()
        _check_once("models", self.models or ())
        _check_once("detections", [name for name, _ in self.detections])

    def _check_folds(self) -> None:
        if self.folds is None:
            return
        if self.folds < 2:
            raise UsageError(f"{option('folds')}: expected 2 or more, found {self.folds}")
        given = option("split_file") if self.recipe.split_file else option("split")
        if self.recipe.split_file or self.split != "test":
            raise UsageError(
                f"{option('folds')}: with folds, every photo is a test photo once. Leave {given} out."
            )


_OTHER_FIELDS = ("models", "runs", "detections", "recipe", "seeds", "forms", "seconds", "folds")


def _check_once(name: str, values: Sequence[str]) -> None:
    twice = [value for value in dict.fromkeys(values) if list(values).count(value) > 1]
    if twice:
        raise UsageError(f"{option(name)}: {twice[0]} is named twice. Name each once.")


def parse_names(given: Sequence[str]) -> tuple[str, ...]:
    """Names that are separated by commas or given one by one: ("a,b", "c") -> ("a", "b", "c")."""
    return tuple(name.strip() for text in given for name in text.split(",") if name.strip())


def parse_forms(given: Sequence[str]) -> tuple[Form, ...] | None:
    """Forms from their names; None without any. Raises UsageError for another name."""
    names = parse_names(given)
    for name in names:
        if name not in get_args(Form):
            raise UsageError(f"{option('forms')}: expected {', '.join(get_args(Form))}, found {name!r}")
    return cast(tuple[Form, ...], names) or None


def parse_detections(given: Sequence[str]) -> tuple[tuple[str, Path], ...]:
    """Names and files from texts NAME=FILE. Raises UsageError for texts of another form."""
    pairs = []
    for text in given:
        name, equals, file = text.partition("=")
        if not (equals and name.strip() and file.strip()):
            raise UsageError(f"{option('detections')}: expected NAME=FILE, found {text!r}")
        pairs.append((name.strip(), Path(file.strip())))
    return tuple(pairs)

"""The options of `boxmask predict`, on the command line and in Python. This file imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from boxmask.errors import UsageError
from boxmask.json_numbers import is_number, to_float
from boxmask.options import check_names, option
from boxmask.prediction.view_options import ViewKeywords, ViewOptions, plain_values

AUTO: Literal["auto"] = "auto"


@dataclass(frozen=True)
class PredictOptions(ViewOptions):
    """What to keep of the results, in which formats, and how to find them.

    Raises UsageError for a value out of range.
    """

    save: str | None = None
    """Formats to write, separated by commas: jpg or png (pictures), coco, csv or parquet (one file with all
    detections), yolo, voc or labelme (one file per photo), crops (a picture of each object, in a folder per
    class), label-maps (one PNG per photo with the object number or class index of every pixel). Default:
    jpg,coco; for segmenters jpg,label-maps. Videos: mp4 (with the results drawn), csv, jsonl; default
    mp4,csv."""
    min_score: float | Literal["auto"] = 0.5
    """Minimum score in the files of each photo. COCO, CSV and Parquet files hold all detections. "auto" uses,
    for each class, the minimum score with the best F1 on the validation photos of the training. In videos, it
    is the score that starts a track; later detections are kept down to 0.1."""
    classes: Annotated[tuple[str, ...] | None, Parameter(consume_multiple=1)] = None
    """Detectors only. Classes to keep, by name, for example --classes cat dog. Default: all."""
    nms_iou: float | None = None
    """Detectors only. Of two boxes of one class with a higher IoU than this, the one with the lower score is
    removed. Default: that of the model."""
    svd: tuple[int, int] | None = None
    """Fast R-CNN only. Ranks of the truncated SVD of its two fully connected layers, for example 128 64.
    Faster, and a little less accurate."""
    resume: Annotated[bool, Parameter(negative="", show_default=False)] = False
    """Continue an earlier call with the same model and flags, in the same folder. Photos whose files are
    complete and unchanged are skipped. Photos may be added or removed in between."""
    every: int = 1
    """Videos only. Predict every n-th frame: with 3, the frames 0, 3, 6, ..."""
    track: bool = True
    """Videos only. Give each object a number that it keeps from frame to frame."""
    device: str = "auto"
    """"auto" (a GPU if there is one), "cpu", "cuda", "cuda:1", ..."""

    def __post_init__(self) -> None:
        """Check the values that do not depend on the model."""
        super().__post_init__()
        if self.min_score == AUTO and (self.tta or self.with_runs):
            raise UsageError(
                f"{option('min_score', AUTO)} does not work with --tta or --with: its scores were chosen for "
                "a single run. Give a number, for example 0.3."
            )
        if self.min_score != AUTO:
            _check_fraction("min_score", self.min_score, AUTO)
        if self.nms_iou is not None:
            _check_fraction("nms_iou", self.nms_iou)
        if self.every < 1:
            raise UsageError(f"{option('every')}: expected 1 or more, found {self.every}")

    @property
    def formats(self) -> tuple[str, ...] | None:
        """The formats to write, each once, or None for those of the task."""
        if self.save is None:
            return None
        return tuple(dict.fromkeys(name.strip() for name in self.save.split(",") if name.strip()))


class PredictKeywords(ViewKeywords, total=False):
    """The fields of `PredictOptions`, which describes them. Formats can also be a list."""

    save: str | Sequence[str] | None
    min_score: float | Literal["auto"]
    classes: Sequence[str] | None
    nms_iou: float | None
    svd: tuple[int, int] | None
    resume: bool
    every: int
    track: bool
    device: str


def options_from_keywords(keywords: Mapping[str, Any], runs: Sequence[Path] = ()) -> PredictOptions:
    """The options that Python users give.

    runs: the run, and those that form an ensemble with it

    Raises TypeError for a keyword that is not an option, and UsageError as `PredictOptions` does.
    """
    check_names("predict", keywords, PredictOptions)
    values = plain_values(keywords) | {"with_runs": tuple(runs[1:])}
    if values.get("save") is not None and not isinstance(values["save"], str):
        values["save"] = ",".join(values["save"])
    if values.get("classes") is not None:
        names = values["classes"]
        values["classes"] = (names,) if isinstance(names, str) else tuple(names)
    if "device" in values:
        values["device"] = str(values["device"])  # a torch.device will do, too
    return PredictOptions(**values)


def _check_fraction(name: str, value: object, word: str = "") -> None:
    """Raise UsageError unless a value is a number from 0 to 1. The message adds a word that is valid, too."""
    if not is_number(value):
        expected = f'a number from 0 to 1 or "{word}"' if word else "a number from 0 to 1"
        raise UsageError(f"{option(name)}: expected {expected}, found {value!r}")
    if not 0 <= to_float(value) <= 1:  # NaN is not
        raise UsageError(f"{option(name)}: expected 0 to 1, found {to_float(value):g}")

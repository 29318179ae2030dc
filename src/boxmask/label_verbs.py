"""The public functions for labels. numpy is imported inside, so that `import boxmask` is quick."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from boxmask.missing_packages import needs_packages
from boxmask.progress import Progress

if TYPE_CHECKING:
    from boxmask.data.conversion.report import Conversion
    from boxmask.doctor.report import CheckReport
    from boxmask.runs.run import Run


@needs_packages("boxmask.check")
def check(
    data: str | os.PathLike[str],
    run: Run | str | os.PathLike[str] | None = None,
    *,
    labels_only: bool = False,
    split_file: str | os.PathLike[str] | None = None,
    classes: Sequence[str] | None = None,
    map: Mapping[str, str] | Sequence[str] = (),
    classes_file: str | os.PathLike[str] | None = None,
    keep_all: bool = False,
    progress: Progress | None = None,
    device: str = "auto",
) -> CheckReport:
    """Check labels and photos: what is wrong, where, and what to do.

        report = boxmask.check("my-photos/")
        print(report)
        report.save("report.html")  # or report.json
        report.fix("mended/")  # a mended copy

    run:      a trained detector or classifier, which looks for labels that are probably wrong
    keep_all: keep all findings; otherwise, at most 10,000 of each kind are kept

    Nothing is changed. `boxmask check --help` describes the options. Raises LabelError if there is nothing at
    `data`, CheckpointError for a run that cannot be loaded, and UsageError for options that do not fit.
    """
    from boxmask.data.class_selection import ClassSelection
    from boxmask.doctor.check import check_data
    from boxmask.doctor.with_run import open_run_if_given, with_model_findings

    trained = open_run_if_given(Path(data), Path(run) if run else None, device, labels_only=labels_only)
    report = check_data(
        Path(data),
        labels_only=labels_only,
        split_file=Path(split_file) if split_file else None,
        classes_file=Path(classes_file) if classes_file else None,
        selection=ClassSelection.of(classes, map),
        keep_all=keep_all,
        progress=progress,
    )
    return with_model_findings(report, trained, progress)


@needs_packages("boxmask.convert")
def convert(
    data: str | os.PathLike[str],
    to: str,
    out: str | os.PathLike[str],
    *,
    photos: Literal["copy", "link", "none"] = "copy",
    split_file: str | os.PathLike[str] | None = None,
    on_bad_boxes: Literal["error", "skip"] | None = None,
    on_bad_photos: Literal["error", "skip"] = "error",
    classes: Sequence[str] | None = None,
    map: Mapping[str, str] | Sequence[str] = (),
    classes_file: str | os.PathLike[str] | None = None,
    on_unknown_colors: Literal["error", "skip"] = "error",
    progress: Progress | None = None,
) -> Conversion:
    """Write the labels of a data set in another format into the folder `out`, with their photos.

        conversion = boxmask.convert("my-photos/", to="coco", out="my-photos-coco/")
        conversion.losses  # what the format cannot hold

    to: the format, such as "coco" or "voc"; `boxmask convert --help` describes the options

    Raises LabelError, PhotoError, UsageError or OutputError; nothing is left then.
    """
    from boxmask.data.class_selection import ClassSelection
    from boxmask.data.conversion.convert import convert as convert_labels

    return convert_labels(
        Path(data),
        to,
        Path(out),
        photos=photos,
        split_file=Path(split_file) if split_file else None,
        on_bad_boxes=on_bad_boxes,
        on_bad_photos=on_bad_photos,
        classes_file=Path(classes_file) if classes_file else None,
        selection=ClassSelection.of(classes, map),
        on_unknown_colors=on_unknown_colors,
        progress=progress,
    )

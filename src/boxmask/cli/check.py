"""boxmask check DATA [RUN]: what is wrong with labels and photos."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from boxmask.cli.check_flags import Flags, check_flags
from boxmask.cli.check_outputs import check_outputs, fix_labels, print_report, write_new_split, write_page
from boxmask.cli.classes import ChosenClasses, RenamedClasses
from boxmask.cli.imports import quick_imports
from boxmask.cli.output import JsonFile

HtmlFile = Annotated[Path | None, Parameter(name="--html")]


def check(
    data: Path,
    run: Path | None = None,
    /,
    *,
    labels_only: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    json_file: JsonFile = None,
    html_file: HtmlFile = None,
    split_file: Path | None = None,
    classes: ChosenClasses = None,
    map: RenamedClasses = (),
    classes_file: Path | None = None,
    write_split: Path | None = None,
    group_by: str | None = None,
    seed: int | None = None,
    fix: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    out: Path | None = None,
    photos: Literal["copy", "link"] | None = None,
    device: str | None = None,
) -> int:
    """Check labels and photos, and say what is wrong, where, and what to do.

    The exit code is 1 if there are errors; with --fix, if there are errors in the mended copy, or if the copy
    lacks something because of an error, or cannot be written. The data set itself is never changed.

    Parameters
    ----------
    data
        Folder, archive or label file, as for training.
    run
        Folder written by training, a checkpoint file, or the name of published weights. The trained detector
        or classifier then looks for labels that are missing, have the wrong class, or do not fit. Findings
        are sorted, the surest first.
    labels_only
        Check the labels alone. No photo is opened, except those that --html shows.
    json_file
        Write all findings and a summary of the data to this JSON file. "-" prints the JSON instead of the
        text.
    html_file
        Write a page that shows the findings on their photos, a sample of the photos with all their labels,
        and a summary of the data. It is one file that works offline.
    split_file
        JSON file that names the training, validation and test photos. Default: the data set's own splits.
    classes
        Classes to check, by name, for example --classes cat dog. Not with --fix, which would lose the other
        objects. Default: all.
    map
        Other names for classes, as OLD=NEW. Classes with the same new name are merged. With --fix, the mended
        copy has the new names.
    classes_file
        File that names the class of each color or index in label maps. Default: the data set's own.
    write_split
        Draw new splits that keep photos that belong together in one split, and write them to this file.
    group_by
        What belongs together in --write-split: auto, folder, capture-time, likeness, name, or a regular
        expression that finds the group in the path of a photo. Default: auto.
    seed
        Random seed for --write-split. Default: 0.
    fix
        Write a mended copy into the folder --out, and check it. Only mistakes with one right answer are
        mended. changes.txt lists the changes, and all photos and objects that the copy lacks. changes.diff
        shows the changed lines, and left.txt what you must decide.
    out
        Folder for --fix. It must not exist, be empty, or hold an earlier copy that was not changed.
    photos
        What to do with the photos for --fix. Links are hard links if the disk has them. Default: copy.
    device
        For RUN. "auto" (a GPU if there is one), "cpu", "cuda", "cuda:1", ... Default: auto.
    """
    with quick_imports():
        from boxmask.cli.progress import photo_progress
        from boxmask.data.class_selection import ClassSelection
        from boxmask.doctor.check import check_data
        from boxmask.doctor.with_run import open_run_if_given, with_model_findings

    check_flags(
        Flags(run, labels_only, classes, write_split, group_by, seed, fix, out, photos, device),
    )
    check_outputs(json_file, html_file, write_split)
    trained = open_run_if_given(data, run, device or "auto", labels_only=labels_only)
    with photo_progress("checking") as progress:
        report = check_data(
            data,
            labels_only=labels_only,
            split_file=split_file,
            classes_file=classes_file,
            selection=ClassSelection(classes, map),
            keep_all=fix,
            progress=progress,
        )
    if trained is not None:
        with photo_progress("predicting") as progress:
            report = with_model_findings(report, trained, progress)
    print_report(report, json_file, suggest_fix=not fix)
    write_page(report, html_file)
    if write_split is not None:
        write_new_split(report, write_split, group_by or "auto", seed or 0)
    has_errors = report.has_errors if out is None else fix_labels(report, out, photos or "copy")
    return 1 if has_errors else 0

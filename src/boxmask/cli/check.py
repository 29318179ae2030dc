"""boxmask check DATA [RUN]: what is wrong with labels and photos."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from boxmask.cli.check_flags import Flags, check_flags
from boxmask.cli.classes import ChosenClasses, RenamedClasses
from boxmask.cli.output import JsonFile

if TYPE_CHECKING:
    from boxmask.doctor.report import CheckReport

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
    lacks something because of an error. The data set itself is never changed.

    Parameters
    ----------
    data
        Folder or label file, as for training.
    run
        Folder written by training, or a checkpoint file. The trained detector or classifier then looks for
        labels that are missing, have the wrong class, or do not fit. Findings are sorted, the surest first.
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
        mended. changes.txt and changes.diff list the changes. left.txt lists what you must decide.
    out
        Folder for --fix. It must not exist, be empty, or hold an earlier copy that was not changed.
    photos
        What to do with the photos for --fix. Links are hard links if the disk has them. Default: copy.
    device
        For RUN. "auto" (a GPU if there is one), "cpu", "cuda", "cuda:1", ... Default: auto.
    """
    from boxmask.cli.progress import photo_progress
    from boxmask.data.class_selection import ClassSelection
    from boxmask.doctor.check import check_data
    from boxmask.doctor.with_run import open_run_if_given, with_model_findings

    check_flags(
        Flags(run, labels_only, classes, write_split, group_by, seed, fix, out, photos, device),
    )
    _check_outputs(json_file, html_file, write_split)
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
    _print_report(report, json_file)
    _write_page(report, html_file)
    if write_split is not None:
        _write_split(report, write_split, group_by or "auto", seed or 0)
    has_errors = report.has_errors if out is None else _fix(report, out, photos or "copy")
    return 1 if has_errors else 0


def _check_outputs(json_file: Path | None, html_file: Path | None, write_split: Path | None) -> None:
    """Raise UsageError if the results would replace a file that boxmask did not write."""
    from boxmask.cli.output import check_json_file
    from boxmask.outputs import check_replaceable

    check_json_file(json_file)
    check_replaceable([file for file in (html_file, write_split) if file is not None])


def _fix(report: CheckReport, out: Path, photos: Literal["copy", "link"]) -> bool:
    """Write the mended copy, and say what changed. Returns whether errors are left."""
    from boxmask.cli.progress import photo_progress
    from boxmask.doctor.fix.account import CHANGES_FILE, LEFT_FILE
    from boxmask.doctor.fix.fix import fix_data
    from boxmask.doctor.text import format_counts
    from boxmask.messages import format_count

    with photo_progress("mending") as progress:
        copy = fix_data(report, out, photos=photos, progress=progress)
    lines = [
        f"mended copy: {out}",
        f"  {format_count(len(copy.changes), 'change')}: {out / CHANGES_FILE}",
        f"  before: {format_counts(report)}",
        f"  after:  {format_counts(copy.report)}; what is left: {out / LEFT_FILE}",
    ]
    if copy.absent_photos:
        lines.append(f"  not in the copy: {format_count(len(copy.absent_photos), 'photo')} without labels")
    if copy.num_absent_errors:
        lines.append(
            f"  not in the copy, because of {format_count(copy.num_absent_errors, 'error')}: see left.txt"
        )
    print("\n".join(lines), file=sys.stderr)
    return copy.has_errors


def _print_report(report: CheckReport, json_file: Path | None) -> None:
    """Print the text, or with --json - the JSON; write the JSON file if there is one."""
    from boxmask.doctor.save import report_as_json, save_json

    if json_file == Path("-"):
        print(report_as_json(report), end="")
        return
    _print_colored(report)
    if json_file is not None:
        save_json(report, json_file)


def _print_colored(report: CheckReport) -> None:
    """Print the report, with colors if stdout is a terminal."""
    from rich.console import Console

    from boxmask.doctor.text import color_report

    console = Console(highlight=False, soft_wrap=True)
    if console.is_terminal:
        console.print(color_report(str(report)))
    else:
        print(report)


def _write_split(report: CheckReport, file: Path, group_by: str, seed: int) -> None:
    """Write the split file and say where it is."""
    from boxmask.cli.output import print_notes

    print_notes(report.write_split(file, group_by, seed))
    print(f"split: {file}", file=sys.stderr)


def _write_page(report: CheckReport, html_file: Path | None) -> None:
    """Write the page and say where it is."""
    from boxmask.doctor.save import save_page

    if html_file is not None:
        save_page(report, html_file)
        print(f"page: {html_file}", file=sys.stderr)

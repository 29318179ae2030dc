"""Archives, checks of data sets, which end in a report whatever is wrong, and mended or converted copies."""

from __future__ import annotations

import json
import os
import shutil
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest.mock import patch

from boxmask.data.archives import unpack, unpacked
from boxmask.data.conversion.convert import convert
from boxmask.data.detection.read import read_detection
from boxmask.data.formats.table import WRITERS
from boxmask.doctor.check import check_data
from boxmask.doctor.fix.fix import fix_data
from boxmask.doctor.json_report import report_to_dict
from boxmask.doctor.page.render import render_page
from boxmask.doctor.report import CheckReport
from boxmask.errors import BoxmaskError, LabelError, UsageError
from fuzzing.archives import ENTRIES, build_archive
from fuzzing.outside import no_writing_outside

MAX_UNPACKED = 2**20
"""Bytes that small archives may grow to, in place of a gigabyte."""


def archives(folder: Path) -> None:
    """Unpack archives into a cache beside the folder, and read them. Nothing else is written."""
    for path in sorted(folder.iterdir()):
        if path.name == ENTRIES and (built := build_archive(path.read_bytes())):
            (folder / built[0]).write_bytes(built[1])
    before = _tree(folder)
    cache = folder.parent / "cache"
    with _separate_cache(cache), patch.object(unpack, "MIN_LIMIT", MAX_UNPACKED):
        for path in sorted(folder.iterdir()):
            with no_writing_outside(cache):
                root = unpacked(path)
            if root != path:
                assert root.resolve().is_relative_to(cache.resolve())
                assert not any(file.is_symlink() for file in root.rglob("*"))
                assert sum(file.stat().st_size for file in root.rglob("*")) <= 2 * MAX_UNPACKED
                with suppress(BoxmaskError):
                    read_detection(root, on_bad_boxes="skip")
    assert _tree(folder) == before


@contextmanager
def _separate_cache(cache: Path) -> Iterator[None]:
    with patch.dict(os.environ, {"BOXMASK_CACHE": str(cache)}):
        yield


def _tree(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def check(folder: Path) -> None:
    """Any data set ends in a report, never in an error."""
    _report(folder)


def _report(folder: Path) -> CheckReport:
    with _separate_cache(folder.parent / "cache"):
        try:
            report = check_data(folder, keep_all=True)
        except BoxmaskError as error:
            raise AssertionError("a check ends in an error") from error
    str(report).encode("utf-8")
    json.dumps(report_to_dict(report), allow_nan=False)
    return report


def fix(folder: Path) -> None:
    """A mended copy can be checked, and mending it again changes nothing. The original stays as it is."""
    before = _tree(folder)
    report = _report(folder)
    render_page(report).encode("utf-8")
    first, second = folder.parent / "first", folder.parent / "second"
    try:
        copy = fix_data(report, first)
    except (LabelError, UsageError):  # labels that cannot be read, or with a mistake that is left to the user
        return
    finally:
        assert _tree(folder) == before
    again = fix_data(_report(first), second)
    assert not again.changes, f"changed again: {[str(change) for change in again.changes]}"
    assert copy.report.count("error") <= report.count("error")
    shutil.rmtree(second)


def convert_set(folder: Path) -> None:
    """Convert to a format that the input chooses. Only the new folder is written, and it can be read."""
    before, out = _tree(folder), folder.parent / "converted"
    formats = sorted(writer.NAME for writer in WRITERS)
    to = formats[zlib.crc32(b"".join(content for _, content in sorted(before.items()))) % len(formats)]
    try:
        with _separate_cache(folder.parent / "cache"), no_writing_outside(folder.parent):
            conversion = convert(
                folder, to, out, on_bad_boxes="skip", on_bad_photos="skip", on_unknown_colors="skip"
            )
        assert not any(file.is_symlink() for file in out.rglob("*"))
        unreadable = [str(finding) for finding in _report(out) if finding.kind.id in _UNREADABLE]
        assert not unreadable or not conversion.num_objects, f"written as {to}: {unreadable}"
    except BoxmaskError:
        assert not out.exists(), "a failed conversion leaves a folder"
        raise
    finally:
        assert _tree(folder) == before
        assert {path.name for path in folder.parent.iterdir()} <= {folder.name, "cache", "converted"}


_UNREADABLE = {"data-unreadable", "file-unreadable", "entry-unreadable", "photo-missing", "path-outside"}
"""Kinds that a converted data set must not have."""

CHECK_TARGETS: dict[str, Callable[[Path], None]] = {
    "archives": archives,
    "check": check,
    "fix": fix,
    "convert": convert_set,
}

"""Label files that are empty, no text, or a web page, so that no format recognizes them."""

from __future__ import annotations

import posixpath
from collections.abc import Collection

from boxmask.data.findings import Findings, finding_of_error
from boxmask.data.formats.kinds import FILE_UNREADABLE
from boxmask.data.formats.source import Source
from boxmask.data.text import read_bytes, read_text
from boxmask.errors import LabelError

LABEL_SUFFIXES = (".json", ".xml", ".csv")


def report_damaged_files(source: Source, used: Collection[str], findings: Findings) -> None:
    """Add files that are empty, no text, or a web page, and have the suffix of label files.

    used: the label files that a format reads. Others count if they have the suffix of one of these, such as
          the file of another split. If no format reads any, all `LABEL_SUFFIXES` count.
    """
    suffixes = {posixpath.splitext(file)[1].lower() for file in used}
    suffixes = suffixes.intersection(LABEL_SUFFIXES) if suffixes else set(LABEL_SUFFIXES)
    read = set(used)
    others = [
        file
        for suffix in sorted(suffixes)
        for file in source.candidates_with_suffix(suffix)
        if file not in read
    ]
    for file in others:
        error = damage_of(source, file)
        if error is not None:
            findings.add(finding_of_error(FILE_UNREADABLE, source.root / file, error))


def damage_of(source: Source, file: str) -> LabelError | None:
    """Why a file is empty, no text, or a web page; None for any other text."""
    path = source.root / file
    try:
        beginning = read_bytes(path, 4096)
        if not beginning.strip():
            return LabelError.in_file(path, "this file is empty. Restore it from a copy, or remove it.")
        if _is_page(beginning.lstrip(), is_xml=file.lower().endswith(".xml")):
            return LabelError.in_file(path, "this file is a web page. Download it again, or remove it.")
        if b"\0" in beginning:  # UTF-16, or no text
            read_text(path)
    except LabelError as error:
        return error
    return None


def _is_page(beginning: bytes, *, is_xml: bool) -> bool:
    """Whether a file begins as HTML. JSON and CSV never begin with "<"."""
    return beginning[:15].lower().startswith((b"<!doctype html", b"<html") if is_xml else b"<")

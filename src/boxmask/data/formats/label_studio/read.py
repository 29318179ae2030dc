"""Label Studio: JSON exports (https://labelstud.io/guide/export), full or minimal.

Shapes are in percent of the photo as the browser shows it, upright. Of several annotations of a task, the
ground truth is read, else the latest. Cancelled annotations and predictions are left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from boxmask.data.findings import Findings, finding_of_error
from boxmask.data.formats.kinds import FILE_UNREADABLE
from boxmask.data.formats.label_studio.config import CONFIG_FILE, listed_classes
from boxmask.data.formats.label_studio.objects import TaskRows
from boxmask.data.formats.labels import Labels
from boxmask.data.formats.openings import LIST_OF_OBJECTS
from boxmask.data.formats.source import Source
from boxmask.data.text import read_beginning
from boxmask.errors import LabelError

NAME = "Label Studio (a JSON export)"

_FIELDS = re.compile(
    r'"(result|was_cancelled|completed_by|file_upload|lead_time|total_annotations|annotation_id|annotator|'
    r'original_width|(rectangle|polygon|ellipse|brush|keypoint)labels)"\s*:|"format"\s*:\s*"rle"'
)


def recognize(source: Source) -> list[str]:
    """The JSON files that are Label Studio's by their beginning."""
    return [file for file in source.candidates_with_suffix(".json") if _is_export(source.root / file)]


def _is_export(path: Path) -> bool:
    try:
        beginning = read_beginning(path, 8192)
    except LabelError:
        return False
    return LIST_OF_OBJECTS.match(beginning) is not None and _FIELDS.search(beginning) is not None


def unreadable(source: Source) -> list[str]:
    """No messages: JSON files that cannot be read are those of COCO."""
    return []


def read(source: Source, files: Sequence[str], findings: Findings) -> Labels:
    """Read exports, and find their photos."""
    tasks = TaskRows(source, findings)
    for file in files:
        try:
            tasks.add_file(file)
        except LabelError as error:
            findings.add(finding_of_error(FILE_UNREADABLE, source.root / file, error))
    try:
        class_names = listed_classes(source)
    except LabelError as error:
        findings.add(finding_of_error(FILE_UNREADABLE, source.root / CONFIG_FILE, error))
        class_names = []
    labels = tasks.rows.labels(
        source.root,
        tasks.photos,
        tasks.location,
        declared_names=class_names,
        photo_attributes=tasks.photo_attributes,
        form="xywh",
    )
    return replace(labels, did_you_mean=tasks.finder.did_you_mean, other_files=(CONFIG_FILE,))

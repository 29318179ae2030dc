"""Write the detections of all photos as a Parquet file: the columns of the CSV file, and masks.

Scores and corners are float32, exact. A mask is the text of COCO's compressed run lengths.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from boxmask.data.formats.csv_tables.write import HEADER
from boxmask.errors import UsageError
from boxmask.evaluation.detection.coco_masks import to_coco_rle
from boxmask.outputs import write_output
from boxmask.outputs.marks import MARK, MARK_KEY
from boxmask.types import Detections

_PHOTOS_PER_GROUP = 1000  # whose rows are in memory at a time


def check_parquet() -> None:
    """Raise UsageError if the package that writes Parquet is missing."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise UsageError(
            '--save parquet needs the package pyarrow. Install it with pip install "boxmask[parquet]", or '
            "choose csv."
        ) from None


def save_parquet(
    photos: Sequence[Path], detections: Sequence[Detections], path: Path, *, masks: bool
) -> None:
    """Write one row per detection: filename, width, height, class, xmin, ymin, xmax, ymax, score.

    masks: whether a column `segmentation` holds the masks; null where a mask is unknown

    Raises UsageError without pyarrow, and the errors of `write_output`.
    """
    check_parquet()
    import pyarrow
    from pyarrow import parquet

    types = [pyarrow.string(), pyarrow.int32(), pyarrow.int32(), pyarrow.string(), *[pyarrow.float32()] * 5]
    names = [*HEADER, "score"]
    if masks:
        types, names = [*types, pyarrow.string()], [*names, "segmentation"]
    schema = pyarrow.schema(zip(names, types, strict=True), metadata={MARK_KEY: MARK})
    with write_output(path) as temporary, parquet.ParquetWriter(temporary, schema) as writer:
        for begin in range(0, len(photos), _PHOTOS_PER_GROUP):
            group = slice(begin, begin + _PHOTOS_PER_GROUP)
            columns = _columns(photos[group], detections[group], names)
            writer.write_table(pyarrow.table(columns, schema=schema))


def _columns(
    photos: Sequence[Path], detections: Sequence[Detections], names: Sequence[str]
) -> dict[str, list[Any]]:
    """The rows of some photos, column by column."""
    rows: list[tuple[Any, ...]] = []
    for photo, in_photo in zip(photos, detections, strict=True):
        # Lone surrogates, which stand for undecodable bytes of a file name, are written as escapes.
        file = photo.as_posix().encode("utf-8", "backslashreplace").decode()
        height, width = in_photo.size
        found = zip(in_photo.names, in_photo.boxes.tolist(), in_photo.scores.tolist(), strict=True)
        masks = _segmentations(in_photo)
        rows += [
            (file, width, height, name, *box, score, mask)
            for (name, box, score), mask in zip(found, masks, strict=True)
        ]
    columns = list(zip(*rows, strict=True)) or [()] * (len(HEADER) + 2)
    return {name: list(column) for name, column in zip(names, columns, strict=False)}


def _segmentations(detections: Detections) -> list[str | None]:
    if detections.masks is None:
        return [None] * len(detections)
    known = detections.masks.known.tolist()
    runs = to_coco_rle(detections.masks)
    return [rle["counts"] if is_known else None for rle, is_known in zip(runs, known, strict=True)]

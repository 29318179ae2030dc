"""Results as rows of a table, for CSV files and pandas."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boxmask.errors import UsageError
from boxmask.outputs import write_output
from boxmask.results.short_floats import shortest
from boxmask.types import Detections, SegmentationMap

if TYPE_CHECKING:
    import pandas


def detection_rows(detections: Detections) -> dict[str, list[Any]]:
    """The columns name, score, x1, y1, x2, y2 and, with masks, area in pixels."""
    boxes = [[shortest(edge) for edge in box] for box in detections.boxes]
    columns: dict[str, list[Any]] = {
        "name": detections.names,
        "score": [shortest(score) for score in detections.scores],
    }
    columns |= {edge: [box[k] for box in boxes] for k, edge in enumerate(("x1", "y1", "x2", "y2"))}
    if detections.masks is not None:
        columns["area"] = detections.masks.areas().tolist()
    return columns


def share_rows(label_map: SegmentationMap) -> dict[str, list[Any]]:
    """The columns name, share and pixels, for the classes that occur, largest first."""
    regions = list(label_map)
    return {
        "name": [region.name for region in regions],
        "share": [region.share for region in regions],
        "pixels": [int(region.mask.sum()) for region in regions],
    }


def data_frame(columns: dict[str, list[Any]]) -> pandas.DataFrame:
    """Columns as a pandas table. Raises UsageError if pandas is not installed."""
    try:
        import pandas
    except ImportError:
        raise UsageError("to_pandas needs pandas: pip install pandas") from None
    return pandas.DataFrame(columns)


def save_table(columns: dict[str, list[Any]], path: Path) -> None:
    """Write columns as a CSV file with a header row. Missing folders are created."""
    with (
        write_output(path) as partial,
        # Lone surrogates, which stand for undecodable bytes of a file name, are written as escapes.
        partial.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))

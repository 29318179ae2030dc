"""One object, detection or photo that is shown as an example."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from jaxtyping import Shaped
from numpy import ndarray

Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels."""


@dataclass(frozen=True, slots=True)
class Case:
    """An object, a detection, or both, of one photo. What does not apply is None.

    photo:       index in the data set
    labeled:     the class of the labeled object; None where no object is labeled
    predicted:   the class of the detection; None where none was found
    score:       of the detection
    iou:         of the detection and the labeled object
    found_box:   of the detection
    labeled_box: of the labeled object
    detection:   index into the detections of the photo
    row:         of the labeled object, index into `DetectionDataset.boxes`
    pixels:      for segmenters, the number of pixels
    """

    photo: int
    labeled: str | None = None
    predicted: str | None = None
    score: float | None = None
    iou: float | None = None
    found_box: Box | None = None
    labeled_box: Box | None = None
    detection: int | None = None
    row: int | None = None
    pixels: int | None = None

    def to_dict(self, files: Shaped[ndarray, " P"]) -> dict[str, Any]:
        """What applies, as plain values, with the file of the photo."""
        fields = {name: _plain(value) for name, value in asdict(self).items() if value is not None}
        return {"file": str(files[self.photo]), **fields}


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    return [round(edge, 1) for edge in value] if isinstance(value, tuple) else value

"""Where the boxes of a photo lie as they are written, and where they would lie if a finding is right.

Both are drawn beside each other, so that the user decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np
from jaxtyping import Float

from boxmask.data.checks.class_shift import CLASS_SHIFT
from boxmask.data.checks.examination import Examination
from boxmask.data.checks.exchanged_coordinates import COORDINATES_EXCHANGED
from boxmask.data.checks.plausibility import BOXES_IDENTICAL
from boxmask.data.checks.resized_copies import find_resized_copies
from boxmask.data.checks.scaled_coordinates import telling_rows
from boxmask.data.checks.sound_boxes import photo_edges
from boxmask.data.detection.box_checks import fit_as_fractions
from boxmask.data.detection.box_forms import (
    COORDINATES_CENTERS,
    COORDINATES_CORNERS,
    COORDINATES_SIZES,
    COORDINATES_UPPER_LEFT,
    from_center,
    from_upper_left,
    written_numbers,
)
from boxmask.data.detection.coordinates import COORDINATES_FRACTIONS
from boxmask.data.detection.declared_sizes import EXIF_SIDEWAYS
from boxmask.data.findings import Finding, Kind
from boxmask.data.formats import yolo
from boxmask.data.formats.kinds import COORDINATES_PERCENT, COORDINATES_SCALED, PHOTO_RESIZED
from boxmask.data.formats.yolo.kinds import COORDINATES_PIXELS, COORDINATES_UNCLEAR
from boxmask.doctor.photos.kinds import COPIES_LABELED_DIFFERENTLY
from boxmask.errors import PhotoError
from boxmask.photos.read import open_image, orientation

Boxes: TypeAlias = Float[np.ndarray, "N 4"]
"""Those of all objects of the data set, in pixels of their photos as shown; NaN where there is none."""

SHOWN_AS_WRITTEN = (CLASS_SHIFT, BOXES_IDENTICAL, COPIES_LABELED_DIFFERENTLY)
"""Kinds whose photos are drawn with all their objects, once."""


@dataclass(frozen=True, slots=True)
class Guess:
    """Boxes and what they are. A photo has one or two guesses."""

    words: str
    boxes: Boxes


class Guesser:
    """Guesses where the boxes of an examination lie."""

    def __init__(self, examination: Examination) -> None:
        self._examination = examination
        self._labels = examination.labels

    def of(self, finding: Finding, photo: int) -> tuple[Guess, ...]:
        """The boxes as written and as guessed in the photo with this index; none without a guess."""
        kind = finding.kind
        written = self._labels.boxes
        if kind == PHOTO_RESIZED:
            return tuple(self._resized(photo))
        if kind == EXIF_SIDEWAYS:
            return tuple(self._sideways(photo))
        if kind in (COORDINATES_PERCENT, COORDINATES_PIXELS) and self._labels.format_name == yolo.NAME:
            words = "percent" if kind == COORDINATES_PERCENT else "pixels"
            return (Guess(f"read as {words}", written),)  # its reader has converted them
        if kind == COORDINATES_UNCLEAR:
            return tuple(self._percent_and_pixels())
        if kind == COORDINATES_SCALED and self._declares_other_size(photo):
            return Guess("as written", written), Guess("scaled to this photo", self._scaled(photo))
        guesses: dict[Kind, Callable[[], Guess | None]] = {
            COORDINATES_FRACTIONS: lambda: self._from_fractions,
            COORDINATES_PERCENT: lambda: Guess("read as percent", written / 100 * np.tile(self._edges, 2)),
            COORDINATES_CORNERS: lambda: Guess("read as corners", self._numbers),
            COORDINATES_SIZES: lambda: self._from_sizes,
            COORDINATES_CENTERS: lambda: Guess("read as centers and sizes", from_center(self._numbers)),
            COORDINATES_UPPER_LEFT: lambda: Guess(
                "read as upper left corners and sizes", from_upper_left(self._numbers)
            ),
            COORDINATES_EXCHANGED: lambda: Guess("with x and y exchanged", self._exchanged),
            COORDINATES_SCALED: lambda: Guess("scaled to this photo", self._from_copies),
        }
        guess = guesses[kind]() if kind in guesses else None
        return (Guess("as written", written), guess) if guess else ()

    @cached_property
    def _edges(self) -> Float[np.ndarray, "N 2"]:
        """Width and height of the photo of each object."""
        return photo_edges(self._examination)

    def _percent_and_pixels(self) -> Iterator[Guess]:
        """The reader of YOLO labels has taken numbers that may be either as percent, unless they pass 100."""
        boxes, factors = self._labels.boxes, np.tile(self._edges, 2) / 100
        is_percent = self._examination.in_fractions
        yield Guess("read as percent", boxes if is_percent else boxes * factors)
        yield Guess("read as pixels", boxes / factors if is_percent else boxes)

    @cached_property
    def _from_fractions(self) -> Guess:
        """x and y are those of the center if boxes then fit, and not otherwise."""
        boxes = self._labels.boxes + (1.0, 1.0, 0.0, 0.0) * np.array(self._labels.box_form == "voc")
        if self._labels.box_form == "xywh" and not fit_as_fractions(boxes):
            sides = self._labels.extents
            centered = np.concatenate([boxes[:, :2] - sides / 2, boxes[:, :2] + sides / 2], axis=1)
            if fit_as_fractions(centered):
                return Guess("read as centers and sizes in fractions", centered * np.tile(self._edges, 2))
        return Guess("read as fractions", boxes * np.tile(self._edges, 2))

    @cached_property
    def _numbers(self) -> Boxes:
        """The four numbers of each box."""
        return np.asarray(written_numbers(self._labels, np.arange(len(self._labels.boxes))))

    @cached_property
    def _from_sizes(self) -> Guess:
        boxes = from_upper_left(self._numbers)
        if fit_as_fractions(boxes / np.tile(self._edges, 2)):
            return Guess("read as upper left corners and sizes", boxes)
        return Guess("read as centers and sizes", from_center(self._numbers))

    @cached_property
    def _exchanged(self) -> Boxes:
        """x and y exchanged; in fractions of the photos if boxes lie in their photos as they are."""
        boxes, edges = self._labels.boxes, np.tile(self._edges, 2)
        if fit_as_fractions(boxes / edges):
            boxes = (boxes / edges)[:, [1, 0, 3, 2]] * edges
            return np.asarray(boxes)
        return boxes[:, [1, 0, 3, 2]]

    @cached_property
    def _from_copies(self) -> Boxes:
        """Scaled from the copies that explain all boxes best."""
        rows = telling_rows(self._examination)
        boxes = np.full_like(self._labels.boxes, np.nan)
        edges = self._edges[rows]
        if len(rows):
            copies = find_resized_copies(self._labels.boxes[rows], edges, self._labels.photo_of[rows])
            boxes[rows] = self._labels.boxes[rows] * np.tile(edges / copies.edges, 2)
        return boxes

    def _declares_other_size(self, photo: int) -> bool:
        declared = self._labels.photos[photo].declared_size
        return declared not in (None, tuple(self._examination.sizes[photo].tolist()))

    def _factors(self, photo: int) -> Float[np.ndarray, " 4"]:
        """From the declared size of a photo to its size."""
        size = self._examination.sizes[photo]
        factors = size / np.array(self._labels.photos[photo].declared_size or size)
        return np.tile(factors[::-1], 2)

    def _scaled(self, photo: int) -> Boxes:
        return np.asarray(self._labels.boxes * self._factors(photo))

    def _resized(self, photo: int) -> Iterator[Guess]:
        """The reader has scaled the boxes of resized photos."""
        yield Guess("as written", self._labels.boxes / self._factors(photo))
        yield Guess("scaled to this photo, as boxmask reads them", self._labels.boxes)

    def _sideways(self, photo: int) -> Iterator[Guess]:
        path = Path(self._labels.root) / self._labels.photos[photo].file
        try:
            with open_image(path) as image:
                turned = orientation(image)
        except PhotoError:
            return
        height, width = self._examination.sizes[photo].tolist()
        boxes = self._labels.boxes
        yield Guess("if drawn on the photo as shown", boxes)
        yield Guess("if drawn on the photo as stored", turn_boxes(boxes, turned, (width, height)))


def turn_boxes(boxes: Boxes, turned: int, size: tuple[int, int]) -> Boxes:
    """Boxes of a stored photo on the photo as shown.

    turned: the EXIF orientation, 1..8
    size:   (width, height) as shown
    """
    width, height = size
    x1, y1, x2, y2 = boxes.T
    if turned >= 5:  # the sides are exchanged
        x1, y1, x2, y2 = y1, x1, y2, x2
    if turned in (2, 3, 6, 7):
        x1, x2 = width - x2, width - x1
    if turned in (3, 4, 7, 8):
        y1, y2 = height - y2, height - y1
    return np.stack([x1, y1, x2, y2], axis=1)

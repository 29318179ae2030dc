"""Pictures of what was found: outlines or boxes with names, grids of pictures, labeled beside found.

RleMasks are drawn in `outlines`, and a box only where there is none, by supervision. The names are placed
here: supervision's labels either cover one another or wander off their boxes, and a crowd of them hides the
photo. A name goes where its box leaves it room, the surest first, and stays away where there is none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import supervision
import torch
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.geometry.boxes import coverage
from boxmask.types import Detections
from boxmask.visualization.masks import with_masks
from boxmask.visualization.style import DARK, LIGHT, PALETTE, Picture, font_of_size, text_color_on

MOST_NAMES = 60  # more names than this hide the photo
MANY = 20  # with more than these, names are smaller
MOST_HIDDEN = 0.5  # of a box, by a name
MARGIN = 2  # pixels around each picture of a sheet


def draw(
    photo: Picture, detections: Detections, *, min_score: float = 0.5, show_scores: bool = True
) -> Picture:
    """The photo with each detection of at least `min_score` and its name; the photo itself is kept.

    Where its mask is known an object is tinted and outlined, else it has a box. A class has the same color
    in every picture. Names do not leave the photo nor cover one another; those of the surest sixty come
    first, and one that finds no room is left out (its object is not).
    """
    shown = detections.above(min_score)
    picture = _with_boxes(with_masks(photo, shown, _thickness(photo, len(shown))), _without_mask(shown))
    canvas = Image.fromarray(picture)
    _add_names(canvas, shown, show_scores)
    return np.array(canvas)


def draw_pair(
    photo: Picture, labeled: Detections, detections: Detections, *, min_score: float = 0.5
) -> Picture:
    """The photo twice, side by side: with what its labels say, and with what was found."""
    pictures = [draw(photo, labeled, show_scores=False), draw(photo, detections, min_score=min_score)]
    width = 2 * (photo.shape[1] + 2 * MARGIN)  # so that nothing is scaled
    return contact_sheet(pictures, columns=2, width=width, captions=("labeled", "found"))


def labeled_objects(dataset: DetectionDataset, photo: int) -> Detections:
    """The labels of one photo as if a perfect detector had found them, each with score 1."""
    rows = dataset.rows(photo)
    height, width = dataset.sizes[photo].tolist()
    boxes = torch.from_numpy(dataset.boxes[rows].copy())
    labels = torch.from_numpy(dataset.labels[rows].copy())
    masks = dataset.masks(photo)
    return Detections(boxes, torch.ones(len(boxes)), labels, dataset.class_names, (height, width), masks)


def contact_sheet(
    pictures: Sequence[Picture], *, columns: int = 4, width: int = 1600, captions: Sequence[str] = ()
) -> Picture:
    """A grid of pictures, `width` pixels wide in all, each fitted to its cell, with a caption above.

    Raises ValueError without pictures, or where there are captions but not one for each picture.
    """
    if not pictures or len(captions) not in (0, len(pictures)):
        raise ValueError(
            f"expected pictures and a caption for each, found {len(pictures)} and {len(captions)}"
        )
    cell = max(8, width // columns - 2 * MARGIN)
    strip = max(12, cell // 24) if captions else 0
    fitted = [_fit(picture, cell) for picture in pictures]
    rows = [
        _sheet_row(fitted[i : i + columns], captions[i : i + columns], columns, cell, strip)
        for i in range(0, len(fitted), columns)
    ]
    return np.concatenate(rows)


# ---------------------------------------------------------------- boxes


def _without_mask(detections: Detections) -> Detections:
    """Those of which only the box is known."""
    if detections.masks is None:
        return detections
    unknown = torch.from_numpy(~detections.masks.known)
    return replace(detections.rows(unknown.to(detections.boxes.device)), masks=None)


def _with_boxes(photo: Picture, detections: Detections) -> Picture:
    """The surest are drawn last, on top of the others."""
    found = detections.to_supervision()[::-1]
    height, width = photo.shape[:2]
    found.xyxy = found.xyxy.clip(0, [width - 1, height - 1] * 2)  # the last row and column are still seen
    palette = supervision.ColorPalette.from_hex(list(PALETTE))
    annotator = supervision.BoxAnnotator(palette, _thickness(photo, len(detections)))
    scene = np.ascontiguousarray(photo[..., ::-1])  # supervision draws in BGR
    return np.ascontiguousarray(annotator.annotate(scene, found)[..., ::-1])


def _thickness(photo: Picture, boxes: int) -> int:
    shorter_side = int(min(photo.shape[:2]))
    return max(1, round(shorter_side / (400 if boxes > MOST_NAMES else 220)))


# ---------------------------------------------------------------- names

Rectangle: TypeAlias = tuple[int, int, int, int]
"""x1, y1, x2, y2 in whole pixels."""


def _add_names(canvas: Image.Image, detections: Detections, show_scores: bool) -> None:
    size = _font_size(canvas.size, len(detections))
    pencil, font, pad = ImageDraw.Draw(canvas), font_of_size(size), max(1, size // 6)
    taken: list[Rectangle] = []
    names = detections.names
    for i in range(min(len(detections), MOST_NAMES)):
        text = names[i]
        if show_scores:
            text += f" {detections.scores[i]:.2f}"
        extent = (int(font.getlength(text)) + 2 * pad, size + 2 * pad)
        place = _free_place(i, detections.boxes, extent, canvas.size, taken)
        if place is not None:
            taken.append(place)
            ground = PALETTE[int(detections.labels[i]) % len(PALETTE)]
            pencil.rectangle(place, fill=ground)
            pencil.text(
                (place[0] + pad, place[1] + pad + size // 2), text, text_color_on(ground), font, anchor="lm"
            )


def _free_place(
    which: int,
    boxes: Float[Tensor, "N 4"],
    extent: tuple[int, int],
    photo: tuple[int, int],
    taken: Sequence[Rectangle],
) -> Rectangle | None:
    """The first free place for a name of `extent` at box `which`: above it, below it, inside its corners.

    Free is a place in the photo that covers no other name and not the better part of any box.
    """
    (x1, y1, x2, y2), (width, height) = (round(edge) for edge in boxes[which].tolist()), extent
    corners = [
        *((x1, y1 - height), (x1, y2), (x1, y1), (x2 - width, y1 - height), (x2 - width, y2)),
        *((x2 - width, y1), (x1, y2 - height), (x2 - width, y2 - height)),
    ]
    for x, y in corners:
        left = min(max(x, 0), photo[0] - width)  # pushed sideways into the photo
        place = (left, y, left + width - 1, y + height - 1)
        inside = left >= 0 and y >= 0 and y + height <= photo[1]
        if inside and not any(_overlap(place, other) for other in taken) and not _hides_a_box(place, boxes):
            return place
    return None


def _hides_a_box(place: Rectangle, boxes: Float[Tensor, "N 4"]) -> bool:
    return bool((coverage(boxes.new_tensor([place]), boxes) > MOST_HIDDEN).any())


def _overlap(a: Rectangle, b: Rectangle) -> bool:
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]


def _font_size(photo: tuple[int, int], names: int) -> int:
    """In pixels: grows with the photo, never under 9, which can just be read."""
    side = math.sqrt(photo[0] * photo[1])
    return max(9, round(side / (50 if names > MANY else 34)))


# ---------------------------------------------------------------- sheets


def _fit(picture: Picture, width: int) -> Picture:
    """Scaled to `width`, its proportions kept; a picture taller than two widths is scaled to that height."""
    scale = min(width / picture.shape[1], 2 * width / picture.shape[0])
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    return np.array(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def _sheet_row(
    pictures: Sequence[Picture], captions: Sequence[str], columns: int, cell: int, strip: int
) -> Picture:
    """One row of the grid, on white."""
    tallest = max(picture.shape[0] for picture in pictures)
    row = Image.new("RGB", (columns * (cell + 2 * MARGIN), tallest + strip + 2 * MARGIN), LIGHT)
    pencil = ImageDraw.Draw(row)
    for i, picture in enumerate(pictures):
        left = i * (cell + 2 * MARGIN) + MARGIN
        row.paste(Image.fromarray(picture), (left + (cell - picture.shape[1]) // 2, strip + MARGIN))
        if captions:
            font = font_of_size(max(9, strip * 2 // 3))
            pencil.text((left + 2, strip // 2), _shortened(captions[i], font, cell), DARK, font, anchor="lm")
    return np.array(row)


def _shortened(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    """As much of the text as fits `width` pixels, its end kept: of a path that is the file."""
    if font.getlength(text) <= width:
        return text
    start = next((i for i in range(len(text)) if font.getlength("…" + text[i:]) <= width), len(text))
    return "…" + text[start:]

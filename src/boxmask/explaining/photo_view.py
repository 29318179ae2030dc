"""The photo that is explained: as models take it, and as pictures show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from boxmask.geometry.boxes import rescale
from boxmask.photos.read import Photo, to_image, to_pixels
from boxmask.pipeline.images import Batch
from boxmask.types import Detections
from boxmask.visualization.boxes import draw_boxes, draw_lines
from boxmask.visualization.heat_maps import draw_heat_map, spread_cells
from boxmask.visualization.name_tags import draw_tags, font_size_for
from boxmask.visualization.style import LIGHT, RGBImage, distinct_color

MIN_SIDE, MAX_SIDE = 640, 1280  # of the longer side of pictures, in pixels
CROP_SIDE = 112  # of the squares that show a part of the photo, in pixels


@dataclass(frozen=True)
class PhotoView:
    """A photo and the score from which on its objects are shown.

    image:  (3, H, W), as `predict` takes it
    pixels: (H, W, 3) uint8
    """

    image: Tensor
    pixels: RGBImage
    min_score: float = 0.5

    @staticmethod
    def of(photo: Photo, min_score: float) -> PhotoView:
        """Read the photo. Raises PhotoError."""
        return PhotoView(to_image(photo), to_pixels(photo), min_score)

    @cached_property
    def size(self) -> tuple[int, int]:
        """(height, width) of the photo."""
        return int(self.pixels.shape[0]), int(self.pixels.shape[1])

    @cached_property
    def picture(self) -> RGBImage:
        """The photo at the size of the pictures."""
        return self.fit(self.pixels)

    @property
    def picture_size(self) -> tuple[int, int]:
        """(height, width) of the pictures."""
        return int(self.picture.shape[0]), int(self.picture.shape[1])

    def fit(self, picture: RGBImage) -> RGBImage:
        """A picture of the photo, scaled to the size of the pictures."""
        height, width = self.size
        scale = min(max(MIN_SIDE / max(self.size), 1.0), MAX_SIDE / max(self.size))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        return np.array(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))

    # ---------------------------------------------------------------- boxes

    def draw(
        self,
        boxes: Float[np.ndarray, "N 4"],
        colors: Sequence[int] | None = None,
        *,
        thick: bool = False,
        on: RGBImage | None = None,
    ) -> RGBImage:
        """Draw boxes in pixels of the photo.

        colors: a number per box; by default, colors alternate
        on:     a picture to draw on; by default the photo
        """
        picture = self.picture if on is None else on
        thin = max(1, min(picture.shape[:2]) // 400)
        return draw_boxes(picture, self.place(boxes), colors, 3 * thin if thick else thin)

    def draw_lines(self, lines: Float[np.ndarray, "N 4"], colors: Sequence[int]) -> RGBImage:
        """Draw lines (x1, y1, x2, y2) in pixels of the photo, each with a dot at its start."""
        thickness = max(1, min(self.picture.shape[:2]) // 200)
        return draw_lines(self.picture, self.place(lines), colors, thickness)

    def place(self, boxes: Float[np.ndarray, "N 4"]) -> Float[np.ndarray, "N 4"]:
        """Boxes in pixels of the photo -> in pixels of the picture."""
        height, width = self.size
        stretch = (self.picture.shape[1] / width, self.picture.shape[0] / height)
        return np.asarray(boxes * np.array(stretch * 2), np.float32)

    def tag(self, picture: RGBImage, detections: Detections, texts: Sequence[str]) -> RGBImage:
        """Draw a name tag in the color of its number onto each of the first boxes of a picture."""
        placed = self.place(detections.boxes[: len(texts)])
        size = (int(picture.shape[0]), int(picture.shape[1]))
        placed = placed.clip(0, np.array([size[1], size[0]] * 2, np.float32))
        tagged = Detections(
            placed,
            detections.scores[: len(texts)],
            detections.labels[: len(texts)],
            detections.class_names,
            size,
        )
        canvas = Image.fromarray(picture)
        colors = [distinct_color(index) for index in range(len(texts))]
        draw_tags(canvas, tagged, texts, colors, font_size_for(canvas.size, len(texts)))
        return np.array(canvas)

    def crop(self, box: Float[np.ndarray, " 4"], side: int = CROP_SIDE) -> RGBImage:
        """The part of the photo inside a box, fitted into a white square."""
        height, width = self.size
        left, top = (
            int(min(max(edge, 0), end - 1)) for edge, end in zip(box[:2], (width, height), strict=True)
        )
        right, bottom = (
            int(min(np.ceil(edge), end)) for edge, end in zip(box[2:], (width, height), strict=True)
        )
        window = self.pixels[top : max(bottom, top + 1), left : max(right, left + 1)]
        extent = (window.shape[1], window.shape[0])
        return fit_into_square(np.ascontiguousarray(window), extent, side, Image.Resampling.BILINEAR)

    # ---------------------------------------------------------------- maps

    def heat(
        self,
        cells: Float[np.ndarray, "h w"],
        batch: Batch | None,
        limits: tuple[float, float],
        center: float = 0.5,
    ) -> RGBImage:
        """Draw the value of each cell of a map over the photo.

        batch:  the network's input, whose padding the map covers as well; None: the map has no padding
        center: as in `spread_cells`
        """
        values = spread_cells(cells, covered(batch), self.picture_size, center)
        return draw_heat_map(self.picture, values, limits)


def fit_into_square(
    picture: RGBImage, extent: tuple[float, float], side: int, resampling: Image.Resampling
) -> RGBImage:
    """A picture in the middle of a white square, stretched to the proportions of `extent` (width, height)."""
    scale = side / max(*extent, 1e-6)
    width, height = (max(1, round(length * scale)) for length in extent)
    square = Image.new("RGB", (side, side), LIGHT)
    resized = Image.fromarray(picture).resize((width, height), resampling)
    square.paste(resized, ((side - width) // 2, (side - height) // 2))
    return np.array(square)


def covered(batch: Batch | None) -> tuple[float, float]:
    """The parts of the height and of the width of the network's input that the photo covers."""
    if batch is None:
        return 1.0, 1.0
    height, width = batch.pixels.shape[-2:]
    return batch.sizes[0][0] / height, batch.sizes[0][1] / width


def in_photo(boxes: Tensor, batch: Batch) -> Float[np.ndarray, "N 4"]:
    """Boxes in pixels of the resized photo -> in pixels of the photo."""
    return rescale(boxes.float(), batch.sizes[0], batch.original_sizes[0]).numpy(force=True)

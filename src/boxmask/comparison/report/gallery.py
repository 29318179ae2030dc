"""The photos of the page, with labels and what each model found as layers over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from boxmask.comparison.report.label_maps import MapLayer
from boxmask.comparison.report.objects import DrawnLabel, Layer
from boxmask.pages.pictures import Picture

_MAX_NAMES = 8
_MANY_WRONG_PIXELS = 0.05
"""A label map with a larger share of wrong pixels has mistakes; edges are never exact."""

_SHOWN_SIDE, _NAME_SIZE = 300, 12
"""The side of a photo on the page, and the size of names on it, about."""


@dataclass(frozen=True, slots=True)
class ItemResult:
    """The class that a classifier gave an item."""

    number: int
    name: str
    score: str
    is_right: bool


@dataclass(frozen=True, slots=True)
class GalleryPhoto:
    """A photo with its layers.

    number:     in the gallery
    index:      in the data set
    is_suspect: whether its labels are probably wrong
    labels, layers:   of objects
    label_map, maps:  of label maps
    labeled, results: of classified items
    """

    number: int
    index: int
    file: str
    picture: Picture
    is_suspect: bool
    labels: tuple[DrawnLabel, ...] = ()
    layers: tuple[Layer, ...] = ()
    label_map: Picture | None = None
    maps: tuple[MapLayer, ...] = ()
    labeled: str = ""
    results: tuple[ItemResult, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.picture.region[2], self.picture.region[3]

    @property
    def name_size(self) -> float:
        """The size of names, in pixels of the photo."""
        return round(_NAME_SIZE * max(self.size) / _SHOWN_SIDE, 1)

    @property
    def is_crowded(self) -> bool:
        """Whether the names of all objects would hide the photo."""
        kept = [sum(each.is_kept for each in layer.detections) for layer in self.layers]
        return max(len(self.labels), *kept, 0) > _MAX_NAMES

    @property
    def mistakes(self) -> list[int]:
        """The numbers of the models that have mistakes here."""
        objects = [layer.number for layer in self.layers if layer.wrong or layer.missed]
        maps = [layer.number for layer in self.maps if layer.share > _MANY_WRONG_PIXELS]
        return [*objects, *maps, *(result.number for result in self.results if not result.is_right)]

    def pictures(self) -> list[Picture]:
        """All pictures of this photo."""
        maps = [picture for layer in self.maps for picture in (layer.classes, layer.wrong)]
        return [self.picture, *([self.label_map] if self.label_map else []), *maps]


@dataclass(frozen=True)
class Gallery:
    """The photos of the page, the worst first.

    total:   number of evaluated photos
    is_full: whether photos are missing because the page would grow too large
    colors:  of the classes of label maps, by name
    """

    task: str
    photos: tuple[GalleryPhoto, ...]
    total: int
    is_full: bool
    class_names: tuple[str, ...]
    colors: Mapping[str, str] = field(default_factory=dict)

    def missed_numbers(self, model: int) -> list[int]:
        """The photos in which a model has missed an object."""
        return [
            photo.number
            for photo in self.photos
            if any(layer.number == model and layer.missed for layer in photo.layers)
        ]

    def right_numbers(self, model: int, name: str) -> list[int]:
        """The photos in which a model is right about an object, or the photo, of a class."""
        return [photo.number for photo in self.photos if _is_right(photo, model, name)]

    def pictures(self) -> list[Picture]:
        """All pictures of the page."""
        return [picture for photo in self.photos for picture in photo.pictures()]


def _is_right(photo: GalleryPhoto, model: int, name: str) -> bool:
    in_layer = any(
        each.verdict == "right" and each.is_kept and each.name == name
        for layer in photo.layers
        if layer.number == model
        for each in layer.detections
    )
    return in_layer or any(
        result.number == model and result.is_right and result.name == name for result in photo.results
    )

"""Choose the photos of the gallery and draw them, for each task."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from PIL import Image

from boxmask.comparison.contract import Comparison
from boxmask.comparison.report.gallery import Gallery, GalleryPhoto, ItemResult
from boxmask.comparison.report.label_maps import LabelMapDrawer
from boxmask.comparison.report.objects import ObjectDrawer
from boxmask.comparison.report.photo_choice import MAX_PHOTOS, ChosenPhoto, choose_photos
from boxmask.errors import PhotoError
from boxmask.evaluation.detection.classes import with_class_names
from boxmask.pages.pictures import PHOTO_SIDE, Album, Picture, make_album
from boxmask.types import Classification, Detections, SegmentationMap
from boxmask.visualization.style import class_colors, is_background

MAX_BYTES = 5_000_000
"""All pictures of the page together."""

_MAX_DRAWN = 20_000
"""Detections that are drawn on all photos together."""

_MAX_PER_PHOTO = 300


def make_gallery(
    comparison: Comparison, failures: Mapping[int, dict[str, Any]], max_bytes: int = MAX_BYTES
) -> Gallery:
    """The photos on which labels and models disagree most, up to `MAX_PHOTOS`.

    failures:  by number of the model
    max_bytes: of all pictures together
    """
    dataset = comparison.dataset
    files = [str(file) for file in dataset.files]
    chosen = choose_photos(files, failures, MAX_PHOTOS)
    makers = {"detection": _objects, "segmentation": _label_maps, "classification": _items}
    photos, is_full = makers[comparison.task](comparison, chosen, failures, max_bytes)
    colors = {}
    if comparison.task == "segmentation":
        pairs = zip(dataset.class_names, class_colors(dataset.class_names), strict=True)
        colors = {name: color for name, color in pairs if not is_background(name)}
    return Gallery(comparison.task, tuple(photos), len(dataset), is_full, tuple(dataset.class_names), colors)


def _photo(number: int, chosen: ChosenPhoto, picture: Picture) -> GalleryPhoto:
    return GalleryPhoto(number, chosen.index, chosen.file, picture, chosen.suspicion > 0)


def _album(comparison: Comparison, chosen: Sequence[ChosenPhoto], max_bytes: int) -> Album:
    return make_album(comparison.dataset.root, {photo.file: () for photo in chosen}, max_bytes=max_bytes)


# ---------------------------------------------------------------- one task each


def _objects(
    comparison: Comparison,
    chosen: Sequence[ChosenPhoto],
    failures: Mapping[int, dict[str, Any]],
    max_bytes: int,
) -> tuple[list[GalleryPhoto], bool]:
    dataset, models = comparison.dataset, comparison.models
    album = _album(comparison, chosen, max_bytes)
    min_scores = [_min_scores(comparison, number, failures.get(number)) for number in range(len(models))]
    max_drawn = max(10, min(_MAX_PER_PHOTO, _MAX_DRAWN // max(1, len(chosen) * len(models))))
    drawer = ObjectDrawer(dataset, min_scores, max_drawn, by_mask=_compares_masks(comparison, failures))
    photos = []
    for number, photo in enumerate(photo for photo in chosen if photo.file in album.photos):
        results = [cast(Detections, model.results[photo.index]) for model in models]
        known = [with_class_names(result, dataset.class_names) for result in results]
        labels, layers = drawer.draw(photo.index, known)
        picture = album.photos[photo.file].whole
        photos.append(replace(_photo(number, photo, picture), labels=labels, layers=layers))
    return photos, album.is_full


def _compares_masks(comparison: Comparison, failures: Mapping[int, dict[str, Any]]) -> bool:
    """Whether a detection is right by its mask, as in the analyses of failures, or in the metric."""
    kinds = {each["kind"] for each in failures.values() if "kind" in each}
    return "segm" in kinds if kinds else comparison.metric == "mask_AP"


def _min_scores(comparison: Comparison, number: int, failures: dict[str, Any] | None) -> Mapping[str, float]:
    """The recommended minimum score of each class."""
    if failures is not None and "min_scores" in failures:
        scores: dict[str, float] = failures["min_scores"]
        return scores
    per_class = comparison.models[number].evaluation.to_dict().get("per_class", {})
    best = {name: values.get("best_min_score") for name, values in per_class.items()}
    return {name: score for name, score in best.items() if score is not None}


def _label_maps(
    comparison: Comparison,
    chosen: Sequence[ChosenPhoto],
    failures: Mapping[int, dict[str, Any]],
    max_bytes: int,
) -> tuple[list[GalleryPhoto], bool]:
    album = _album(comparison, chosen, max_bytes)
    drawer, num_bytes = LabelMapDrawer(comparison.dataset), 0
    photos: list[GalleryPhoto] = []
    for number, photo in enumerate(photo for photo in chosen if photo.file in album.photos):
        results = [cast(SegmentationMap, model.results[photo.index]) for model in comparison.models]
        picture = album.photos[photo.file].whole
        label_map, maps = drawer.draw(photo.index, results, picture.id)
        drawn = replace(_photo(number, photo, picture), label_map=label_map, maps=maps)
        num_bytes += sum(len(each.uri) for each in drawn.pictures())
        if num_bytes > max_bytes:
            return photos, True
        photos.append(drawn)
    return photos, album.is_full


def _items(
    comparison: Comparison,
    chosen: Sequence[ChosenPhoto],
    failures: Mapping[int, dict[str, Any]],
    max_bytes: int,
) -> tuple[list[GalleryPhoto], bool]:
    """Items are shown as they were classified: photos, or parts of them."""
    dataset, num_bytes = comparison.dataset, 0
    photos: list[GalleryPhoto] = []
    for number, photo in enumerate(chosen):
        picture = _item_picture(comparison, photo, number)
        if picture is None:
            continue
        num_bytes += len(picture.uri)
        if num_bytes > max_bytes:
            return photos, True
        labeled = dataset.class_names[int(dataset.labels[photo.index])]
        results = tuple(_item_results(comparison, photo.index, labeled))
        photos.append(replace(_photo(number, photo, picture), labeled=labeled, results=results))
    return photos, False


def _item_results(comparison: Comparison, item: int, labeled: str) -> Iterator[ItemResult]:
    for number, model in enumerate(comparison.models):
        result = cast(Classification, model.results[item])
        yield ItemResult(number, result.name, f"{result.score:.2f}", result.name == labeled)


def _item_picture(comparison: Comparison, photo: ChosenPhoto, number: int) -> Picture | None:
    """None for a photo that cannot be read."""
    try:
        pixels = comparison.dataset.photo(photo.index).permute(1, 2, 0).numpy()
    except PhotoError:
        return None
    image = Image.fromarray(pixels)
    region = (0, 0, *image.size)
    image.thumbnail((PHOTO_SIDE, PHOTO_SIDE))
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=70)
    uri = f"data:image/webp;base64,{b64encode(buffer.getvalue()).decode('ascii')}"
    return Picture(f"photo-{number}", region, uri)

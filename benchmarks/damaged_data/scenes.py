"""The photos of the corpus: handwritten digits on textured backgrounds, with boxes and outlines."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import contourpy
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxmask.data.demo.digits import Samples, load_samples
from boxmask.data.demo.scenes import DemoRecipe, make_scene
from damaged_data.sample import Object, Photo, Points, Sample

NUM_PHOTOS = 30
CLASS_NAMES = ("ring", "hook", "stick")
_CLASS_OF_DIGIT = (0, 2, 1, 1, 2, 1, 0, 2, 0, 0)  # with a hole, curved, straight
_SPLITS = ("train",) * 18 + ("val",) * 6 + ("test",) * 6
_RECIPE = DemoRecipe(
    size=(160, 208),
    upright_share=0.3,
    objects=(2, 5),
    heights=(36.0, 96.0),
    small_share=0.0,
    min_visible=1.0,
    sample_shares=(1.0, 0.0, 0.0),
)
_TOLERANCE = 0.6  # pixels between an outline and its simplified form


def make_photos(folder: Path, seed: int) -> None:
    """Write the photos as JPEGs, and what they show as scenes.json."""
    folder.mkdir(parents=True, exist_ok=True)
    samples = load_samples("train", _RECIPE.sample_shares)
    rng = np.random.default_rng(seed)
    numbers = rng.choice(9999, NUM_PHOTOS, replace=False)
    scenes = [_make_photo(folder, f"IMG_{number:04d}", samples, rng) for number in numbers]
    (folder / "scenes.json").write_text(json.dumps(scenes), encoding="utf-8")


def load_sample(folder: Path) -> Sample:
    """A fresh sample of the photos in a folder that `make_photos` wrote."""
    scenes = json.loads((folder / "scenes.json").read_text(encoding="utf-8"))
    photos = [
        Photo(
            stem=scene["stem"],
            split=split,
            size=tuple(scene["size"]),
            objects=[
                Object(CLASS_NAMES[label], list(map(float, box)), [tuple(point) for point in points])
                for label, box, points in scene["objects"]
            ],
            source=folder / f"{scene['stem']}.jpg",
        )
        for scene, split in zip(scenes, _SPLITS, strict=True)
    ]
    sample = Sample(list(CLASS_NAMES), photos)
    for split in ("train", "val", "test"):
        _vary_first_objects(sample.of_split(split))
    return sample


def _vary_first_objects(photos: list[Photo]) -> None:
    """Make each class the first in a photo, so that no split lacks one if only first objects count."""
    for name in CLASS_NAMES:
        photo = next(photo for photo in photos if name in {thing.name for thing in photo.objects})
        photo.objects.sort(key=lambda thing, name=name: thing.name != name)
        photos.remove(photo)


def link(source: Path, target: Path) -> None:
    """Hard-link a file, or copy it where that is impossible."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        target.write_bytes(source.read_bytes())


def _make_photo(folder: Path, stem: str, samples: Samples, rng: np.random.Generator) -> dict[str, object]:
    scene = make_scene(samples, _RECIPE, False, rng)
    Image.fromarray(scene.photo).save(folder / f"{stem}.jpg", quality=92)
    objects = []
    for label, mask in zip(scene.labels, scene.masks, strict=True):
        outline = outline_of(mask)
        xs, ys = zip(*outline, strict=True)
        box = [math.floor(min(xs)), math.floor(min(ys)), math.ceil(max(xs)), math.ceil(max(ys))]
        objects.append([_CLASS_OF_DIGIT[label], box, outline])
    return {"stem": stem, "size": scene.photo.shape[:2], "objects": objects}


def outline_of(mask: NDArray[np.bool_]) -> Points:
    """The longest contour of a mask as a polygon in continuous pixels."""
    padded = np.pad(mask.astype(np.float64), 1)
    lines = contourpy.contour_generator(z=padded).lines(0.5)
    longest = max(lines, key=len)[:-1] - 0.5  # pixel centers to edges, without the padding
    middle = len(longest) // 2
    kept = [*_simplify(longest[: middle + 1])[:-1], *_simplify(longest[middle:])]
    return [(round(float(x), 2), round(float(y), 2)) for x, y in kept]


def _simplify(line: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Douglas and Peucker: leave out points near the line between those that are kept."""
    if len(line) < 3:
        return list(line)
    start, end = line[0], line[-1]
    direction = (end - start) / (np.linalg.norm(end - start) or 1)
    offsets = line - start
    distances = np.abs(offsets[:, 0] * direction[1] - offsets[:, 1] * direction[0])
    farthest = int(distances.argmax())
    if distances[farthest] <= _TOLERANCE:
        return [start, end]
    return [*_simplify(line[: farthest + 1])[:-1], *_simplify(line[farthest:])]

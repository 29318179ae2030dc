"""The demo data set: generated photos of handwritten digits with exact boxes and masks, as COCO labels.

    FOLDER/instances_train.json  instances_val.json  instances_test.json  images/*.jpg  demo.json

Nothing is downloaded: the handwriting comes with scikit-learn, and the backgrounds are computed.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
from hotcoco import mask as rle
from numpy.typing import NDArray
from PIL import Image

from boxmask.data.contract import SPLITS
from boxmask.data.demo.digits import DIGIT_NAMES, load_samples
from boxmask.data.demo.scenes import DemoRecipe, Scene, make_scene
from boxmask.errors import UsageError

MIN_PHOTOS = 20  # with fewer, a split would be empty
JPEG_QUALITY = 92
STANDARD = DemoRecipe()

Record = dict[str, object]


def make_demo(folder: Path, *, photos: int = 600, seed: int = 0, recipe: DemoRecipe = STANDARD) -> Path:
    """Write the demo data set into a new folder, and return the folder.

    The same number of photos, seed and recipe give the same files. If `folder` already holds them, nothing is
    done. The folder appears only once it is complete. Raises UsageError for a folder with other content, and
    for too few photos.
    """
    if photos < MIN_PHOTOS:
        raise UsageError(f"demo: {photos} photos requested; give {MIN_PHOTOS} or more")
    stamp = _stamp(photos, seed, recipe)
    if folder.exists():
        _check_same(folder, stamp)
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".boxmask-demo-", dir=folder.parent) as scratch:
        unfinished = Path(scratch) / folder.name
        _write(unfinished, photos, seed, recipe)
        (unfinished / "demo.json").write_text(stamp, encoding="utf-8")
        unfinished.rename(folder)
    return folder


def _stamp(photos: int, seed: int, recipe: DemoRecipe) -> str:
    return json.dumps({"photos": photos, "seed": seed, "recipe": asdict(recipe)}, indent=2)


def _check_same(folder: Path, stamp: str) -> None:
    """Raise UsageError unless the folder was written with this stamp and its photos are all there."""
    stamp_file = folder / "demo.json"
    wanted = json.loads(stamp)["photos"]
    if not stamp_file.is_file() or stamp_file.read_text(encoding="utf-8") != stamp:
        raise UsageError(
            f"{folder} exists and is not the requested demo data set; remove it or choose another folder"
        )
    found = len(list((folder / "images").glob("*.jpg")))
    if found != wanted:
        raise UsageError(
            f"{folder} holds {found} of the {wanted} photos of the demo data set; remove it and try again"
        )


def _write(folder: Path, photos: int, seed: int, recipe: DemoRecipe) -> None:
    (folder / "images").mkdir(parents=True)
    ends = np.round(np.cumsum((0.0, *recipe.photo_shares)) * photos).astype(int).tolist()
    for split, first, end in zip(SPLITS, ends[:-1], ends[1:], strict=True):
        labels = _write_split(folder / "images", split, range(first, end), seed, recipe)
        (folder / f"instances_{split}.json").write_text(json.dumps(labels), encoding="utf-8")


def _write_split(images: Path, split: str, numbers: range, seed: int, recipe: DemoRecipe) -> Record:
    """Save the photos of one split; return its labels as COCO JSON."""
    samples = load_samples(split, recipe.sample_shares)
    photos: list[Record] = []
    objects: list[Record] = []
    for number in numbers:
        empty = number % recipe.empty_every == recipe.empty_every // 2
        scene = make_scene(samples, recipe, empty, np.random.default_rng([seed, number]))
        name, (height, width) = f"{split}-{number:05d}.jpg", scene.photo.shape[:2]
        Image.fromarray(scene.photo).save(images / name, quality=JPEG_QUALITY)
        photos.append({"id": number, "file_name": name, "width": width, "height": height})
        objects += _annotations(scene, number)
    categories = [{"id": i, "name": name} for i, name in enumerate(DIGIT_NAMES)]
    info = {"description": f"boxmask demo, {split}: handwritten digits on textured backgrounds"}
    return {"info": info, "images": photos, "annotations": objects, "categories": categories}


def _annotations(scene: Scene, photo: int) -> list[Record]:
    """COCO annotations of the visible part of each digit. Ids are unique over all splits."""
    return [
        {
            "id": 100 * photo + number,
            "image_id": photo,
            "category_id": label,
            "bbox": _box_xywh(mask),
            "area": int(mask.sum()),
            "iscrowd": 0,
            "segmentation": _segmentation(mask),
        }
        for number, (label, mask) in enumerate(zip(scene.labels, scene.masks, strict=True))
    ]


def _box_xywh(mask: NDArray[np.bool_]) -> list[int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    x, y = int(columns[0]), int(rows[0])
    return [x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y]


def _segmentation(mask: NDArray[np.bool_]) -> Record:
    """Compressed run lengths as text."""
    packed = rle.encode(mask)
    return {"size": list(mask.shape), "counts": packed["counts"].decode("ascii")}

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hotcoco import mask as rle
from numpy.typing import NDArray
from PIL import Image

from boxmask.data.contract import SPLITS
from boxmask.data.demo import make as demo
from boxmask.data.demo.backgrounds import PALETTES, rgb
from boxmask.data.demo.digits import load_samples, render_digit
from boxmask.data.demo.make import DIGIT_NAMES, STANDARD, make_demo
from boxmask.data.demo.scenes import make_scene
from boxmask.data.detection.read import read_detection
from boxmask.errors import UsageError

PHOTOS = 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_demo(tmp_path_factory.mktemp("demo") / "set", photos=PHOTOS, seed=1)


def labels(folder: Path, split: str) -> dict:
    return json.loads((folder / f"instances_{split}.json").read_text())


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def decoded(annotation: dict) -> NDArray[np.bool_]:
    packed = annotation["segmentation"]
    return rle.decode({"size": packed["size"], "counts": packed["counts"].encode()}).astype(bool)


def test_every_photo_is_in_one_split_and_has_its_declared_size(folder: Path) -> None:
    photos = [photo for split in SPLITS for photo in labels(folder, split)["images"]]
    assert len(photos) == PHOTOS
    assert len({photo["id"] for photo in photos}) == PHOTOS
    assert {photo["file_name"] for photo in photos} == {p.name for p in (folder / "images").iterdir()}
    for photo in photos:
        with Image.open(folder / "images" / photo["file_name"]) as image:
            assert image.size == (photo["width"], photo["height"])
            assert image.mode == "RGB"


def test_no_split_is_empty_and_the_classes_are_the_ten_digits(folder: Path) -> None:
    for split in SPLITS:
        found = labels(folder, split)
        assert found["images"]
        assert found["annotations"]
        assert [category["name"] for category in found["categories"]] == list(DIGIT_NAMES)


def test_boxes_and_areas_are_exactly_those_of_the_masks(folder: Path) -> None:
    for annotation in labels(folder, "train")["annotations"]:
        mask = decoded(annotation)
        y, x = np.nonzero(mask)
        left, top, width, height = annotation["bbox"]
        assert (left, top) == (x.min(), y.min())
        assert (left + width, top + height) == (x.max() + 1, y.max() + 1)
        assert annotation["area"] == mask.sum()


def test_masks_are_read_back_exactly(folder: Path) -> None:
    dataset = read_detection(folder)
    assert dataset.has_mask.all()
    written = {a["id"]: decoded(a) for split in SPLITS for a in labels(folder, split)["annotations"]}
    for photo, number in enumerate(dataset.image_ids.tolist()):
        masks = dataset.masks(photo)
        assert masks is not None
        expected = [mask.astype(bool) for key, mask in written.items() if key // 100 == number]
        assert sorted(mask.tobytes() for mask in masks.dense()) == sorted(mask.tobytes() for mask in expected)
        assert np.array_equal(masks.boxes(), dataset.boxes[dataset.rows(photo)])
        assert np.array_equal(masks.areas(), dataset.areas[dataset.rows(photo)])


def test_masks_of_one_photo_share_no_pixel(folder: Path) -> None:
    found = labels(folder, "train")
    for photo in found["images"]:
        masks = [decoded(a) for a in found["annotations"] if a["image_id"] == photo["id"]]
        assert np.sum([np.zeros((photo["height"], photo["width"])), *masks], axis=0).max() <= 1


def test_some_photos_have_no_object(folder: Path) -> None:
    found = labels(folder, "train")
    with_objects = {annotation["image_id"] for annotation in found["annotations"]}
    assert 1 <= len(found["images"]) - len(with_objects) <= 3


def test_the_same_seed_gives_the_same_files_and_another_seed_others(folder: Path, tmp_path: Path) -> None:
    again = make_demo(tmp_path / "again", photos=PHOTOS, seed=1)
    assert contents(again) == contents(folder)
    other = make_demo(tmp_path / "other", photos=PHOTOS, seed=2)
    assert contents(other)["instances_test.json"] != contents(folder)["instances_test.json"]


def test_an_existing_demo_is_reused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "make_scene", None)  # would raise if called
    assert make_demo(folder, photos=PHOTOS, seed=1) == folder


def test_another_folder_is_refused_and_unchanged(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not the requested demo data set; remove it or choose another"):
        make_demo(folder, photos=PHOTOS, seed=3)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not the requested demo data set"):
        make_demo(tmp_path, photos=PHOTOS)
    assert list(contents(tmp_path)) == ["notes.txt"]


def test_an_incomplete_demo_is_refused(tmp_path: Path) -> None:
    folder = make_demo(tmp_path / "set", photos=20)
    next((folder / "images").iterdir()).unlink()
    with pytest.raises(UsageError, match="holds 19 of the 20 photos"):
        make_demo(folder, photos=20)


def test_no_partial_demo_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scenes = iter([make_scene, make_scene])

    def interrupted(*settings: object) -> object:
        scene = next(scenes, None)
        if scene is None:
            raise KeyboardInterrupt
        return scene(*settings)

    monkeypatch.setattr(demo, "make_scene", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make_demo(tmp_path / "set", photos=20)
    assert list(tmp_path.iterdir()) == []


def test_too_few_photos_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="3 photos requested; give 20 or more"):
        make_demo(tmp_path / "set", photos=3)


def test_splits_share_no_handwriting() -> None:
    seen = [
        {field.tobytes() for field in load_samples(split, STANDARD.sample_shares).fields} for split in SPLITS
    ]
    assert sum(len(fields) for fields in seen) >= 1790  # a few of the 1,797 may be alike
    assert not seen[0] & seen[1]
    assert not (seen[0] | seen[1]) & seen[2]


@pytest.mark.parametrize("split", SPLITS)
def test_every_split_has_every_digit(split: str) -> None:
    assert set(load_samples(split, STANDARD.sample_shares).labels) == set(range(10))


@pytest.mark.parametrize("height", [17.0, 40.0, 104.0])
def test_a_digit_has_the_requested_height_and_sharp_edges(height: float) -> None:
    for field in load_samples("val", STANDARD.sample_shares).fields[:20]:
        opacity = render_digit(field, height, degrees=0.0, shear=0.0)
        assert abs(len(opacity) - height) <= 3
        assert opacity.min() >= 0
        assert opacity.max() == 1
        assert ((opacity > 0.02) & (opacity < 0.98)).mean() < 6 / height  # only along the outline


def test_enough_of_each_digit_is_visible() -> None:
    samples = load_samples("val", STANDARD.sample_shares)
    crowded = replace(STANDARD, objects=(8, 8), small_share=0.0)
    for seed in range(5):
        scene = make_scene(samples, crowded, False, np.random.default_rng(seed))
        assert len(scene.labels) == len(scene.masks) >= 5
        assert all(mask.sum() >= 100 for mask in scene.masks)


def luminance(color: str) -> float:
    """Relative luminance of WCAG 2.2."""
    linear = ((rgb(color) / 255 + 0.055) / 1.055) ** 2.4
    return float(linear @ np.array([0.2126, 0.7152, 0.0722]))


@pytest.mark.parametrize("palette", PALETTES)
def test_ink_contrasts_with_its_background(palette) -> None:
    for ink in palette.inks:
        for background in palette.backgrounds:
            dark, light = sorted([luminance(ink), luminance(background)])
            assert (light + 0.05) / (dark + 0.05) >= 3.5, (ink, background)

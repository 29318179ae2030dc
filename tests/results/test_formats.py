from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from boxmask.errors import UsageError
from boxmask.prediction.predict import predict_photos
from boxmask.results.formats import FORMS, default_forms, files_of, require_forms, require_possible
from boxmask.types import Detections, SegmentationMap
from boxmask.weights.checkpoint import load_model

BOXES = Detections(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.int64), ("cat",), (4, 5))
MAP = SegmentationMap(torch.zeros(4, 5, dtype=torch.uint8), ("sky",))


def test_what_is_written_where_the_user_says_nothing(runs: Callable[[str], Path]) -> None:
    assert default_forms(load_model(runs("unet"))) == ("jpg", "labels")
    assert default_forms(load_model(runs("mask-rcnn"))) == ("jpg", "coco")
    assert default_forms(object()) == ("jpg", "coco")


@pytest.mark.parametrize("forms", [("jpg",), ("coco", "labels"), FORMS])
def test_forms_that_there_are(forms: tuple[str, ...]) -> None:
    require_forms(forms)


@pytest.mark.parametrize(("forms", "named"), [((), "nothing"), (("jpg", "bmp"), "bmp"), (("JPG",), "JPG")])
def test_forms_that_there_are_not(forms: tuple[str, ...], named: str) -> None:
    with pytest.raises(
        UsageError, match=f"--save {named}: not known; there are: jpg, png, coco, labelme, lab"
    ):
        require_forms(forms)


def test_what_each_result_can_be_written_in(outlined: Detections) -> None:
    require_possible(FORMS, outlined)
    require_possible(("jpg", "png", "coco", "labelme"), BOXES)
    require_possible(("jpg", "png", "labels"), MAP)
    with pytest.raises(
        UsageError, match="--save labels: is for masks, and this detector finds boxes; there a"
    ):
        require_possible(("jpg", "labels"), BOXES)
    for form in ("coco", "labelme"):
        with pytest.raises(UsageError, match=f"--save {form}: is for single objects, and this model says"):
            require_possible((form,), MAP)


def test_files_of_a_photo_lie_apart(tmp_path: Path) -> None:
    files = files_of("a", FORMS, tmp_path)
    assert {form: file.relative_to(tmp_path).as_posix() for form, file in files.items()} == {
        "jpg": "a.jpg",
        "png": "a.png",
        "labelme": "labelme/a.json",
        "labels": "labels/a.png",
    }


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("mask-rcnn", ["detections.json", "test-00020.jpg"]),
        ("unet", ["classes.txt", "labels/test-00020.png", "test-00020.jpg"]),
        ("tiles", ["classes.txt", "labels/test-00020.png", "test-00020.jpg"]),
    ],
)
def test_trained_models_write_their_own(
    runs: Callable[[str], Path], demo: Path, tmp_path: Path, kind: str, written: list[str]
) -> None:
    photo = sorted((demo / "images").glob("test-*.jpg"))[0]
    done = predict_photos(load_model(runs(kind)), [photo], tmp_path)  # type: ignore[arg-type]
    files = sorted(file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*.*"))
    assert files == [name.replace("test-00020", photo.stem) for name in written]
    assert (done.shares != []) == (kind != "mask-rcnn")
    assert all(sum(shares.values()) == pytest.approx(1) for shares in done.shares)

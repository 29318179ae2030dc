from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from boxmask.errors import UsageError
from boxmask.runs.recipe import Recipe
from boxmask.weights.checkpoint import load_detector

Refused = Callable[..., str]


@pytest.fixture
def data(demo: Path, tmp_path: Path) -> Path:
    """A copy of the demo set that may be spoilt."""
    return Path(shutil.copytree(demo, tmp_path / "data"))


def change(file: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    labels = json.loads(file.read_text())
    edit(labels)
    file.write_text(json.dumps(labels, indent=1))


def voc(folder: Path, box: str = "<xmin>5</xmin><ymin>5</ymin><xmax>30</xmax><ymax>30</ymax>") -> Path:
    """Six photos with a cat each, as VOC; `box` is that of the last."""
    folder.mkdir()
    for number in range(6):
        Image.new("RGB", (64, 48), (number * 40, 90, 60)).save(folder / f"{number}.jpg")
        corners = box if number == 5 else "<xmin>5</xmin><ymin>5</ymin><xmax>30</xmax><ymax>30</ymax>"
        (folder / f"{number}.xml").write_text(
            f"<annotation>\n<filename>{number}.jpg</filename>\n"
            f"<object>\n<name>cat</name>\n<bndbox>{corners}</bndbox>\n</object>\n</annotation>\n"
        )
    return folder


# ---------------------------------------------------------------- what works


def test_a_training_prints_its_run_and_says_the_rest_on_stderr(
    boxmask: Callable[..., Any], here: Path, demo: Path, quick_flags: tuple[str, ...]
) -> None:
    ended = boxmask("train", demo, *quick_flags)
    assert (ended.status, ended.out) == (0, "runs/faster-rcnn-1\n")
    assert "18 train, 2 val, 4 test photos" in ended.err
    assert "100 %  validation: AP" in ended.err
    assert load_detector(here / "runs" / "faster-rcnn-1").config.backbone == "test_resnet"


def test_every_choice_of_the_recipe_is_a_flag(boxmask: Callable[..., Any]) -> None:
    said = boxmask("train", "--help").out
    for name in Recipe.__dataclass_fields__:
        assert f"--{name.replace('_', '-')}" in said


def test_flags_become_the_recipe(boxmask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []

    def begin(*given: object) -> None:
        asked.append(given)
        raise UsageError("enough")

    monkeypatch.setattr("boxmask.training.train.train", begin)
    flags = ("--scale", "0.5", "2", "--optimizer", "sgd", "--max-minutes", "1.5", "--split-file", "s.json")
    boxmask("train", "data", *flags, "--out", "run")
    recipe = Recipe(scale=(0.5, 2.0), optimizer="sgd", max_minutes=1.5, split_file=Path("s.json"))
    assert asked == [(Path("data"), recipe, Path("run"))]


# ---------------------------------------------------------------- wrong usage


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--model", "yolo"], "unknown model 'yolo'; choose from: rcnn, fast-rcnn, faster-rcnn"),
        (["--preset", "tiny"], "faster-rcnn has no preset 'tiny'; choose from: default"),
        (["--backbone", "resnet0"], "timm knows no backbone 'resnet0'"),
        (["--backbone", "resnet0", "--weights", "none"], "backbone 'resnet0' cannot be built by timm"),
        (["--max-minutes", "1", "--epochs", "1"], "give --max-minutes or --epochs, not both"),
        (["--epochs", "0"], "--epochs: expected more than 0, found 0"),
        (["--epochs", "many"], "--epochs"),
        (["--optimizer", "lion"], "--optimizer"),
        (["--device", "gpu7"], "--device"),
        (["--flip", "2"], "--flip: expected 0 to 1, found 2.0"),
        (["--scale", "2", "1"], "--scale: expected two factors, the smaller first"),
    ],
)
def test_a_choice_that_cannot_be_meant_is_wrong_usage(
    refused: Refused, demo: Path, flags: list[str], message: str
) -> None:
    assert message in refused(2, "train", demo, *flags)


def test_a_run_that_exists_is_not_written_over(refused: Refused, demo: Path, here: Path) -> None:
    (here / "run").mkdir()
    (here / "run" / "notes.txt").write_text("mine")
    said = refused(2, "train", demo, "--out", "run")
    assert said == "boxmask: run: exists already. Go on with it: --resume; or give another --out.\n"
    assert (here / "run" / "notes.txt").read_text() == "mine"


def test_a_resumed_training_keeps_its_recipe(refused: Refused, trained: Path) -> None:
    said = refused(2, "train", "--resume", "--out", trained, "--epochs", "3")
    assert "the run goes on by its own recipe" in said


# ---------------------------------------------------------------- data that cannot be used


def test_a_missing_folder(refused: Refused) -> None:
    assert "nowhere: no such file or folder" in refused(1, "train", "nowhere", "--out", "run")


def test_an_empty_folder(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "no labels found" in refused(1, "train", tmp_path / "empty")


def test_photos_without_labels(refused: Refused, demo: Path) -> None:
    said = refused(1, "train", demo / "images")
    assert "no labels found. Looked for Pascal VOC" in said
    assert "found 24 .jpg" in said


def test_labels_without_photos(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "instances.json").write_text('{"images": [], "annotations": [], "categories": []}')
    assert "name no photo" in refused(1, "train", tmp_path / "data")


def test_an_unknown_format(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "labels.csv").write_text("a.jpg,1,2,3,4,cat\n")
    assert "no labels found" in refused(1, "train", tmp_path / "data")
    assert "no labels found" in refused(1, "train", tmp_path / "data" / "labels.csv")


def test_a_missing_photo(refused: Refused, data: Path) -> None:
    (data / "images" / "train-00003.jpg").unlink()
    said = refused(1, "train", data)
    assert "Labels name photos that do not exist (1):" in said
    assert "instances_train.json" in said
    assert "train-00003.jpg" in said


def test_a_photo_that_is_none(refused: Refused, data: Path) -> None:
    (data / "images" / "train-00003.jpg").write_text("not a photo")
    assert "train-00003.jpg: this file is not an image" in refused(1, "train", data)


def test_a_photo_that_turns_out_truncated(
    boxmask: Callable[..., Any], here: Path, data: Path, quick_flags: tuple[str, ...]
) -> None:
    photo = data / "images" / "train-00003.jpg"
    photo.write_bytes(photo.read_bytes()[:-500])
    ended = boxmask("train", data, *quick_flags, "--out", "run")
    assert (ended.status, ended.out) == (1, "")
    assert f"boxmask: {photo}: this photo is damaged or truncated" in ended.err
    assert "Traceback" not in ended.err
    if (here / "run").exists():  # it was found out after the first step: what was learned is kept
        assert (here / "run" / "resume.safetensors").is_file()


def test_a_flat_box_in_coco(refused: Refused, data: Path) -> None:
    change(data / "instances_train.json", lambda labels: labels["annotations"][0].update(bbox=[9, 9, 0, 12]))
    said = refused(1, "train", data)
    assert "Boxes that are empty or outside their photo (1 of " in said
    assert "is 0 wide and 12 high" in said
    assert "instances_train.json" in said
    assert "--on-bad-boxes skip" in said


def test_a_flat_box_in_voc(refused: Refused, tmp_path: Path) -> None:
    data = voc(tmp_path / "voc", "<xmin>9</xmin><ymin>9</ymin><xmax>9</xmax><ymax>20</ymax>")
    said = refused(1, "train", data)
    assert f"{data / '5.xml'}:3" in said
    assert "cat in 5.jpg is 0 wide and 11 high" in said


def test_a_class_that_training_never_sees(refused: Refused, data: Path) -> None:
    def rename(labels: dict[str, Any]) -> None:
        labels["categories"].append({"id": 99, "name": "ten"})
        labels["annotations"][0]["category_id"] = 99

    change(data / "instances_test.json", rename)
    said = refused(1, "train", data)
    assert "Classes without training photos (1):" in said
    assert '"ten": 1 object in images/test-' in said
    assert "--on-unseen-classes skip" in said


def test_broken_labels(refused: Refused, data: Path) -> None:
    labels = data / "instances_train.json"
    labels.write_text(labels.read_text()[:200])
    assert "instances_train.json:1:" in refused(1, "train", data)


def test_a_split_file_that_is_none(refused: Refused, data: Path) -> None:
    assert "nowhere.json: no such split file" in refused(1, "train", data, "--split-file", "nowhere.json")


# ---------------------------------------------------------------- runs that cannot be gone on with


def test_resuming_what_is_not_there(refused: Refused, trained: Path) -> None:
    assert "nothing to resume: this is not a run" in refused(1, "train", "--resume", "--out", "nowhere")
    assert "nothing to resume: it is complete" in refused(1, "train", "--resume", "--out", trained)


@pytest.mark.parametrize("damage", ["truncated", "garbage", "wrong file"])
def test_resuming_from_a_damaged_state(refused: Refused, trained: Path, tmp_path: Path, damage: str) -> None:
    run = Path(shutil.copytree(trained, tmp_path / "run"))
    proper = (run / "last.safetensors").read_bytes()
    content = {"truncated": proper[:-1000], "garbage": b"garbage" * 99, "wrong file": proper}[damage]
    (run / "resume.safetensors").write_bytes(content)
    before = {file.name: file.read_bytes() for file in run.iterdir()}
    assert "resume.safetensors: this " in refused(1, "train", "--resume", "--out", run)
    assert {file.name: file.read_bytes() for file in run.iterdir()} == before

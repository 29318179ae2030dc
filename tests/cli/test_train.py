from __future__ import annotations

import json
import re
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
    """A copy of the demo data set, which tests may damage."""
    return Path(shutil.copytree(demo, tmp_path / "data"))


def edit_json(file: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    labels = json.loads(file.read_text())
    edit(labels)
    file.write_text(json.dumps(labels, indent=1))


def make_voc(folder: Path, box: str = "<xmin>5</xmin><ymin>5</ymin><xmax>30</xmax><ymax>30</ymax>") -> Path:
    """Six photos with a cat each, in VOC's format; `box` is the box in the last photo."""
    folder.mkdir()
    for number in range(6):
        Image.new("RGB", (64, 48), (number * 40, 90, 60)).save(folder / f"{number}.jpg")
        corners = box if number == 5 else "<xmin>5</xmin><ymin>5</ymin><xmax>30</xmax><ymax>30</ymax>"
        (folder / f"{number}.xml").write_text(
            f"<annotation>\n<filename>{number}.jpg</filename>\n"
            f"<object>\n<name>cat</name>\n<bndbox>{corners}</bndbox>\n</object>\n</annotation>\n"
        )
    return folder


# ---------------------------------------------------------------- training


def test_stdout_is_the_run_and_everything_else_goes_to_stderr(
    boxmask: Callable[..., Any], here: Path, demo: Path, quick_flags: tuple[str, ...]
) -> None:
    completed = boxmask("train", demo, *quick_flags)
    assert (completed.status, completed.out) == (0, "runs/faster-rcnn-1\n")
    assert "18 train, 2 val, 4 test photos" in completed.err
    assert "100 %  validation: AP" in completed.err
    assert load_detector(here / "runs" / "faster-rcnn-1").config.backbone == "test_resnet"


def flags_by_group(help_page: str) -> dict[str, list[str]]:
    """The flags in each panel of a help page, in order."""
    groups: dict[str, list[str]] = {}
    for line in help_page.splitlines():
        if title := re.match(r"╭─ (.+?) ─+╮$", line):
            groups[title[1]] = []
        elif flag := re.match(r"│ (--[a-z-]+)", line):
            list(groups.values())[-1].append(flag[1])
    return groups


def test_every_field_of_the_recipe_is_a_flag_and_the_help_groups_them(boxmask: Callable[..., Any]) -> None:
    groups = flags_by_group(boxmask("train", "--help").out)
    names = ["Start here", "Model", "Schedule", "Optimizer", "Augmentation", "Data", "Run"]
    assert [name for name in groups if groups[name]] == names
    flags = [flag for group in groups.values() for flag in group]
    fields = {"model_options": "--model-option"}  # one flag per option
    expected = [fields.get(name, f"--{name.replace('_', '-')}") for name in Recipe.__dataclass_fields__]
    assert sorted(flags) == sorted([*expected, "--out", "--resume"])
    assert groups["Start here"][:2] == ["--model", "--max-minutes"]


def test_flags_become_the_recipe(boxmask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[object, ...]] = []

    def train(*args: object) -> None:
        calls.append(args)
        raise UsageError("stop here")

    monkeypatch.setattr("boxmask.training.train.train", train)
    flags = ("--scale", "0.5", "2", "--optimizer", "sgd", "--max-minutes", "1.5", "--split-file", "s.json")
    boxmask("train", "data", *flags, "--out", "run")
    recipe = Recipe(scale=(0.5, 2.0), optimizer="sgd", max_minutes=1.5, split_file=Path("s.json"))
    assert calls == [(Path("data"), recipe, Path("run"))]


# ---------------------------------------------------------------- wrong usage


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--model", "yolo"], "unknown model 'yolo'; choose from: rcnn, fast-rcnn, faster-rcnn"),
        (["--preset", "tiny"], "faster-rcnn has no preset 'tiny'; choose from: default"),
        (["--backbone", "resnet0"], "timm has no backbone 'resnet0'"),
        (["--backbone", "resnet0", "--weights", "none"], "backbone 'resnet0' cannot be built by timm"),
        (["--max-minutes", "1", "--epochs", "1"], "(in Python: max_minutes) or --epochs, not both"),
        (["--epochs", "0"], "--epochs: expected more than 0, found 0"),
        (["--epochs", "many"], "--epochs"),
        (["--optimizer", "lion"], "--optimizer"),
        (["--device", "gpu7"], "--device"),
        (["--flip", "2"], "--flip: expected 0 to 1, found 2.0"),
        (["--scale", "2", "1"], "--scale: expected two factors, smaller first"),
    ],
)
def test_an_invalid_value_is_wrong_usage(
    refused: Refused, demo: Path, flags: list[str], message: str
) -> None:
    assert message in refused(2, "train", demo, *flags)


def test_an_existing_folder_is_not_overwritten(refused: Refused, demo: Path, here: Path) -> None:
    (here / "run").mkdir()
    (here / "run" / "notes.txt").write_text("mine")
    message = refused(2, "train", demo, "--out", "run")
    assert message == "boxmask: run: already exists. Continue it with --resume, or give another --out.\n"
    assert (here / "run" / "notes.txt").read_text() == "mine"


def test_a_resumed_training_takes_no_other_flags(refused: Refused, trained: Path) -> None:
    message = refused(2, "train", "--resume", "--out", trained, "--epochs", "3")
    assert "the run keeps its own recipe; leave out the other flags" in message


# ---------------------------------------------------------------- invalid data


def test_a_missing_folder_is_an_error(refused: Refused) -> None:
    assert "nowhere: no such file or folder" in refused(1, "train", "nowhere", "--out", "run")


def test_an_empty_folder_is_an_error(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "no labels found" in refused(1, "train", tmp_path / "empty")


def test_photos_without_labels_are_an_error(refused: Refused, demo: Path) -> None:
    message = refused(1, "train", demo / "images")
    assert "no labels found (only photos: 24 .jpg). Give the folder that holds photos and labels" in message
    assert "\n  Pascal VOC" in message


def test_labels_without_photos_are_an_error(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "instances.json").write_text('{"images": [], "annotations": [], "categories": []}')
    assert "name no photo" in refused(1, "train", tmp_path / "data")


def test_an_unknown_format_is_an_error(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "labels.mat").write_text("a.jpg 1 2 3 4 cat\n")
    assert "no labels found" in refused(1, "train", tmp_path / "data")
    assert "no labels found" in refused(1, "train", tmp_path / "data" / "labels.mat")


def test_a_missing_photo_is_an_error(refused: Refused, data: Path) -> None:
    (data / "images" / "train-00003.jpg").unlink()
    message = refused(1, "train", data)
    assert "Labels of photos that do not exist (1):" in message
    assert "instances_train.json" in message
    assert "train-00003.jpg" in message


def test_a_file_that_is_not_an_image_is_an_error(refused: Refused, data: Path) -> None:
    (data / "images" / "train-00003.jpg").write_text("not a photo")
    assert "train-00003.jpg: this file is not an image" in refused(1, "train", data)


def test_a_truncated_photo_stops_the_training_with_a_message(
    boxmask: Callable[..., Any], here: Path, data: Path, quick_flags: tuple[str, ...]
) -> None:
    photo = data / "images" / "train-00003.jpg"
    photo.write_bytes(photo.read_bytes()[:-500])
    completed = boxmask("train", data, *quick_flags, "--out", "run")
    assert (completed.status, completed.out) == (1, "")
    assert f"boxmask: {photo}: this photo is damaged or truncated" in completed.err
    assert "Traceback" not in completed.err
    if (here / "run").exists():  # found after the first step: the state is saved
        assert (here / "run" / "resume.safetensors").is_file()


def test_damaged_photos_are_reported_before_training_or_left_out(
    boxmask: Callable[..., Any], here: Path, data: Path, quick_flags: tuple[str, ...]
) -> None:
    for split in ("train", "val", "test"):
        photo = min((data / "images").glob(f"{split}-*.jpg"))
        photo.write_bytes(photo.read_bytes()[: photo.stat().st_size // 2])
    completed = boxmask("train", data, *quick_flags, "--out", "run")
    assert (completed.status, completed.out) == (1, "")
    assert "Labeled photos that cannot be read (3):" in completed.err
    assert "leave them out with --on-bad-photos skip" in completed.err
    assert not (here / "run").exists()
    completed = boxmask("train", data, *quick_flags, "--out", "run", "--on-bad-photos", "skip")
    assert completed.status == 0
    assert "17 train, 1 val, 3 test photos" in completed.err
    assert "note: left out: 3 photos that cannot be read" in completed.err
    completed = boxmask("evaluate", "run", data, "--json", "-")  # the run's split lacks the damaged photos
    assert completed.status == 0
    assert json.loads(completed.out)["images"] == 3
    photo = max((data / "images").glob("test-*.jpg"))
    photo.write_bytes(photo.read_bytes()[: photo.stat().st_size // 2])
    completed = boxmask("evaluate", "run", data)
    assert completed.status == 1
    assert f"{photo}: this photo is damaged" in completed.err
    completed = boxmask("evaluate", "run", data, "--on-bad-photos", "skip", "--json", "-")
    assert completed.status == 0
    assert json.loads(completed.out)["images"] == 2
    assert boxmask("evaluate", "run", data, "--split", "val").status == 0


def test_an_empty_box_in_coco_is_an_error(refused: Refused, data: Path) -> None:
    edit_json(
        data / "instances_train.json", lambda labels: labels["annotations"][0].update(bbox=[9, 9, 0, 12])
    )
    message = refused(1, "train", data)
    assert "Boxes without area (1 of " in message
    assert "is 0 wide and 12 high" in message
    assert "instances_train.json" in message
    assert "--on-bad-boxes skip" in message


def test_an_empty_box_in_voc_is_an_error(refused: Refused, tmp_path: Path) -> None:
    data = make_voc(tmp_path / "voc", "<xmin>9</xmin><ymin>9</ymin><xmax>9</xmax><ymax>20</ymax>")
    message = refused(1, "train", data)
    assert f"{data / '5.xml'}:3" in message
    assert "cat in 5.jpg is 0 wide and 11 high" in message


def test_a_class_without_training_photos_is_an_error(refused: Refused, data: Path) -> None:
    def rename(labels: dict[str, Any]) -> None:
        labels["categories"].append({"id": 99, "name": "ten"})
        labels["annotations"][0]["category_id"] = 99

    edit_json(data / "instances_test.json", rename)
    message = refused(1, "train", data)
    assert "Classes without training photos (1):" in message
    assert '"ten": 1 object in images/test-' in message
    assert "--on-unseen-classes skip" in message


def test_broken_labels_are_an_error(refused: Refused, data: Path) -> None:
    labels = data / "instances_train.json"
    labels.write_text(labels.read_text()[:200])
    assert "instances_train.json:1:" in refused(1, "train", data)


def test_a_missing_split_file_is_an_error(refused: Refused, data: Path) -> None:
    assert "nowhere.json: no such split file" in refused(1, "train", data, "--split-file", "nowhere.json")


# ---------------------------------------------------------------- runs that cannot be resumed


def test_a_missing_or_complete_run_cannot_be_resumed(refused: Refused, trained: Path) -> None:
    assert "nothing to resume: this is not a run" in refused(1, "train", "--resume", "--out", "nowhere")
    assert "nothing to resume: the training is complete" in refused(1, "train", "--resume", "--out", trained)


@pytest.mark.parametrize("damage", ["truncated", "garbage", "wrong file"])
def test_a_damaged_state_cannot_be_resumed(
    refused: Refused, trained: Path, tmp_path: Path, damage: str
) -> None:
    run = Path(shutil.copytree(trained, tmp_path / "run"))
    intact = (run / "last.safetensors").read_bytes()
    content = {"truncated": intact[:-1000], "garbage": b"garbage" * 99, "wrong file": intact}[damage]
    (run / "resume.safetensors").write_bytes(content)
    before = {file: file.read_bytes() for file in run.rglob("*") if file.is_file()}
    assert "resume.safetensors: this " in refused(1, "train", "--resume", "--out", run)
    assert {file: file.read_bytes() for file in run.rglob("*") if file.is_file()} == before

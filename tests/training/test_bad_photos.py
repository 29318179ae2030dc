"""Photos that are deleted or damaged while training: the training is saved and stops, or goes on without."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_detection
from boxmask.errors import LabelError, PhotoError
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.tasks.detection.task import DetectionTask
from boxmask.training.clock import Clock
from boxmask.training.loader import TrainingBatch, TrainingDataset, load_batches
from boxmask.training.progress import Report
from boxmask.training.sampler import BatchSampler, padded_sizes
from boxmask.training.setup import network_config
from boxmask.training.stages.rpn_proposals import StoredProposals
from boxmask.training.train import resume, train

Harm = Callable[[Path], object]
HARMS: dict[str, Harm] = {
    "deleted": Path.unlink,
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-500]),
    "emptied": lambda path: path.write_bytes(b""),
}


@pytest.fixture
def data(demo: Path, tmp_path: Path) -> Path:
    """A copy of the demo data set, which tests may damage."""
    return Path(shutil.copytree(demo, tmp_path / "data"))


@pytest.fixture
def skipping(quick: Recipe) -> Recipe:
    """A recipe that reads each photo anew and leaves out bad ones."""
    return replace(quick, cache_megabytes=0, on_bad_photos="skip")


class HarmingReport(Report):
    """Harms files after the first step, or when a stage begins, and records the messages.

    stop_after: the number of steps after which the training is killed
    begin:      names of the stages
    """

    def __init__(
        self,
        files: list[Path],
        harm: Harm = Path.unlink,
        stop_after: int | None = None,
        begin: tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        self.files, self.harm, self.stop_after, self.begin = files, harm, stop_after, begin
        self.messages: list[str] = []
        self.images: list[int] = []

    def message(self, text: str) -> None:
        self.messages.append(text)

    def step(self, clock: Clock, losses: dict[str, float], images: int) -> None:
        super().step(clock, losses, images)
        self.images.append(images)
        assert all(np.isfinite(value) for value in losses.values())
        if not self.begin:
            self.harm_files()
        if clock.step == self.stop_after:
            raise KeyboardInterrupt

    def begin_stage(self, stage: str, number: int, num_stages: int, seconds_before: float) -> None:
        super().begin_stage(stage, number, num_stages, seconds_before)
        if stage in self.begin:
            self.harm_files()

    def harm_files(self) -> None:
        for file in self.files:
            self.harm(file)
        self.files = []

    def left_out(self) -> list[str]:
        return [text for text in self.messages if text.startswith("note: left out: ")]


def photos(data: Path, split: str) -> list[Path]:
    return sorted((data / "images").glob(f"{split}-*.jpg"))


# ---------------------------------------------------------------- training


@pytest.mark.parametrize("harm", HARMS)
def test_the_training_goes_on_without_the_photo(
    data: Path, skipping: Recipe, tmp_path: Path, harm: str
) -> None:
    bad = photos(data, "train")[3]
    report = HarmingReport([bad], HARMS[harm])
    run, finished = train(data, replace(skipping, epochs=2), tmp_path / "run", report)
    assert finished
    assert run.finished
    assert len(report.left_out()) == 1
    assert report.left_out()[0].startswith(f"note: left out: {bad}: this ")
    assert report.messages[-1] == "note: left out while training: 1 photo that could not be read, named above"
    assert sorted(report.images)[0] == 1
    assert sum(report.images) in (34, 35)  # the first step may have had it


@pytest.mark.parametrize("model", ["mask-rcnn", "unet", "classifier"])
def test_every_task(data: Path, recipes: dict[str, Recipe], tmp_path: Path, model: str) -> None:
    recipe = replace(recipes[model], cache_megabytes=0, on_bad_photos="skip", epochs=2)
    bad = [photos(data, "train")[5], photos(data, "val")[0]]
    report = HarmingReport(bad)
    run, finished = train(data, recipe, tmp_path / "run", report)
    assert finished
    assert {message.split(": ")[2] for message in report.left_out()} == {str(path) for path in bad}
    assert run.metrics["images"] >= 1


@pytest.mark.parametrize("model", ["fast-rcnn", "faster-rcnn"])
def test_stages_that_read_each_photo_go_on(
    data: Path, tiny: Callable[[str], Recipe], tmp_path: Path, model: str
) -> None:
    recipe = replace(tiny(model), cache_megabytes=0, on_bad_photos="skip")
    train_names = json.loads((recipe.split_file or Path()).read_text())["train"]
    report = HarmingReport([data / train_names[4]], begin=("Selective Search", "RPN's proposals"))
    assert train(data, recipe, tmp_path / "run", report)[1]
    assert len(report.left_out()) == 1


def test_batches_without_photos_are_skipped(data: Path, skipping: Recipe, tmp_path: Path) -> None:
    report = HarmingReport(photos(data, "train")[:-2])
    assert train(data, replace(skipping, epochs=3), tmp_path / "run", report)[1]
    assert len(report.images) < 27
    assert 0 not in report.images
    assert len(report.left_out()) == 16


def test_if_all_are_lost_the_training_is_saved(data: Path, skipping: Recipe, tmp_path: Path) -> None:
    with pytest.raises(
        PhotoError, match=r"none of the training photos .* continue with: boxmask train --resume"
    ):
        train(data, replace(skipping, epochs=20), tmp_path / "run", HarmingReport(photos(data, "train")))
    assert (tmp_path / "run/resume.safetensors").is_file()


def test_by_default_the_training_is_saved_and_stops(data: Path, skipping: Recipe, tmp_path: Path) -> None:
    bad = photos(data, "train")[3]
    recipe = replace(skipping, on_bad_photos="error", epochs=2)
    with pytest.raises(PhotoError, match=r"does not exist.*continue with: boxmask train --resume") as caught:
        train(data, recipe, tmp_path / "run", HarmingReport([bad]))
    assert str(caught.value).startswith(f"{bad}: ")
    assert (tmp_path / "run/resume.safetensors").is_file()


# ---------------------------------------------------------------- validation


@pytest.mark.parametrize("harm", ["deleted", "truncated"])
def test_validation_goes_on_without_the_photo(
    data: Path, skipping: Recipe, tmp_path: Path, harm: str
) -> None:
    bad = photos(data, "val")[0]
    report = HarmingReport([bad], HARMS[harm])
    run, finished = train(data, replace(skipping, num_validations=3), tmp_path / "run", report)
    assert finished
    assert len(report.left_out()) == 1
    assert str(bad) in report.left_out()[0]
    assert run.metrics["images"] == 1


def test_if_no_validation_photo_is_left_the_training_is_saved(
    data: Path, skipping: Recipe, tmp_path: Path
) -> None:
    with pytest.raises(PhotoError, match=r"none of the validation photos .*continue with"):
        train(data, skipping, tmp_path / "run", HarmingReport(photos(data, "val")))
    assert (tmp_path / "run/resume.safetensors").is_file()


# ---------------------------------------------------------------- label maps, resuming, batches


def test_a_label_map_that_is_deleted(label_maps: Path, recipes: dict[str, Recipe], tmp_path: Path) -> None:
    data = Path(shutil.copytree(label_maps, tmp_path / "maps"))
    (data / "classes.txt").write_text("ground\ndigit\n")
    recipe = replace(recipes["unet"], cache_megabytes=0, on_bad_photos="skip", epochs=2)
    files = sorted(file for file in data.rglob("*.png") if "train" in file.name)[:1]
    report = HarmingReport(files)
    assert train(data, recipe, tmp_path / "run", report)[1]
    assert str(files[0]) in report.left_out()[0]
    again = HarmingReport(sorted(file for file in data.rglob("*.png") if "train" in file.name)[:1])
    with pytest.raises(LabelError, match="continue with"):
        train(data, replace(recipe, on_bad_photos="error"), tmp_path / "other", again)


def test_a_training_without_the_photo_can_be_resumed(data: Path, skipping: Recipe, tmp_path: Path) -> None:
    bad = photos(data, "train")[3]
    report = HarmingReport([bad], stop_after=6)
    with pytest.raises(KeyboardInterrupt):
        train(data, replace(skipping, epochs=2, save_seconds=1e-9), tmp_path / "run", report)
    again = HarmingReport([])
    assert resume(Run(tmp_path / "run"), report=again)
    assert "note: training continues without 1 photo that it began with" in again.messages


def test_resuming_is_bit_equal_where_no_photo_is_bad(data: Path, skipping: Recipe, tmp_path: Path) -> None:
    recipe = replace(skipping, save_seconds=1e-9)
    with pytest.raises(KeyboardInterrupt):
        train(data, recipe, tmp_path / "stopped", HarmingReport([], stop_after=4))
    assert resume(Run(tmp_path / "stopped"))
    train(data, recipe, tmp_path / "through")
    train(data, replace(recipe, on_bad_photos="error"), tmp_path / "default")
    weights = [Run(tmp_path / name).model().state_dict() for name in ("stopped", "through", "default")]
    for other in weights[1:]:
        assert all(torch.equal(value, other[name]) for name, value in weights[0].items())


def batches(dataset: DetectionDataset, workers: int) -> list[TrainingBatch]:
    task, recipe = DetectionTask(), Recipe(model="faster-rcnn", size=64)
    config = network_config(dataset, recipe)
    combination = task.combination(recipe, config, dataset.counts())
    samples = TrainingDataset(dataset, task, config, combination, 0, 0)
    sampler = BatchSampler(padded_sizes(dataset, task, config), 4, 0, 0)
    return list(islice(load_batches(samples, sampler, workers, "skip"), 6))


@pytest.mark.parametrize("workers", [0, 1])
def test_the_other_photos_of_all_batches_stay_the_same(data: Path, workers: int) -> None:
    dataset = read_detection(data).split("train")
    before = batches(dataset, workers)
    bad = int(before[1].photos[0])
    dataset.path(bad).unlink()
    after = batches(dataset, workers)
    assert after[1].errors.keys() == {bad}
    for old, new in zip(before, after, strict=True):
        kept = [number for number, photo in enumerate(old.photos) if photo != bad]
        assert new.photos == [old.photos[number] for number in kept]
        images = [old.images[number] for number in kept]
        assert all(torch.equal(a, b) for a, b in zip(images, new.images, strict=True))


def test_a_photo_without_proposals_was_left_out(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match="no proposals"):
        StoredProposals(tmp_path, tmp_path)(tmp_path / "a.jpg")

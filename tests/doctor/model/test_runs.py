"""Runs that check labels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

import boxmask
from boxmask.doctor.model.seen_photos import splits_of_run
from boxmask.doctor.model.trained_model import open_run_for
from boxmask.errors import CheckpointError, LabelError, UsageError

Runs = Callable[[str], Path]


def test_a_trained_detector_checks_its_data(demo: Path, trained: Path) -> None:
    seen: list[tuple[int, int]] = []
    report = boxmask.check(demo, trained, progress=lambda *counts: seen.append(counts))
    assert "model-seen-photos" in {kind.id for kind in report.kinds()}
    assert seen == 2 * [(number, 24) for number in range(1, 25)]


def test_a_segmenter_is_refused(label_maps: Path, runs: Runs, demo: Path) -> None:
    for data in (label_maps, demo):
        with pytest.raises(UsageError, match=r"segmenter \(unet\)\. Labels are compared with detectors and"):
            open_run_for(data, runs("unet"))


def test_label_maps_are_refused(label_maps: Path, trained: Path) -> None:
    with pytest.raises(UsageError, match="label maps are not compared with a model"):
        open_run_for(label_maps, trained)


def test_masks_count_as_boxes(demo: Path, runs: Runs) -> None:
    report = boxmask.check(demo, runs("mask-rcnn"))
    assert report.trained is not None
    assert "model-seen-photos" in {kind.id for kind in report.kinds()}


def test_labels_alone_are_not_enough(demo: Path, trained: Path) -> None:
    with pytest.raises(UsageError, match="A run needs the photos"):
        boxmask.check(demo, trained, labels_only=True)


def test_errors_about_files(demo: Path, trained: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError):
        boxmask.check(demo, tmp_path / "nowhere")
    with pytest.raises(LabelError, match="no such file or folder"):
        boxmask.check(tmp_path / "nowhere", trained)


def test_the_split_of_the_run_is_found_by_contents(demo: Path, trained: Path, tmp_path: Path) -> None:
    copy = tmp_path / "other" / "renamed.jpg"
    copy.parent.mkdir()
    copy.write_bytes((demo / "images" / "test-00023.jpg").read_bytes())
    splits = splits_of_run(trained / "best.safetensors", copy.parent, copy.parent, ["renamed.jpg"])
    assert splits == {"renamed.jpg": "test"}


def test_a_checkpoint_alone_has_no_split(demo: Path, tmp_path: Path) -> None:
    assert splits_of_run(tmp_path, demo, demo, []) is None


def test_a_trained_classifier_checks_class_folders(
    runs: Runs, tmp_path: Path, scene: Callable[..., Image.Image]
) -> None:
    for seed, name in enumerate(["zero", "one", "cat"] * 6):
        (tmp_path / name).mkdir(exist_ok=True)
        scene(seed, (32, 32)).save(tmp_path / name / f"{seed}.png")
    report = boxmask.check(tmp_path, runs("classifier"))
    details = {finding.kind.id: finding.detail for finding in report}
    assert details["model-class-unknown"] == "cat: its labels are not checked"
    assert "model-seen-photos" not in details

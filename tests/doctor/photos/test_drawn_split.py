"""Groups of photos in several of the splits that training would draw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxmask.data.detection.read import read_detection
from boxmask.doctor.check import check_data
from boxmask.doctor.report import CheckReport

ID = "group-across-drawn-splits"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Twelve photos with a smaller copy of each, one object per photo, in a table."""
    generator = np.random.default_rng(0)
    rows = ["filename,width,height,class,xmin,ymin,xmax,ymax"]
    for number in range(12):
        noise = generator.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        photo = Image.fromarray(noise).resize((160, 120), Image.Resampling.BICUBIC)
        for name, size in ((f"photo{number}", (160, 120)), (f"small{number}", (120, 90))):
            photo.resize(size).save(tmp_path / f"{name}.png")
            rows.append(f"{name}.png,{size[0]},{size[1]},cat,{size[0] // 4},{size[1] // 4},60,60")
    (tmp_path / "labels.csv").write_text("\n".join(rows), encoding="utf-8")
    return tmp_path


def parted(report: CheckReport) -> list[set[str]]:
    """The photos of each group that is reported."""
    return [{finding.photo, *finding.related} for finding in report if finding.kind.id == ID]


def test_groups_in_several_drawn_splits_are_found(data: Path) -> None:
    trained = read_detection(data)
    split_of = dict(zip(trained.files.tolist(), trained.splits.tolist(), strict=True))
    expected = [
        {f"photo{n}.png", f"small{n}.png"}
        for n in range(12)
        if split_of[f"photo{n}.png"] != split_of[f"small{n}.png"]
    ]
    assert expected
    report = check_data(data)
    assert sorted(map(sorted, parted(report))) == sorted(map(sorted, expected))
    first = next(finding for finding in report if finding.kind.id == ID)
    assert f"{split_of[first.photo]}: {first.photo}" in first.detail


def test_a_split_that_keeps_groups_together_mends_it(data: Path, tmp_path: Path) -> None:
    split = tmp_path / "split.json"
    check_data(data).write_split(split)
    assert parted(check_data(data, split_file=split)) == []


def test_a_new_split_says_whether_it_replaces_one(data: Path, tmp_path: Path) -> None:
    [drawn, _] = check_data(data).write_split(tmp_path / "split.json")
    assert drawn.startswith("the data set has no splits: drew")
    (data / "labels.csv").unlink()
    (data / "classes.txt").write_text("cat")
    for number, photo in enumerate(sorted(data.glob("*.png"))):
        folder = data / ("train", "val", "test")[number % 3]
        folder.mkdir(exist_ok=True)
        photo.rename(folder / photo.name)
        (folder / f"{photo.stem}.txt").write_text("0 0.5 0.5 0.5 0.5")
    [drawn, _] = check_data(data).write_split(tmp_path / "split.json")
    assert drawn.startswith("a new split replaces the data set's own: drew")


def test_groups_in_several_splits_of_the_data_set_are_reported_once(data: Path, tmp_path: Path) -> None:
    names = sorted(file.name for file in data.glob("*.png"))
    split = tmp_path / "split.json"
    files = {"train": names[:8], "val": names[8:16], "test": names[16:]}
    split.write_text(str(files).replace("'", '"'), encoding="utf-8")
    report = check_data(data, split_file=split)
    assert parted(report) == []
    assert any(finding.kind.id == "photo-near-copies-across-splits" for finding in report)

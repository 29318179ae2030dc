"""Numbers of YOLO labels that are percent or pixels instead of fractions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxmask.data.detection.read import read_detection
from boxmask.data.findings import Findings
from boxmask.data.formats import yolo
from boxmask.data.formats.source import find_source
from boxmask.data.formats.yolo.units import find_unit
from boxmask.doctor.check import check_data
from boxmask.doctor.fix.fix import fix_data
from boxmask.errors import LabelError

PHOTO = (640, 480)
"""Width and height."""


def fractions(num_photos: int, reach: float = 1.0) -> np.ndarray:
    """(N, 4) five boxes per photo as center and size, all over the photo up to `reach`."""
    generator = np.random.default_rng(3)
    low = generator.uniform(0, 0.8, (num_photos * 5, 2))
    low[::5] = (0, 0)
    high = low + generator.uniform(0.05, 0.2, low.shape)
    low[1::5], high[1::5] = 0.8, 1
    return np.concatenate([(low + high) / 2, high - low], axis=1) * reach


def write(
    root: Path, numbers: np.ndarray, size: tuple[int, int] | None = PHOTO, text: str = "{:.3f}"
) -> Path:
    """A data set with five lines per photo; no photos are written for a size of None."""
    (root / "data.yaml").parent.mkdir(parents=True, exist_ok=True)
    (root / "data.yaml").write_text("train: .\nnames: [cat]\n")
    for number, boxes in enumerate(numbers.reshape(-1, 5, 4)):
        lines = ["0 " + " ".join(text.format(value) for value in box) for box in boxes.tolist()]
        (root / f"{number:03}.txt").write_text("\n".join(lines) + "\n")
        if size:
            Image.new("RGB", size, (number, 90, 90)).save(root / f"{number:03}.png")
    return root


def kinds(root: Path) -> list[str]:
    source, findings = find_source(root), Findings()
    files = yolo.recognize(source)
    assert files
    yolo.read(source, files, findings)
    return [kind.id for kind in findings.kinds if kind.id.startswith("coordinates")]


@pytest.mark.parametrize("text", ["{:.0f}", "{:.1f}", "{:.2f}", "{:.3f}", "{}"])
def test_rounded_percent(tmp_path: Path, text: str) -> None:
    numbers = 100 * fractions(24)
    numbers[1] = (99.75, 99.75, 0.51, 0.51)  # ends at 100.005
    if text == "{:.0f}":
        numbers = numbers.round() + np.array([0.25, 0.25, 0, 0])  # centers of odd sizes were rounded up
    assert kinds(write(tmp_path, numbers, text=text.replace(".0f", "g"))) == ["coordinates-percent"]


@pytest.mark.parametrize(
    ("size", "num_photos", "as_pixels", "kind"),
    [
        ((640, 480), 24, True, "coordinates-pixels"),
        ((96, 96), 24, True, "coordinates-unclear"),  # boxes end at 96 in both cases
        ((96, 96), 200, True, "coordinates-pixels"),
        ((64, 64), 24, False, "coordinates-percent"),
        ((640, 480), 1, False, "coordinates-unclear"),  # one photo shows nothing
        ((128, 128), 200, False, "coordinates-unclear"),  # objects in the middle of the photos
    ],
)
def test_sizes_of_photos_tell_pixels_from_percent(
    tmp_path: Path, size: tuple[int, int], num_photos: int, as_pixels: bool, kind: str
) -> None:
    factors = np.tile(size, 2) if as_pixels else 100
    assert kinds(write(tmp_path, fractions(num_photos) * factors, size)) == [kind]


def test_pixels_in_the_upper_left_of_photos_are_unclear(tmp_path: Path) -> None:
    assert kinds(write(tmp_path, 100 * fractions(24, reach=0.6))) == ["coordinates-unclear"]


@pytest.mark.parametrize(
    ("reach", "unit"), [((99.0, 100.2), "percent"), ((80.0, 100), "unclear"), ((640, 480), "pixels")]
)
def test_without_photos_only_the_reach_of_the_boxes_tells(reach: Sequence[float], unit: str) -> None:
    boxes = np.array([[0, 0, *reach]] * 5)
    assert find_unit(boxes, np.full((5, 2), np.inf), np.arange(5)) == unit


def test_unclear_numbers_are_not_mended(tmp_path: Path) -> None:
    report = check_data(write(tmp_path / "data", 100 * fractions(3)), keep_all=True)
    assert report.kinds()[0].id == "coordinates-unclear"
    with pytest.raises(LabelError, match="only you can decide"):
        fix_data(report, tmp_path / "copy")


def test_rounded_percent_is_mended(tmp_path: Path) -> None:
    numbers = fractions(24)
    report = check_data(write(tmp_path / "data", 100 * numbers), keep_all=True)
    fix_data(report, tmp_path / "copy")
    copy = check_data(tmp_path / "copy")
    assert copy.has_errors is False


def test_percent_divided_by_the_size_of_the_photo_is_scaled(tmp_path: Path) -> None:
    """The numbers are fractions, and reading has not converted them: --fix would change nothing."""
    numbers = 100 * fractions(24) / np.tile(PHOTO, 2)
    report = check_data(write(tmp_path / "data", numbers, text="{:.6f}"), keep_all=True)
    [finding] = [finding for finding in report.findings if finding.kind.severity == "error"]
    assert finding.kind.id == "coordinates-scaled"
    assert "multiply x and width by the width of the photo and divide by 100" in finding.detail


@pytest.mark.parametrize(
    ("factors", "words"),
    [
        ((100, 100), "the numbers look like percent: divide them by 100"),
        (PHOTO, "the numbers look like pixels: divide x and the width by the width of the photo"),
        ((50, 50), "the numbers look like percent or pixels"),
    ],
)
def test_a_file_in_another_unit(tmp_path: Path, factors: tuple[int, int], words: str) -> None:
    numbers = fractions(24)
    numbers[35:40] *= np.tile(factors, 2)
    report = check_data(write(tmp_path / "data", numbers), keep_all=True)
    assert [kind.id for kind in report.kinds() if kind.severity == "error"] == ["file-unit-differs"]
    [finding] = report.findings.of(report.kinds()[0])
    assert finding.location.file.endswith("007.txt")
    assert finding.photo == "007.png"
    assert words in finding.detail
    copy = fix_data(report, tmp_path / "copy")  # does not hide it
    assert [kind.id for kind in copy.report.kinds() if kind.severity == "error"] == ["file-unit-differs"]
    with pytest.raises(LabelError, match="another unit"):
        read_detection(tmp_path / "data")


def test_a_copy_in_another_unit_is_not_labeled_differently(tmp_path: Path) -> None:
    numbers = fractions(24)
    numbers[5:10] = 100 * numbers[:5]
    root = write(tmp_path, numbers)
    (root / "001.png").write_bytes((root / "000.png").read_bytes())
    ids = [kind.id for kind in check_data(root).kinds()]
    assert "photo-copies" in ids
    assert "copies-labeled-differently" not in ids

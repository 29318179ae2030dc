from __future__ import annotations

from pathlib import Path

import pytest

from boxmask.errors import UsageError
from boxmask.results.detections import DEFAULT_DETECTION_FORMATS, DETECTION_FORMATS, check_detection_formats
from boxmask.results.formats import FORMATS, check_formats, output_files
from boxmask.results.segmentation import (
    DEFAULT_SEGMENTATION_FORMATS,
    SEGMENTATION_FORMATS,
    check_segmentation_formats,
)


@pytest.mark.parametrize("formats", [("jpg",), ("coco", "label-maps"), FORMATS])
def test_known_formats_pass(formats: tuple[str, ...]) -> None:
    check_formats(formats, FORMATS, "")


@pytest.mark.parametrize(("formats", "named"), [((), "nothing"), (("jpg", "bmp"), "bmp"), (("JPG",), "JPG")])
def test_unknown_formats_are_refused(formats: tuple[str, ...], named: str) -> None:
    choices = "jpg, png, coco, yolo, voc, labelme, csv, parquet, crops, label-maps"
    with pytest.raises(UsageError, match=f"--save {named}: unknown format. Choose from: {choices}."):
        check_formats(formats, FORMATS, "")


def test_detectors_write_every_format_and_need_masks_for_label_maps() -> None:
    check_detection_formats(DETECTION_FORMATS)
    check_detection_formats(tuple(name for name in DETECTION_FORMATS if name != "label-maps"), masks=False)
    check_detection_formats(DEFAULT_DETECTION_FORMATS, masks=False)
    with pytest.raises(
        UsageError,
        match=r"--save label-maps: needs masks, and this detector finds boxes only\. Choose from: jpg, png",
    ):
        check_detection_formats(("jpg", "label-maps"), masks=False)


def test_segmenters_write_pictures_and_label_maps_only() -> None:
    check_segmentation_formats(SEGMENTATION_FORMATS)
    check_segmentation_formats(DEFAULT_SEGMENTATION_FORMATS)
    for name in ("coco", "yolo", "voc", "labelme", "csv"):
        with pytest.raises(
            UsageError, match=rf"--save {name}: needs separate objects.*Choose from: jpg, png, label-maps\."
        ):
            check_segmentation_formats((name,))
    with pytest.raises(UsageError, match="--save bmp: unknown format"):
        check_segmentation_formats(("bmp",))


def test_every_format_has_a_file_of_its_own(tmp_path: Path) -> None:
    files = output_files("a", FORMATS, tmp_path)
    assert {name: file.relative_to(tmp_path).as_posix() for name, file in files.items()} == {
        "jpg": "a.jpg",
        "png": "a.png",
        "yolo": "yolo/labels/a.txt",
        "voc": "voc/a.xml",
        "labelme": "labelme/a.json",
        "label-maps": "label-maps/a.png",
    }

"""Exported models run with numpy, Pillow and onnxruntime alone, and start quickly."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from boxmask.missing_packages import WHOLE_TOOLKIT

FORBIDDEN = """
import sys

names = (
    "torch torchvision timm numba jaxtyping scipy hotcoco supervision matplotlib sklearn fontTools shapely "
    "msgspec yaml rich cyclopts filelock platformdirs psutil safetensors accelerate jinja2 pandas onnx"
)
for name in names.split():
    sys.modules[name] = None  # importing it fails
"""
WORK = """
import boxmask

file, photo, folder = sys.argv[1:]
found = boxmask.load(file).predict(photo)
print(found)
if isinstance(found, boxmask.Detections):
    print(len(found), found[0].name, len(found.filter(min_score=0.9)), [crop.size for crop in found.crops()])
    found.save(folder + "/found.json")
    found.save(folder + "/found.csv")
elif isinstance(found, boxmask.SegmentationMap):
    found.save(folder + "/map.png")
"""
REFUSALS = """
import boxmask

found = boxmask.load(sys.argv[1]).predict(sys.argv[2])
for call in (
    lambda: boxmask.load("runs/ssd-1"),
    lambda: boxmask.train("my-photos/"),
    lambda: boxmask.export("runs/ssd-1", "model.onnx"),
    lambda: boxmask.predict("model.onnx", "my-photos/"),
    lambda: boxmask.check("my-photos/"),
    lambda: found.plot(),
    lambda: found.save("picture.jpg"),
    lambda: found.to_supervision(),
):
    try:
        call()
    except boxmask.UsageError as error:
        print(error)
"""
TIMED = """
import time

import boxmask

boxmask.load(sys.argv[1]).predict(sys.argv[2])
print(time.process_time())
"""


def run(program: str, *arguments: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", FORBIDDEN + program, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("detection", "Detections(1 in 6x4 pixels: 1 dog; scores 0.50 to 0.50)"),
        ("segmentation", "SegmentationMap(6x4 pixels: cat 50.0%, dog 50.0%)"),
        ("classification", "Classification(cat 0.50, dog 0.50)"),
    ],
)
def test_it_predicts_and_saves(write: Any, photo: Path, tmp_path: Path, task: str, expected: str) -> None:
    first, *others = run(WORK, write(task), photo, tmp_path)
    assert first == expected
    assert others == (["1 dog 0 [(6, 4)]"] if task == "detection" else [])


def test_masks_are_saved_as_coco(write: Any, photo: Path, tmp_path: Path) -> None:
    run(WORK, write(masks=True), photo, tmp_path)
    assert '"counts"' in (tmp_path / "found.json").read_text()


def test_what_needs_more_says_what_to_install(write: Any, photo: Path) -> None:
    toolkit = ", which is not installed. " + WHOLE_TOOLKIT
    *verbs, supervision = run(REFUSALS, write(), photo)
    assert [line.endswith(toolkit) for line in verbs] == [True] * 7
    assert [line.split(" needs the package ")[0] for line in verbs] == [
        "runs/ssd-1 is not an ONNX file, so it",
        "boxmask.train",
        "boxmask.export",
        "boxmask.predict",
        "boxmask.check",
        "plot",
        "plot",
    ]
    assert supervision == (
        "to_supervision needs the package supervision, which is not installed. "
        "Install it with: pip install supervision"
    )


def test_the_first_result_takes_less_than_a_second(write: Any, photo: Path) -> None:
    """Seconds of the processor, from the start of Python on: other programs may keep it waiting."""
    seconds = min(float(run(TIMED, write(), photo)[-1]) for _ in range(2))
    assert seconds < 1

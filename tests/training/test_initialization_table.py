"""The table of where weights are from, and the line on what --init would bring."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from boxmask.runs.run import Run
from boxmask.training.init_hint import init_hint
from boxmask.training.initialization_table import show_origins
from boxmask.training.progress import Report
from boxmask.weights.transfer import PartOrigin

PARTS = (
    PartOrigin("backbone", "runs/a", "resnet18"),
    PartOrigin("class scores", "runs/a", "1 of 2 classes (fig); new: [date]"),
    PartOrigin("mask head", "", "not in runs/a"),
)


def shown(*, terminal: bool) -> str:
    text = io.StringIO()
    show_origins(Report(Console(file=text, force_terminal=terminal, width=100, color_system=None)), PARTS)
    return text.getvalue()


def test_plain_lines_have_aligned_columns() -> None:
    assert shown(terminal=False).splitlines() == [
        "part          from    classes, or why it is new",
        "backbone      runs/a  resnet18",
        "class scores  runs/a  1 of 2 classes (fig); new: [date]",
        "mask head     new     not in runs/a",
    ]


def test_a_terminal_shows_the_same_text() -> None:
    words = shown(terminal=True).split()
    for part in PARTS:
        assert {*f"{part.part} {part.detail}".split()} <= {*words}


def test_a_finished_run_on_the_same_data_is_named(trained: Path, demo: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "first")
    new = Run(tmp_path / "second")
    hint = init_hint("faster-rcnn", demo, new)
    assert hint == f"--init {tmp_path / 'first'} would go on from that finished run on the same data"
    assert "first" not in init_hint("ssd", demo, new)
    assert "first" not in init_hint("faster-rcnn", tmp_path, new)
    (tmp_path / "first" / "resume.safetensors").touch()
    assert "first" not in init_hint("faster-rcnn", demo, new)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("faster-rcnn", "torchvision/fasterrcnn_mobilenet_v3_large_320_fpn"),
        ("ssd", "torchvision/ssdlite320_mobilenet_v3_large"),
        ("deeplab-v3", "torchvision/deeplabv3_mobilenet_v3_large"),
        ("rcnn", ""),
        ("classifier", ""),
    ],
)
def test_the_lightest_published_weights_are_named(model: str, name: str, tmp_path: Path) -> None:
    hint = init_hint(model, tmp_path, Run(tmp_path / "run"))
    assert (f"--init {name} " in hint) if name else (hint == "")

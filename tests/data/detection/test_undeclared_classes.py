"""Objects whose class the project does not declare."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from PIL import Image

from boxmask.data.detection.examine import examine
from boxmask.data.findings import Finding, Findings

Write: TypeAlias = Callable[[Path, list[str] | None], Path]

CLASSES = ("cat", "dgo", "dog")  # of three objects


def undeclared(root: Path) -> list[Finding]:
    findings = Findings()
    examine(root, findings)
    return [finding for finding in findings if finding.kind.id == "class-undeclared"]


def write_via(root: Path, declared: list[str] | None) -> Path:
    regions = [
        {
            "shape_attributes": {"name": "rect", "x": 9 * n, "y": 5, "width": 8, "height": 9},
            "region_attributes": {"type": name},
        }
        for n, name in enumerate(CLASSES)
    ]
    options = {} if declared is None else {"options": dict.fromkeys(declared, "")}
    project = {
        "_via_settings": {},
        "_via_img_metadata": {"a.png9": {"filename": "a.png", "size": 9, "regions": regions}},
        "_via_attributes": {"region": {"type": {"type": "dropdown", **options}}, "file": {}},
    }
    (root / "via_project.json").write_text(json.dumps(project))
    return root


def write_cvat(root: Path, declared: list[str] | None) -> Path:
    labels = "".join(f"<label><name>{name}</name><type>any</type></label>" for name in declared or ())
    boxes = "".join(
        f'\n<box label="{name}" xtl="{9 * n}" ytl="5" xbr="{9 * n + 8}" ybr="14"></box>'
        for n, name in enumerate(CLASSES)
    )
    (root / "annotations.xml").write_text(
        f"<annotations><version>1.1</version><meta><task><labels>{labels}</labels></task></meta>"
        f'<image id="0" name="a.png" width="60" height="40">{boxes}</image></annotations>'
    )
    return root


def write_label_studio(root: Path, declared: list[str] | None) -> Path:
    results = [
        {
            "type": "rectanglelabels",
            "original_width": 60,
            "original_height": 40,
            "value": {
                "x": 15 * n,
                "y": 5,
                "width": 12,
                "height": 30,
                "rotation": 0,
                "rectanglelabels": [name],
            },
        }
        for n, name in enumerate(CLASSES)
    ]
    tasks = [{"id": 1, "data": {"image": "a.png"}, "annotations": [{"id": 1, "result": results}]}]
    (root / "tasks.json").write_text(json.dumps(tasks))
    if declared is not None:
        values = "".join(f'<Label value="{name}"/>' for name in declared)
        (root / "labeling-config.xml").write_text(
            f'<View><RectangleLabels name="r" toName="i">{values}</RectangleLabels></View>'
        )
    return root


@pytest.mark.parametrize("write", [write_via, write_cvat, write_label_studio])
def test_a_class_that_is_not_declared(tmp_path: Path, write: Write) -> None:
    Image.new("RGB", (60, 40)).save(tmp_path / "a.png")
    (finding,) = undeclared(write(tmp_path, ["cat", "dog", "bird"]))
    assert finding.detail == '"dgo": 1 object; did you mean "dog"?'
    assert finding.photo == "a.png"
    assert undeclared(write(tmp_path, ["cat", "dog", "dgo"])) == []


@pytest.mark.parametrize("write", [write_via, write_cvat, write_label_studio])
def test_labels_that_declare_nothing(tmp_path: Path, write: Write) -> None:
    Image.new("RGB", (60, 40)).save(tmp_path / "a.png")
    assert undeclared(write(tmp_path, None)) == []

"""Exported files of all models give the same results in a browser as in PyTorch."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from torch import nn

from boxmask.certificate.browser.chromium import WebRuntime, find_chromium, find_web_runtime
from boxmask.certificate.browser.session import browser_session
from boxmask.errors import ExportError, UsageError
from boxmask.exporting.parity.check import check_differences, check_mismatches, compare_batch
from boxmask.exporting.parity.photos import NamedPhoto, generated_photos, special_photos
from boxmask.exporting.table import BUILDERS, build_graph
from boxmask.models.table import make_config, model_entry

FOLDER = Path(os.environ.get("ONNXRUNTIME_WEB", Path(__file__).parents[3] / "node_modules"))
SMALL = {"backbone": "resnet18", "shorter_side": 64, "longer_side": 96}
PYRAMID = {**SMALL, "channels": 64}
REGIONS = {**PYRAMID, "rpn_channels": 64, "hidden": 64, "score_threshold": 0.01}
MODELS: dict[str, dict[str, object]] = {
    "rcnn": {},
    "fast-rcnn": {"backbone": "vgg16", "shorter_side": 64, "longer_side": 96, "score_threshold": 0.01},
    "faster-rcnn": REGIONS,
    "mask-rcnn": REGIONS,
    "retinanet": PYRAMID,
    "fcos": PYRAMID,
    "ssd": {},
    "fcn": SMALL,
    "unet": SMALL,
    "deeplab-v3": SMALL,
    "classifier": {**SMALL, "longer_side": 64},
}
LARGE = ("rcnn", "fast-rcnn")  # networks of the papers, which take seconds per photo


@pytest.fixture(scope="module")
def runtime() -> WebRuntime:
    try:
        find_chromium()
        return find_web_runtime(FOLDER)
    except UsageError as error:
        pytest.skip(f"{error} Tests look for it in node_modules and in $ONNXRUNTIME_WEB.")


def build(name: str) -> Any:
    """A model with random weights that finds objects."""
    torch.manual_seed(0)
    config = make_config(name, "default", class_names=("cat", "dog", "cow"), **MODELS[name])
    model = model_entry(name).build(config, None).eval()
    for layer_name, layer in model.named_modules():
        if isinstance(layer, nn.Linear | nn.Conv2d) and "backbone" not in layer_name:
            nn.init.normal_(layer.weight, std=max(0.02, float(layer.weight.detach().std())))
    return model


def compared_photos(name: str) -> list[list[NamedPhoto]]:
    """Photos one at a time, and a batch of several sizes."""
    photos = generated_photos()
    if name in LARGE:
        return [photos[-1:]]
    special = special_photos(photos[0])
    return [[photo] for photo in (photos[0], photos[3], *special[-2:])] + [[*photos[1:4], special[-1]]]


def test_every_model_is_tested() -> None:
    assert set(MODELS) == set(BUILDERS)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_same_results(name: str, tmp_path: Path, runtime: WebRuntime) -> None:
    model, file = build(name), tmp_path / "model.onnx"
    proto = build_graph(model).model()
    file.write_bytes(proto.SerializeToString())
    inputs, outputs = ([info.name for info in infos] for infos in (proto.graph.input, proto.graph.output))
    rows = []
    with browser_session(file, runtime, inputs, outputs, threads=2) as session:
        for photos in compared_photos(name):
            rows.append(compare_batch(session, model, photos))
            check_differences(rows[-1], photos)
        assert len(session.milliseconds) == len(rows)
        assert "Chrom" in session.agent
    check_mismatches(rows)
    assert sum(row.compared for row in rows) > 0


def test_a_damaged_file(tmp_path: Path, runtime: WebRuntime) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with (
        browser_session(tmp_path / "model.onnx", runtime, ["photos"], ["scores"], threads=1) as session,
        pytest.raises(ExportError, match=r"the browser cannot run the file \(.*Leave out --browser"),
    ):
        session.run([generated_photos()[-1].pixels])


def test_the_browser_ends_with_the_program(tmp_path: Path, runtime: WebRuntime) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import sys, time\n"
        "from boxmask.certificate.browser.chromium import find_chromium, started_browser\n"
        "with started_browser(find_chromium(), 'about:blank') as process:\n"
        "    print(process.pid, flush=True)\n"
        "    time.sleep(100)\n"
    )
    with subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        watcher = psutil.Process(int(running.stdout.readline()))
        deadline = time.monotonic() + 60
        while not (processes := watcher.children(recursive=True)) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert processes
        running.kill()
    _, alive = psutil.wait_procs([watcher, *processes], timeout=60)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []

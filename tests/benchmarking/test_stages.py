"""Where the time of a model goes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from boxmask.benchmarking import stages
from boxmask.benchmarking.operators import OTHERS, seconds_by_group
from boxmask.benchmarking.stages import StageClock, time_stages
from boxmask.models.table import make_config, model_entry
from boxmask.pipeline.selective_search.search import MODES

SEARCH = replace(MODES["single"], width=64, scales=(30,), min_box_size=8)
BOXES = {"shorter_side": 64, "longer_side": 64}
ONE_STAGE = {"resizing", "features", "heads", "postprocess"}
TWO_STAGES = ONE_STAGE | {"proposals", "RoI features"}

EXPECTED: dict[str, tuple[dict[str, object], set[str]]] = {
    "rcnn": ({"search": SEARCH, "hidden": 8, "region_size": 32}, TWO_STAGES - {"RoI features"}),
    "fast-rcnn": ({**BOXES, "search": SEARCH, "hidden": 8}, TWO_STAGES),
    "faster-rcnn": ({**BOXES, "hidden": 8}, TWO_STAGES),
    "mask-rcnn": ({**BOXES, "hidden": 8}, TWO_STAGES),
    "retinanet": (BOXES, ONE_STAGE),
    "fcos": (BOXES, ONE_STAGE),
    "ssd": ({}, ONE_STAGE),
    "unet": (BOXES, {"features", "heads"}),
    "classifier": ({}, {"resizing", "features", "heads"}),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_every_stage_is_timed(name: str) -> None:
    options, expected = EXPECTED[name]
    config = make_config(name, "default", class_names=("thing",), backbone="test_resnet", **options)
    model = model_entry(name).build(config, None).eval()
    clock = StageClock()
    time_stages(model, clock)
    model.predict(torch.rand(3, 48, 64))  # type: ignore[operator]
    assert set(clock.seconds) >= expected
    assert set(clock.seconds) <= expected | {"resizing"}
    assert all(seconds > 0 for seconds in clock.seconds.values())
    assert clock._open == []


def test_an_inner_stage_counts_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 1.0, 4.0, 9.0, 100.0, 101.0])
    monkeypatch.setattr(stages, "perf_counter", lambda: next(times))
    clock = StageClock()
    clock.enter("outer")
    clock.enter("inner")
    clock.leave()
    clock.leave()
    clock.enter("inner")
    clock.leave()
    assert clock.seconds == {"outer": 1 + 5, "inner": 3 + 1}


def test_operators_are_grouped(tmp_path: Path) -> None:
    def event(name: str, operator: str | None, duration: int, kind: str = "Node") -> dict[str, object]:
        arguments = {} if operator is None else {"op_name": operator}
        return {"cat": kind, "name": name, "dur": duration, "args": arguments}

    events = [
        event("model_run", None, 99, "Session"),
        event("a_kernel_time", "Conv", 2_000_000),
        event("a_fence_before", "Conv", 7),
        event("b_kernel_time", "FusedConv", 1_000_000),
        event("c_kernel_time", "Loop", 50_000_000),
        event("d_kernel_time", "NonMaxSuppression", 500_000),
        event("e_kernel_time", "Relu", 250_000),
    ]
    (tmp_path / "profile.json").write_text(json.dumps(events))
    found = seconds_by_group(tmp_path / "profile.json")
    assert found == {"convolutions": 3.0, "NMS": 0.5, OTHERS: 0.25}

"""On the path of a GPU, boxmask launches and waits at most as often as torchvision, with a CPU's results."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from boxmask.pipeline.random_numbers import SeededRandomNumbers

FOLDER = Path(__file__).parents[1] / "benchmarks"
NETWORKS = (
    "fasterrcnn_resnet50_fpn",
    "maskrcnn_resnet50_fpn",
    "retinanet_resnet50_fpn",
    "fcos_resnet50_fpn",
    "ssd300_vgg16",
)


@pytest.fixture(scope="module")
def launches() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        before = set(sys.modules)
        yield importlib.import_module("launches")
        for name in set(sys.modules) - before:
            if Path(getattr(sys.modules[name], "__file__", None) or "").parent == FOLDER:
                del sys.modules[name]


@pytest.mark.parametrize("name", NETWORKS)
def test_at_most_as_many_operators_and_waits_as_torchvision(launches: ModuleType, name: str) -> None:
    row = launches.count_network(name, side=64, batch=2)
    for work, sides in (("step", row.step), ("prediction", row.prediction)):
        operators, waits = sides["boxmask"].totals()
        most_operators, most_waits = sides["torchvision"].totals()
        assert operators <= most_operators, f"{work}: {operators} operators, torchvision: {most_operators}"
        assert waits <= most_waits, f"{work}: {waits} waits, torchvision: {most_waits}"


@pytest.mark.parametrize("name", NETWORKS)
def test_the_path_of_a_gpu_gives_the_results_of_a_cpu(launches: ModuleType, name: str) -> None:
    pair = launches.make_pair(name, 64)
    images, targets = launches.make_photos(2)
    expected = results(pair.detector, images, targets)
    with launches.StandInDevice():
        pixels, labels = [x.to(launches.DEVICE) for x in images], [x.to(launches.DEVICE) for x in targets]
        losses, detections = results(pair.to(launches.DEVICE).detector, pixels, labels)
    assert losses == pytest.approx(expected[0], rel=1e-4)
    for found, on_cpu in zip(detections, expected[1], strict=True):
        assert len(found)
        assert np.array_equal(found.labels, on_cpu.labels)
        np.testing.assert_allclose(found.boxes, on_cpu.boxes, atol=0.05)
        assert found.scores == pytest.approx(on_cpu.scores, abs=1e-4)


def results(detector: Any, images: list[Any], targets: list[Any]) -> tuple[dict[str, float], list[Any]]:
    """The losses at the same sample, and the detections."""
    with SeededRandomNumbers(0):
        losses = {key: loss.item() for key, loss in detector.loss(images, targets).items()}
    return losses, detector.eval().predict(images)

"""The probe: it measures, and changes nothing else."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_detection
from boxmask.runs.recipe import Recipe
from boxmask.training.accelerator import make_accelerator
from boxmask.training.fitting.memory import memory_in_use, memory_limit
from boxmask.training.fitting.probe import Probe
from boxmask.training.setup import network_config, new_network

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def labeled(demo: Path) -> DetectionDataset:
    return read_detection(demo)


def probe(dataset: DetectionDataset, recipe: Recipe) -> Probe:
    return Probe(dataset, recipe, make_accelerator(recipe))


@pytest.mark.parametrize("model", ["faster-rcnn", "ssd", "fcos", "mask-rcnn"])
def test_it_measures_time_and_memory_at_each_size(
    labeled: DetectionDataset, quick: Recipe, model: str
) -> None:
    measured = probe(labeled, replace(quick, model=model, device="cpu")).measure([64, 128], 0.2)
    assert list(measured) == [64, 128]
    for seconds, memory in measured.values():
        assert 0 < seconds < 60
        assert 0 < memory < memory_limit(CPU) / 0.5


def test_it_leaves_weights_and_random_numbers_alone(labeled: DetectionDataset, quick: Recipe) -> None:
    recipe = replace(quick, device="cpu")
    config = network_config(labeled, recipe)
    before = new_network(recipe, config, None, CPU)
    states = (torch.get_rng_state(), str(np.random.get_state()), random.getstate())  # noqa: NPY002
    expected = {name: tensor.clone() for name, tensor in before.state_dict().items()}
    probe(labeled, recipe).measure([64], 0.1)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert str(np.random.get_state()) == states[1]  # noqa: NPY002
    assert random.getstate() == states[2]
    after = new_network(recipe, config, None, CPU)
    for network in (before, after):
        assert all(torch.equal(tensor, expected[name]) for name, tensor in network.state_dict().items())


def test_photos_that_cannot_be_read_are_left_to_the_training(
    labeled: DetectionDataset, quick: Recipe, tmp_path: Path
) -> None:
    assert probe(replace(labeled, root=tmp_path), replace(quick, device="cpu")).measure([64], 0.1) == {}


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError(),
        RuntimeError("MPS backend out of memory (MPS allocated: 17 GB)"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
)
def test_a_size_that_does_not_fit_the_memory_is_left_out(
    labeled: DetectionDataset, quick: Recipe, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    recipe = replace(quick, device="cpu")
    monkeypatch.setattr(Probe, "_network", fail)
    assert probe(labeled, recipe).measure([64], 0.1) == {}
    assert probe(labeled, recipe).measure_recipe(0.1) is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_the_memory_of_a_gpu_is_that_of_each_measurement(labeled: DetectionDataset, quick: Recipe) -> None:
    large, small = (probe(labeled, replace(quick, device="cuda")).measure([s], 0.1)[s] for s in (256, 64))
    assert small.memory < large.memory


def test_memory_on_a_cpu() -> None:
    assert 10**6 < memory_in_use(CPU)
    assert 0 < memory_limit(CPU)


def test_loading_takes_its_time_from_the_steps(labeled: DetectionDataset, quick: Recipe) -> None:
    torch.set_num_threads(2)
    of = {workers: probe(labeled, replace(quick, workers=workers, device="cpu")) for workers in (0, 1)}
    assert of[0]._seconds_per_photo(0.1, 0.02) == pytest.approx(0.12)
    assert of[1]._seconds_per_photo(0.1, 0.02) == pytest.approx(0.11)
    assert of[1]._seconds_per_photo(0.1, 0.5) == pytest.approx(0.5)

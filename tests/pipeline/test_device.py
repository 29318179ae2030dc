from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from boxmask.errors import UsageError
from boxmask.pipeline.device import resolve_device


def test_auto_is_the_gpu_if_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto") == torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == torch.device("cpu")


@pytest.mark.parametrize("device", ["cpu", "CPU", "cpu:0", torch.device("cpu"), torch.device("cpu", 3)])
def test_the_cpu_by_name_and_as_an_object(device: str | torch.device) -> None:
    assert resolve_device(device) == torch.device("cpu")


@pytest.mark.parametrize(
    "device", ["gpu", "meta", "meta:x", "cuda:x", "cuda:", "cuda:-1", "auto:1", "", " cpu", None, 0, True]
)
def test_a_device_that_does_not_exist(device: str | None) -> None:
    """Tensors of torch's device "meta" hold no values, so that a network would learn nothing."""
    with pytest.raises(
        UsageError, match=rf"--device {device}: cannot be used here \(expected auto, cpu, cuda"
    ):
        resolve_device(device)  # type: ignore[arg-type]


@pytest.mark.parametrize("device", ["cuda", "CUDA", "cuda:0", "cuda:7", "mps", torch.device("cuda", 1)])
def test_a_device_that_this_machine_does_not_have(
    device: str | torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = SimpleNamespace(is_available=lambda: False)
    monkeypatch.setattr(torch, "get_device_module", lambda kind: nothing)
    with pytest.raises(
        UsageError, match=r"cannot be used here \((cuda|mps) devices: this machine has none\)"
    ):
        resolve_device(device)


def test_a_number_beyond_the_last_device(monkeypatch: pytest.MonkeyPatch) -> None:
    two = SimpleNamespace(is_available=lambda: True, device_count=lambda: 2)
    monkeypatch.setattr(torch, "get_device_module", lambda kind: two)
    with pytest.raises(UsageError, match=r"this machine has 2, numbered from 0\)\. Use auto or cpu\."):
        resolve_device("cuda:2")

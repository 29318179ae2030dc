from __future__ import annotations

import pytest
import torch

from boxmask.errors import UsageError
from boxmask.pipeline.device import resolve_device


def test_auto_is_the_gpu_if_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto") == torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == torch.device("cpu")


def test_a_device_by_name_and_as_an_object() -> None:
    assert resolve_device("cpu") == resolve_device(torch.device("cpu")) == torch.device("cpu")


@pytest.mark.parametrize("device", ["cuda:99", "gpu", "meta:x"])
def test_a_device_that_is_not_there(device: str) -> None:
    with pytest.raises(
        UsageError, match=rf"--device {device}: cannot be used here \(.*\)\. Use auto or cpu\."
    ):
        resolve_device(device)

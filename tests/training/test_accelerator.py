"""The device and precision of a training, and the private call of accelerate that it relies on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from accelerate.state import AcceleratorState

from boxmask.errors import UsageError
from boxmask.runs.recipe import Recipe
from boxmask.training.accelerator import make_accelerator, reset_accelerate

CPU = Recipe(device="cpu")
CPU_BF16 = Recipe(device="cpu", precision="bf16")


@pytest.fixture(autouse=True)
def _reset() -> Iterator[None]:
    yield
    reset_accelerate()


def test_accelerate_has_the_private_reset() -> None:
    """If this fails, the fallback below is in use: a process then has one precision."""
    assert reset_accelerate()


def test_precision_may_change_from_training_to_training() -> None:
    assert [make_accelerator(recipe).mixed_precision for recipe in (CPU, CPU_BF16, CPU)] == [
        "no",
        "bf16",
        "no",
    ]


def test_without_the_private_reset_another_precision_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    make_accelerator(CPU)
    with monkeypatch.context() as patch:
        patch.delattr(AcceleratorState, "_reset_state")
        assert not reset_accelerate()
        assert make_accelerator(CPU).device == torch.device("cpu")
        with pytest.raises(UsageError, match=r"bf16: accelerate cannot change it\. Start a new process"):
            make_accelerator(CPU_BF16)


def test_half_precision_on_a_cpu_is_refused() -> None:
    with pytest.raises(UsageError, match=r"--precision fp16 is not supported .*Use --precision no\."):
        make_accelerator(Recipe(device="cpu", precision="fp16"))

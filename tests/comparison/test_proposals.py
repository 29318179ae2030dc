"""Proposals that are kept on disk."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from boxmask.comparison.proposals import PROPOSALS, open_proposals, save_proposals
from boxmask.errors import OutputError


@pytest.mark.parametrize("counts", [(3, 0, 5, 0), (0, 0, 0, 0)])
def test_proposals_are_read_as_they_were_written(tmp_path: Path, counts: tuple[int, ...]) -> None:
    proposals = [torch.rand(count, 4) for count in counts]
    save_proposals(tmp_path / PROPOSALS, proposals)
    stored = open_proposals(tmp_path / PROPOSALS)
    assert stored is not None
    assert len(stored) == 4
    assert all(torch.equal(each, expected) for each, expected in zip(stored, proposals, strict=True))
    assert torch.equal(stored[1:3][1], proposals[2])


def test_a_model_without_proposals(tmp_path: Path) -> None:
    assert open_proposals(tmp_path / PROPOSALS) is None


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / PROPOSALS).write_bytes(b"no arrays")
    with pytest.raises(OutputError, match=r"proposals\.safetensors: this file is damaged"):
        open_proposals(tmp_path / PROPOSALS)

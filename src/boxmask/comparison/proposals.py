"""The proposals of a two-stage detector, kept on disk and read photo by photo."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from boxmask.errors import OutputError
from boxmask.outputs import write_output

PROPOSALS = "proposals.safetensors"


def save_proposals(path: Path, proposals: Sequence[Tensor]) -> None:
    """Write the proposals (P, 4) of all photos into one file."""
    ends = np.cumsum([0, *map(len, proposals)], dtype=np.int64)
    boxes = torch.cat([each.detach().cpu().float() for each in proposals])
    with write_output(path) as partial:
        save_file({"boxes": boxes.contiguous(), "offsets": torch.from_numpy(ends)}, partial)


def open_proposals(path: Path) -> StoredProposals | None:
    """The proposals of a file; None if there is none, because the model makes no proposals."""
    return StoredProposals(path) if path.is_file() else None


class StoredProposals(Sequence[Tensor]):
    """The proposals (P, 4) of each photo in a file of `save_proposals`, read when they are asked for."""

    def __init__(self, path: Path) -> None:
        """Open the file. Raises OutputError if it is damaged."""
        try:
            file: Any = safe_open(path, framework="pt")  # without types
            self._file, self._offsets = file, file.get_tensor("offsets").tolist()
        except (SafetensorError, OSError, ValueError) as error:
            raise OutputError(
                f"{path}: this file is damaged ({error}). Remove its folder, and give the command again."
            ) from error

    def __len__(self) -> int:
        return len(self._offsets) - 1

    @overload
    def __getitem__(self, photo: int) -> Tensor: ...

    @overload
    def __getitem__(self, photo: slice) -> Sequence[Tensor]: ...

    def __getitem__(self, photo: int | slice) -> Tensor | Sequence[Tensor]:
        """The proposals of one photo, or of several."""
        if isinstance(photo, slice):
            return [self[index] for index in range(len(self))[photo]]
        photo = range(len(self))[photo]
        begin, end = self._offsets[photo : photo + 2]
        if begin == end:  # an array without rows cannot be sliced
            return torch.zeros(0, 4)
        boxes: Tensor = self._file.get_slice("boxes")[begin:end]
        return boxes

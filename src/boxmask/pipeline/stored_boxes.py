"""Write boxes to .npy files, and read them back with checks. `np.load` reads these files, too."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from boxmask.atomic_write import atomic_write

_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '<f4', 'fortran_order': False, 'shape': \((\d{1,12}), 4\), \} *\n",
    re.DOTALL,
)


def write_boxes(path: Path, boxes: Float[Tensor, "N 4"]) -> None:
    """Write float32 boxes atomically. Missing folders are created. Raises OutputError as `atomic_write`."""
    with atomic_write(path) as partial, partial.open("wb") as file:
        np.save(file, boxes.cpu().numpy().astype("<f4"), allow_pickle=False)


def read_boxes(path: Path) -> Float[Tensor, "N 4"]:
    """Read boxes that `write_boxes` wrote.

    Raises OSError for a missing file, and ValueError for a damaged one: another header, another length, or
    values that are not finite. `np.load` raises a dozen kinds of errors for these, and may take all memory.
    """
    content = path.read_bytes()
    header = _HEADER.match(content)
    if header is None:
        raise ValueError(f"{path}: expected the header of an array (N, 4) of float32")
    count, length = int(header[1]), len(content) - header.end()
    if length != 16 * count:
        raise ValueError(f"{path}: expected {16 * count} bytes for {count} boxes, found {length}")
    boxes = np.frombuffer(content, "<f4", offset=header.end()).reshape(-1, 4)
    if not np.isfinite(boxes).all():
        raise ValueError(f"{path}: expected finite coordinates")
    return torch.from_numpy(boxes.astype(np.float32))

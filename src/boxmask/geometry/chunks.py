"""How many rows of a large matrix to compute at a time."""

from __future__ import annotations

from torch import Tensor

ELEMENTS_ON_GPU = 2**25  # of a chunk: 128 MB in float32
ELEMENTS_ON_CPU = 2**21  # at most: 8 MB; more objects in a photo do not make chunks larger


def rows_per_chunk(x: Tensor, rows_on_cpu: int, columns: int) -> int:
    """Rows of a matrix with `columns` columns to compute at a time on the device of `x`.

    On a CPU, a chunk of `rows_on_cpu` rows stays in the cache; with very many columns, it has fewer rows. On
    a GPU, each chunk launches kernels, so that chunks are as large as memory allows.
    """
    if x.device.type == "cpu":
        return min(rows_on_cpu, max(1, ELEMENTS_ON_CPU // max(1, columns)))
    return max(rows_on_cpu, ELEMENTS_ON_GPU // max(1, columns))

from __future__ import annotations

import torch

from boxmask.geometry.chunks import ELEMENTS_ON_CPU, rows_per_chunk


def test_a_gpu_computes_more_rows_at_a_time_within_its_memory() -> None:
    on_cpu, on_gpu = torch.zeros(3, 4), torch.zeros(3, 4, device="meta")
    assert rows_per_chunk(on_cpu, 100, 5) == rows_per_chunk(on_cpu, 100, 0) == 100
    assert rows_per_chunk(on_gpu, 100, 2**10) == 2**15
    assert rows_per_chunk(on_gpu, 100, 0) == 2**25
    assert rows_per_chunk(on_gpu, 100, 2**24) == 100


def test_many_columns_do_not_make_a_chunk_large() -> None:
    x = torch.zeros(3, 4)
    for columns in (1, 1000, 4000, 10**9):
        assert rows_per_chunk(x, 16384, columns) * columns <= max(ELEMENTS_ON_CPU, columns)
    assert rows_per_chunk(x, 16384, 4000) == ELEMENTS_ON_CPU // 4000

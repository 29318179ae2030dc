from __future__ import annotations

import torch

from boxmask.geometry.chunks import rows_per_chunk


def test_a_gpu_computes_more_rows_at_a_time_within_its_memory() -> None:
    on_cpu, on_gpu = torch.zeros(3, 4), torch.zeros(3, 4, device="meta")
    assert rows_per_chunk(on_cpu, 100, 5) == rows_per_chunk(on_cpu, 100, 0) == 100
    assert rows_per_chunk(on_gpu, 100, 2**10) == 2**15
    assert rows_per_chunk(on_gpu, 100, 0) == 2**25
    assert rows_per_chunk(on_gpu, 100, 2**24) == 100

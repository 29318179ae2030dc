"""boxmask's kernels beside torchvision's and PyTorch's: `python benchmarks/kernels.py`.

The two sides of a row run in turns and the table shows medians, so that a busy machine disturbs both alike.
"CPU ratio" compares processor time, which other programs disturb least. Two limits are measured for
comparison: a matrix product and a copy of memory. "moved" is the data that must cross memory once (features,
pooled values and their gradients) per second, "of copy" is its share of the copy's rate, and "peak" is the
resident memory that a call adds at its highest.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch
import torchvision
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.nn import functional as F

from boxmask.cli.memory import keep_memory
from boxmask.kernels import conv3x3, linear, nms, pyramid_roi_align, roi_pool
from side_by_side import product_peak

SIZE, STRIDES, CHANNELS, ROIS = (800, 1088), (4, 8, 16, 32), 256, 2048
SCALES = [1 / stride for stride in STRIDES]


@dataclass
class Pair:
    name: str
    reference: Callable[[], object]
    candidate: Callable[[], object]
    moved: int  # bytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, help="threads of both sides (default: PyTorch's)")
    parser.add_argument("--rounds", type=int, default=7, help="runs per side; the table shows medians")
    parser.add_argument("--keep-memory", action="store_true", help="keep freed memory on both sides")
    options = parser.parse_args()
    if options.keep_memory and not keep_memory():
        parser.error("--keep-memory needs glibc (Linux)")
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    console = Console(width=140)
    console.print(
        f"{torch.get_num_threads()} threads, torch {torch.__version__}, torchvision {torchvision.__version__}"
    )
    flops, copy = product_peak(), copy_peak()
    console.print(f"matrix product {flops / 1e9:.0f} GFLOP/s, copy {copy / 1e9:.1f} GB/s")
    table = Table("", "reference ms", "boxmask ms", "ratio", "CPU ratio", "moved GB/s", "of copy")
    table.add_column("peak MB, reference")
    table.add_column("boxmask")
    for pair in [
        align_pair(torch.channels_last),
        align_pair(torch.contiguous_format),
        pool_pair(),
        nms_pair(),
        convolution_pair(),
        linear_pair(),
    ]:
        table.add_row(*row(pair, options.rounds, copy))
    console.print(table)


def row(pair: Pair, rounds: int, copy: float) -> list[str]:
    peaks = [peak_of(pair.reference), peak_of(pair.candidate)]  # the first call also compiles
    times = [(*seconds(pair.reference), *seconds(pair.candidate)) for _ in range(rounds)]
    reference, reference_cpu, candidate, candidate_cpu = (
        median(column) for column in zip(*times, strict=True)
    )
    rate = pair.moved / candidate
    cells = [
        f"{reference * 1e3:.1f}",
        f"{candidate * 1e3:.1f}",
        f"{reference / candidate:.1f}x",
        f"{reference_cpu / candidate_cpu:.1f}x",
    ]
    return [
        pair.name,
        *cells,
        f"{rate / 1e9:.1f}",
        f"{rate / copy:.0%}",
        *(f"{peak / 1e6:.0f}" for peak in peaks),
    ]


def align_pair(layout: torch.memory_format) -> Pair:
    """Forward and backward on four levels of one photo; torchvision gets its preferred layout."""
    shapes = [(1, CHANNELS, SIZE[0] // stride, SIZE[1] // stride) for stride in STRIDES]
    plain = [torch.randn(shape, requires_grad=True) for shape in shapes]
    maps = [one.detach().contiguous(memory_format=layout).requires_grad_() for one in plain]
    rois, levels = make_rois()
    grad = torch.randn(ROIS, CHANNELS, 7, 7)
    groups = [levels == level for level in range(len(STRIDES))]
    parts = [(rois[group], grad[group]) for group in groups]

    def reference() -> None:
        for feature, scale, (few, few_grad) in zip(plain, SCALES, parts, strict=True):
            pooled = torchvision.ops.roi_align(feature, few, 7, scale, 2)
            torch.autograd.grad(pooled, feature, few_grad)

    def candidate() -> None:
        torch.autograd.grad(pyramid_roi_align(maps, rois, levels, 7, SCALES, 2), maps, grad)

    name = "channels-last" if layout == torch.channels_last else "channels-first"
    return Pair(f"RoIAlign 7×7, {name}", reference, candidate, 2 * size_of(*plain, grad))


def pool_pair() -> Pair:
    """Forward and backward on one level of stride 16."""
    shape = (1, CHANNELS, SIZE[0] // 16, SIZE[1] // 16)
    plain = torch.randn(shape, requires_grad=True)
    feature = plain.detach().contiguous(memory_format=torch.channels_last).requires_grad_()
    rois, _ = make_rois()
    grad = torch.randn(ROIS, CHANNELS, 7, 7)

    def reference() -> None:
        torch.autograd.grad(torchvision.ops.roi_pool(plain, rois, 7, 1 / 16), plain, grad)

    def candidate() -> None:
        torch.autograd.grad(roi_pool(feature, rois, 7, 1 / 16), feature, grad)

    return Pair("RoIPool 7×7", reference, candidate, 2 * size_of(plain, grad))


def nms_pair() -> Pair:
    """6,000 boxes as from an RPN: many around each object."""
    centers = (torch.rand(120, 2) * torch.tensor([1088.0, 800.0])).repeat(50, 1)
    sides = torch.exp(torch.rand(120, 2) * 2.5 + 3).repeat(50, 1)
    boxes = around(
        centers + torch.randn(6000, 2) * sides * 0.15, sides * torch.exp(torch.randn(6000, 2) * 0.2)
    )
    scores = torch.rand(6000)
    assert torch.equal(nms(boxes, scores, 0.7), torchvision.ops.nms(boxes, scores, 0.7))
    candidate, reference = (
        (lambda: nms(boxes, scores, 0.7)),
        (lambda: torchvision.ops.nms(boxes, scores, 0.7)),
    )
    return Pair(f"NMS 6,000 boxes, {len(candidate())} kept", reference, candidate, size_of(boxes, scores))


def convolution_pair() -> Pair:
    """A 3x3 convolution of a pyramid's finest level, forward and backward."""
    shape = (1, CHANNELS, SIZE[0] // 4, SIZE[1] // 4)
    made = [torch.randn(shape), torch.randn(CHANNELS, CHANNELS, 3, 3) / 50, torch.randn(CHANNELS)]
    input, weight, bias = (
        one.contiguous(memory_format=torch.channels_last) if one.ndim == 4 else one for one in made
    )
    leaves = [leaf.requires_grad_() for leaf in (input, weight, bias)]
    grad = torch.randn(shape).contiguous(memory_format=torch.channels_last)

    def reference() -> None:
        torch.autograd.grad(F.conv2d(*leaves, padding=1), leaves, grad)

    def candidate() -> None:
        torch.autograd.grad(conv3x3(*leaves), leaves, grad)

    torch.testing.assert_close(conv3x3(*leaves), F.conv2d(*leaves, padding=1), atol=1e-3, rtol=1e-3)
    return Pair("3×3 convolution, 200×272", reference, candidate, 3 * size_of(input))


def linear_pair() -> Pair:
    """The first FC layer of a box head, forward and backward."""
    leaves = [torch.randn(ROIS, CHANNELS * 49), torch.randn(1024, CHANNELS * 49), torch.randn(1024)]
    leaves = [leaf.requires_grad_() for leaf in leaves]
    grad = torch.randn(ROIS, 1024)

    def reference() -> None:
        torch.autograd.grad(F.linear(*leaves), leaves, grad)

    def candidate() -> None:
        torch.autograd.grad(linear(*leaves), leaves, grad)

    torch.testing.assert_close(linear(*leaves), F.linear(*leaves), atol=1e-2, rtol=1e-3)
    return Pair("FC 12544 → 1024", reference, candidate, 2 * size_of(*leaves))


def make_rois() -> tuple[Tensor, Tensor]:
    """RoIs of 16 to 540 pixels and their levels by the rule of the FPN paper."""
    sides = torch.exp(torch.rand(ROIS, 1) * 3.5 + 2.8) * torch.exp(
        (torch.rand(ROIS, 1) - 0.5) * torch.tensor([0.5, -0.5])
    )
    boxes = around(torch.rand(ROIS, 2) * torch.tensor([1088.0, 800.0]), sides)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)
    levels = (4 + torch.log2(area.sqrt() / 224 + 1e-6)).floor().clamp(2, 5).long() - 2
    return torch.cat([torch.zeros(ROIS, 1), boxes], dim=1), levels


def around(centers: Tensor, sides: Tensor) -> Tensor:
    """Boxes around the centers, clipped to the photo."""
    boxes = torch.cat([centers - sides / 2, centers + sides / 2], dim=1)
    limit = torch.tensor([SIZE[1], SIZE[0]] * 2, dtype=torch.float32)
    return boxes.clamp(min=0).minimum(limit)


def copy_peak() -> float:
    """Bytes read and written per second by a copy larger than the caches."""
    a, b = torch.ones(2**26), torch.ones(2**26)
    return 2 * size_of(a) / min(seconds(lambda: b.copy_(a))[0] for _ in range(8))


def size_of(*tensors: Tensor) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def seconds(call: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and seconds of all cores together."""
    start, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - start, time.process_time() - cpu


def peak_of(call: Callable[[], object]) -> float:
    """Bytes that the call adds to resident memory at its highest; NaN outside Linux."""
    if not sys.platform.startswith("linux"):
        return float("nan")
    call()  # what stays, such as compiled code, is not counted
    Path("/proc/self/clear_refs").write_text("5")  # reset the peak
    before = resident("VmRSS")
    call()
    return resident("VmHWM") - before


def resident(key: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * float(next(line for line in lines if line.startswith(key)).split()[1])


if __name__ == "__main__":
    main()

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from boxmask.kernels import conv3x3, simd, winograd_loops

SHAPES = [
    (2, 64, 96, 43, 50),
    (1, 96, 64, 48, 43),
    (3, 64, 64, 61, 37),
]  # N, C, K, H, W; tiles are cut at the edges


def leaves(n: int, c: int, k: int, height: int, width: int) -> list[Tensor]:
    torch.manual_seed(0)
    input = torch.randn(n, c, height, width).to(memory_format=torch.channels_last)
    made = [input, torch.randn(k, c, 3, 3) / (3 * c**0.5), torch.randn(k)]
    return [leaf.requires_grad_() for leaf in made]


def direct(input: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return F.conv2d(input.double(), weight.double(), bias.double(), padding=1)


def runs_our_operator(input: Tensor, weight: Tensor) -> bool:
    return "conv3x3" in str(getattr(conv3x3(input, weight.requires_grad_()), "grad_fn", None))


@pytest.mark.parametrize("shape", SHAPES)
def test_values_and_gradients_equal_the_direct_sums(shape: tuple[int, ...]) -> None:
    given = leaves(*shape)
    found, expected = conv3x3(*given), direct(*given)
    assert runs_our_operator(given[0], given[1])
    assert found.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(found.double(), expected, atol=1e-4, rtol=1e-4)
    grad = torch.randn_like(found)
    ours = torch.autograd.grad(found, given, grad)
    theirs = torch.autograd.grad(expected, given, grad.double())
    for gradient, exact in zip(ours, theirs, strict=True):
        error = (gradient - exact).abs().max()
        assert error < 1e-4 * exact.std()


def test_without_bias() -> None:
    input, weight, _ = leaves(*SHAPES[0])
    torch.testing.assert_close(
        conv3x3(input, weight), F.conv2d(input, weight, padding=1), atol=1e-4, rtol=1e-4
    )


def test_memory_layout_does_not_matter() -> None:
    input, weight, bias = leaves(*SHAPES[0])
    expected = conv3x3(input, weight, bias)
    assert torch.equal(conv3x3(input.contiguous(), weight, bias), expected)
    assert torch.equal(conv3x3(torch.cat([input, input], 3)[..., :50], weight, bias), expected)


def in_threads(threads: int) -> list[Tensor]:
    given = leaves(4, 64, 64, 60, 70)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        out = conv3x3(*given)
        return [out, *torch.autograd.grad(out.square().sum(), given)]
    finally:
        torch.set_num_threads(before)


def test_the_same_bit_for_bit_with_any_number_of_threads() -> None:
    one = in_threads(1)
    for threads in (2, 3):
        assert all(torch.equal(a, b) for a, b in zip(one, in_threads(threads), strict=True))


@pytest.mark.parametrize("frozen", [0, 1, 2])
def test_frozen_arguments_get_no_gradient(frozen: int) -> None:
    given = leaves(*SHAPES[0])
    given[frozen].requires_grad_(False)
    conv3x3(*given).sum().backward()
    assert [leaf.grad is None for leaf in given] == [index == frozen for index in range(3)]


@pytest.mark.parametrize(
    "change",
    [
        lambda x, w, b: (x, w.double(), b),
        lambda x, w, b: (x, w.half(), b),
        lambda x, w, b: (x, w[:, :32], b),
        lambda x, w, b: (x, w, b[:5]),
        lambda x, w, b: (x, w, b.double()),
    ],
)
def test_arguments_that_do_not_fit_are_rejected(change) -> None:
    given = change(*[leaf.detach() for leaf in leaves(*SHAPES[0])])
    with pytest.raises(RuntimeError):
        conv3x3(*given)
    with pytest.raises(ValueError, match="its loops do not support"):
        torch.ops.boxmask.conv3x3(*given)


def test_the_loops_name_the_digest_of_simd() -> None:
    """Otherwise numba would keep using machine code from another version of simd.py."""
    source = Path(simd.__file__).read_bytes()
    assert winograd_loops.SIMD_DIGEST == sha256(source).hexdigest()[:16]


NARROW_REGISTERS = """
import llvmlite.binding as binding, sys
from llvmlite.binding.targets import FeatureMap
real = binding.get_host_cpu_features()
binding.get_host_cpu_name = lambda: "x86-64"
binding.get_host_cpu_features = lambda: FeatureMap(
    {name: has and not name.startswith("avx512") for name, has in real.items()}
)
import torch
from boxmask.kernels import conv3x3, simd, winograd_loops
from boxmask.kernels.simd import LANES
assert LANES == 8, LANES
x, w, b = torch.randn(1, 64, 49, 50), torch.randn(64, 64, 3, 3) / 24, torch.randn(64)
leaves = [leaf.requires_grad_() for leaf in (x, w, b)]
found, expected = conv3x3(*leaves), torch.nn.functional.conv2d(*leaves, padding=1)
grad = torch.randn_like(expected)
pairs = [(found, expected)]
pairs += zip(*(torch.autograd.grad(out, leaves, grad) for out in (found, expected)))
assert "conv3x3" in str(found.grad_fn)
for ours, theirs in pairs:
    assert (ours - theirs).abs().max() < 2e-4 * theirs.std(), (ours - theirs).abs().max()
"""


@pytest.mark.slow
@pytest.mark.skipif(not simd._MIDDLE, reason="needs a processor with AVX2")
def test_processors_with_narrower_registers(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", NARROW_REGISTERS], check=True, env=environment)


def test_the_result_may_be_changed_in_place() -> None:
    given = leaves(*SHAPES[0])
    out = F.relu(conv3x3(*given), inplace=True)
    torch.testing.assert_close(out.double(), direct(*given).relu(), atol=1e-4, rtol=1e-4)
    out.sum().backward()


@pytest.mark.parametrize(
    "change",
    [
        lambda x, w: (x[:1, :, :8, :8], w),  # the map is too small
        lambda x, w: (F.pad(x, (0, 0, 0, 0, 0, 4)), F.pad(w, (0, 0, 0, 0, 0, 4))),  # 68 channels
        lambda x, w: (x.double(), w.double()),
        lambda x, w: (x[:0], w),
    ],
)
def test_other_cases_are_left_to_pytorch(change) -> None:
    input, weight = change(*[leaf.detach() for leaf in leaves(*SHAPES[0])[:2]])
    assert not runs_our_operator(input, weight)
    assert torch.equal(conv3x3(input, weight), F.conv2d(input, weight, padding=1))


def test_operators_are_registered_correctly() -> None:
    given = leaves(1, 64, 64, 12, 13)  # the operator itself accepts maps of any size
    torch.library.opcheck(torch.ops.boxmask.conv3x3.default, tuple(given))
    grad = torch.randn(1, 64, 12, 13)
    torch.library.opcheck(torch.ops.boxmask.conv3x3_weight_gradient.default, (grad, given[0].detach()))


def test_compiles_into_one_graph() -> None:
    given = leaves(*SHAPES[0])
    found = torch.compile(conv3x3, backend="aot_eager", fullgraph=True)(*given)
    expected = conv3x3(*given)
    assert torch.equal(found, expected)
    grad = torch.randn_like(expected)
    pairs = zip(
        torch.autograd.grad(found, given, grad), torch.autograd.grad(expected, given, grad), strict=True
    )
    assert all(torch.equal(a, b) for a, b in pairs)


def test_exported_networks_contain_the_plain_convolution() -> None:
    input, weight, _ = [leaf.detach() for leaf in leaves(*SHAPES[0])]

    class Net(torch.nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return conv3x3(x, weight)

    operators = str(torch.export.export(Net(), (input,)).graph)
    assert "aten.conv2d" in operators
    assert "boxmask" not in operators


def test_mixed_precision_is_left_to_pytorch() -> None:
    given = leaves(*SHAPES[0])
    with torch.autocast("cpu", torch.bfloat16):
        assert conv3x3(*given).dtype == torch.bfloat16


def test_small_maps_of_rois_pay_off_if_there_are_many() -> None:
    weight = (torch.randn(64, 64, 3, 3) / 24).requires_grad_()
    many = torch.randn(20, 64, 14, 14)
    found = conv3x3(many, weight, per_roi=True)
    assert "conv3x3" in str(found.grad_fn)
    torch.testing.assert_close(found, F.conv2d(many, weight, padding=1), atol=1e-4, rtol=1e-4)
    for maps, per_roi in ((many, False), (many[:3], True), (many[:0], True)):
        plain = conv3x3(maps, weight, per_roi=per_roi)
        assert "conv3x3" not in str(plain.grad_fn)
        assert plain.shape == maps.shape

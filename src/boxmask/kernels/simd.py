"""Two steps over vector registers that loops in Python cannot spell, written for LLVM by hand.

numba leaves it to LLVM to find the vectors in a loop. For a matrix product that keeps its sums in registers,
and for a transform that reads six rows and writes six others, LLVM does not find them; so these two are
emitted as vector instructions, which LLVM then translates for whatever processor it runs on.

Arrays are flat and contiguous float32; offsets and strides count elements, and nothing checks them.
numba does not look into this file to tell whether compiled code is stale: `winograd_loops` names its digest.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_FEATURES = llvmlite.binding.get_host_cpu_features()
_X86 = platform.machine().lower() in ("x86_64", "amd64", "i686")
_WIDE, _MIDDLE = bool(_FEATURES.get("avx512f")), bool(_FEATURES.get("avx2"))
LANES = 16 if _WIDE else 8 if _MIDDLE else 4  # float32 in a register: AVX-512, AVX2, others
ROWS = 8 if _WIDE or not _X86 else 4  # of a tile of the product: 16 sums in 32 registers, 8 in 16
PANEL = 2 * LANES  # columns of a tile of the product
FUSED = bool(_FEATURES.get("fma")) or not _X86  # a product and a sum in one instruction; slow without

_INDEX, _FLOAT = ir.IntType(64), ir.FloatType()
_VECTOR = ir.VectorType(_FLOAT, LANES)
_LANE = ir.IntType(32)


@intrinsic
def multiply_tile(  # type: ignore[no-untyped-def]
    typing, a, a_start, a_row, a_step, b, b_start, b_step, c, c_start, c_row, depth, add
):
    """c[i, j] = sum over k < depth of a[i, k] b[k, j], for i < ROWS and j < PANEL; with `add`, added to c.

    a[i, k] stands at a_start + i * a_row + k * a_step, b[k, j] at b_start + k * b_step + j, and c[i, j] at
    c_start + i * c_row + j. depth >= 1.
    """
    index = types.intp
    signature = types.void(a, index, index, index, b, index, index, c, index, index, index, types.boolean)

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        a, a_start, a_row, a_step, b, b_start, b_step, c, c_start, c_row, depth, add = values
        at_a = builder.gep(_data(context, builder, signature.args[0], a), [a_start])
        at_b = builder.gep(_data(context, builder, signature.args[4], b), [b_start])
        at_c = builder.gep(_data(context, builder, signature.args[7], c), [c_start])
        sums = _products(builder, at_a, a_row, a_step, at_b, b_step, depth)
        with builder.if_else(add) as (sum_up, overwrite):
            with sum_up:
                _store_tile(builder, sums, at_c, c_row, add=True)
            with overwrite:
                _store_tile(builder, sums, at_c, c_row, add=False)
        return context.get_dummy_value()

    return signature, emit


def _products(  # type: ignore[no-untyped-def]
    builder, at_a, a_row, a_step, at_b, b_step, depth
) -> list[list[Any]]:
    """The loop over `depth`: ROWS x 2 registers of sums; returns them."""
    before, loop = builder.block, builder.append_basic_block("product")
    builder.branch(loop)
    builder.position_at_end(loop)
    step = builder.phi(_INDEX)
    step.add_incoming(_INDEX(0), before)
    sums = [[builder.phi(_VECTOR) for _ in range(2)] for _ in range(ROWS)]
    column = builder.gep(at_b, [builder.mul(step, b_step)])
    right = [_load(builder, builder.gep(column, [_INDEX(j * LANES)])) for j in range(2)]
    left = builder.gep(at_a, [builder.mul(step, a_step)])
    found = []
    for i, row in enumerate(sums):
        scalar = builder.load(builder.gep(left, [builder.mul(a_row, _INDEX(i))]))
        spread = _spread(builder, scalar)
        found.append([_fma(builder, spread, right[j], row[j]) for j in range(2)])
    following = builder.add(step, _INDEX(1))
    step.add_incoming(following, loop)
    for row, new in zip(sums, found, strict=True):
        for old, one in zip(row, new, strict=True):
            old.add_incoming(ir.Constant(_VECTOR, None), before)
            old.add_incoming(one, loop)
    after = builder.append_basic_block("sums")
    builder.cbranch(builder.icmp_signed("<", following, depth), loop, after)
    builder.position_at_end(after)
    return found


def _store_tile(builder, sums, at_c, c_row, add: bool) -> None:  # type: ignore[no-untyped-def]
    for i, row in enumerate(sums):
        start = builder.gep(at_c, [builder.mul(c_row, _INDEX(i))])
        for j, value in enumerate(row):
            place = builder.gep(start, [_INDEX(j * LANES)])
            _store(builder, builder.fadd(_load(builder, place), value) if add else value, place)


def combination(matrix: Sequence[Sequence[float]]) -> Any:
    """An intrinsic that applies a constant (m, n) matrix to n vectors of LANES numbers and stores m.

    combine(source, start, step, target, target_start, target_step): vector j is read at start + j * step,
    result i written at target_start + i * target_step, all reads before any write.
    """

    @intrinsic
    def combine(typing, source, start, step, target, target_start, target_step):  # type: ignore[no-untyped-def]
        index = types.intp
        signature = types.void(source, index, index, target, index, index)

        def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            source, start, step, target, target_start, target_step = values
            at = builder.gep(_data(context, builder, signature.args[0], source), [start])
            to = builder.gep(_data(context, builder, signature.args[3], target), [target_start])
            places = [builder.gep(at, [builder.mul(step, _INDEX(j))]) for j in range(len(matrix[0]))]
            vectors = [_load(builder, place) for place in places]
            results = [_weighted(builder, row, vectors) for row in matrix]
            for i, result in enumerate(results):
                _store(builder, result, builder.gep(to, [builder.mul(target_step, _INDEX(i))]))
            return context.get_dummy_value()

        return signature, emit

    return combine


def _weighted(builder: Any, weights: Sequence[float], vectors: list[Any]) -> Any:
    """The sum of weights times vectors; what is 0 costs nothing, and what is 1 no product."""
    total = None
    for weight, vector in sorted(zip(weights, vectors, strict=True), key=lambda pair: abs(pair[0]) != 1):
        if weight == 0:
            continue
        if total is None:
            total = vector if weight == 1 else builder.fmul(vector, _constant(weight))
        elif abs(weight) == 1:
            total = builder.fadd(total, vector) if weight == 1 else builder.fsub(total, vector)
        else:
            total = _fma(builder, vector, _constant(weight), total)
    assert total is not None, "a row of zeros"
    return total


def _data(context: Any, builder: Any, kind: Any, array: Any) -> Any:
    return context.make_array(kind)(context, builder, array).data


def _load(builder: Any, place: Any) -> Any:
    loaded = builder.load(builder.bitcast(place, _VECTOR.as_pointer()))
    loaded.align = 4
    return loaded


def _store(builder: Any, value: Any, place: Any) -> None:
    builder.store(value, builder.bitcast(place, _VECTOR.as_pointer())).align = 4


def _spread(builder: Any, scalar: Any) -> Any:
    first = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), scalar, _LANE(0))
    return builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(_LANE, LANES), None))


def _constant(value: float) -> ir.Constant:
    return ir.Constant(_VECTOR, [ir.Constant(_FLOAT, value)] * LANES)


def _fma(builder: Any, a: Any, b: Any, c: Any) -> Any:
    kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
    name = f"llvm.fma.v{LANES}f32"
    module = builder.module
    function = module.globals.get(name) or ir.Function(module, kind, name)
    return builder.call(function, [a, b, c])

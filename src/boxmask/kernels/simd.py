"""Two operations on vector registers, emitted as LLVM vector instructions for numba.

numba relies on LLVM to vectorize loops. LLVM does not vectorize a matrix product that keeps its sums in
registers, nor a transform that reads six rows and writes six others. These two are therefore emitted as
vector instructions, which LLVM compiles for the processor.

Arrays are flat, contiguous and float32; offsets and strides count elements and are not checked. numba does
not check this file to find out whether cached code is stale, so `winograd_loops` contains its digest.
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
LANES = 16 if _WIDE else 8 if _MIDDLE else 4  # float32 values per register: AVX-512, AVX2, others
ROWS = 8 if _WIDE or not _X86 else 4  # of a product tile: 16 sums in 32 registers, or 8 in 16
PANEL = 2 * LANES  # columns of a product tile
FUSED = bool(_FEATURES.get("fma")) or not _X86  # multiply and add in one instruction; slow without

_INDEX, _FLOAT = ir.IntType(64), ir.FloatType()
_VECTOR = ir.VectorType(_FLOAT, LANES)
_LANE = ir.IntType(32)


@intrinsic
def multiply_tile(  # type: ignore[no-untyped-def]
    typing, a, a_start, a_row, a_step, b, b_start, b_step, c, c_start, c_row, depth, add
):
    """Compute c[i, j] = sum over k < depth of a[i, k] b[k, j], for i < ROWS and j < PANEL, or add it to c.

    a[i, k] is at a_start + i * a_row + k * a_step, b[k, j] at b_start + k * b_step + j, and c[i, j] at
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
        with builder.if_else(add) as (accumulate, overwrite):
            with accumulate:
                _store_tile(builder, sums, at_c, c_row, add=True)
            with overwrite:
                _store_tile(builder, sums, at_c, c_row, add=False)
        return context.get_dummy_value()

    return signature, emit


def _products(  # type: ignore[no-untyped-def]
    builder, at_a, a_row, a_step, at_b, b_step, depth
) -> list[list[Any]]:
    """Emit the loop over `depth`; return its sums, ROWS x 2 registers."""
    before, loop = builder.block, builder.append_basic_block("product")
    builder.branch(loop)
    builder.position_at_end(loop)
    step = builder.phi(_INDEX)
    step.add_incoming(_INDEX(0), before)
    sums = [[builder.phi(_VECTOR) for _ in range(2)] for _ in range(ROWS)]
    column = builder.gep(at_b, [builder.mul(step, b_step)])
    right = [_load(builder, builder.gep(column, [_INDEX(j * LANES)])) for j in range(2)]
    left = builder.gep(at_a, [builder.mul(step, a_step)])
    updated = []
    for i, row in enumerate(sums):
        scalar = builder.load(builder.gep(left, [builder.mul(a_row, _INDEX(i))]))
        vector = _broadcast(builder, scalar)
        updated.append([_fma(builder, vector, right[j], row[j]) for j in range(2)])
    next_step = builder.add(step, _INDEX(1))
    step.add_incoming(next_step, loop)
    for row, new_row in zip(sums, updated, strict=True):
        for old, new in zip(row, new_row, strict=True):
            old.add_incoming(ir.Constant(_VECTOR, None), before)
            old.add_incoming(new, loop)
    after = builder.append_basic_block("sums")
    builder.cbranch(builder.icmp_signed("<", next_step, depth), loop, after)
    builder.position_at_end(after)
    return updated


def _store_tile(builder, sums, at_c, c_row, add: bool) -> None:  # type: ignore[no-untyped-def]
    for i, row in enumerate(sums):
        start = builder.gep(at_c, [builder.mul(c_row, _INDEX(i))])
        for j, value in enumerate(row):
            address = builder.gep(start, [_INDEX(j * LANES)])
            _store(builder, builder.fadd(_load(builder, address), value) if add else value, address)


def combination(matrix: Sequence[Sequence[float]]) -> Any:
    """Return an intrinsic that multiplies a constant (m, n) matrix by n vectors of LANES values and stores m.

    combine(source, start, step, target, target_start, target_step) reads vector j at start + j * step and
    writes result i to target_start + i * target_step. All reads precede the first write.
    """

    @intrinsic
    def combine(typing, source, start, step, target, target_start, target_step):  # type: ignore[no-untyped-def]
        index = types.intp
        signature = types.void(source, index, index, target, index, index)

        def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            source, start, step, target, target_start, target_step = values
            at = builder.gep(_data(context, builder, signature.args[0], source), [start])
            to = builder.gep(_data(context, builder, signature.args[3], target), [target_start])
            addresses = [builder.gep(at, [builder.mul(step, _INDEX(j))]) for j in range(len(matrix[0]))]
            vectors = [_load(builder, address) for address in addresses]
            results = [_weighted_sum(builder, row, vectors) for row in matrix]
            for i, result in enumerate(results):
                _store(builder, result, builder.gep(to, [builder.mul(target_step, _INDEX(i))]))
            return context.get_dummy_value()

        return signature, emit

    return combine


def _weighted_sum(builder: Any, weights: Sequence[float], vectors: list[Any]) -> Any:
    """Emit the sum of weights times vectors; a weight of 0 is skipped, and 1 or -1 not multiplied."""
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


def _load(builder: Any, address: Any) -> Any:
    loaded = builder.load(builder.bitcast(address, _VECTOR.as_pointer()))
    loaded.align = 4
    return loaded


def _store(builder: Any, value: Any, address: Any) -> None:
    builder.store(value, builder.bitcast(address, _VECTOR.as_pointer())).align = 4


def _broadcast(builder: Any, scalar: Any) -> Any:
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

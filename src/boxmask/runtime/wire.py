"""Read fields of a file in the wire format of Protocol Buffers, without the package onnx.

developers.google.com/protocol-buffers/docs/encoding. A message is a row of fields, each with a number and a
value: a number, or a stretch of bytes that may be a message again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

Value: TypeAlias = int | memoryview

VARINT, EIGHT_BYTES, BYTES, FOUR_BYTES = 0, 1, 2, 5  # types of values
_FIXED = {EIGHT_BYTES: 8, FOUR_BYTES: 4}
MAX_VARINT, MAX_TAG = 10, 5  # bytes


def fields(message: memoryview) -> Iterator[tuple[int, Value]]:
    """The number and the value of each field. Raises ValueError for bytes that are no message."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position, MAX_TAG)
        if tag >> 32 or not tag >> 3:  # ONNX Runtime would drop the upper bits, and find another field
            raise ValueError(f"{tag} is no number of a field")
        kind = tag & 7
        if kind == VARINT:
            number, position = _varint(message, position)
            yield tag >> 3, number
            continue
        if kind == BYTES:
            length, position = _varint(message, position)
        elif kind in _FIXED:
            length = _FIXED[kind]
        else:
            raise ValueError(f"unknown type of value {kind}")
        end = position + length
        if end > len(message):
            raise ValueError(f"a value of {length} bytes goes beyond the end")
        yield tag >> 3, message[position:end]
        position = end


def text(value: Value) -> str:
    """A value as text. Raises ValueError if it is a number, or no UTF-8."""
    return str(_bytes(value), "utf-8")


def message(value: Value) -> memoryview:
    """A value as a message. Raises ValueError if it is a number."""
    return _bytes(value)


def _bytes(value: Value) -> memoryview:
    if isinstance(value, int):
        raise ValueError("expected bytes, found a number")
    return value


def _varint(message: memoryview, position: int, max_bytes: int = MAX_VARINT) -> tuple[int, int]:
    """A number in groups of seven bits, the lowest first, and the position after it."""
    number = 0
    for shift in range(0, 7 * max_bytes, 7):
        if position >= len(message):
            raise ValueError("it ends within a number")
        byte = message[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position
    raise ValueError("a number has too many bytes")

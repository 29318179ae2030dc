"""Regions in packed form. Unpacked, they take over twice the memory."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class Packed:
    """A JSON object as MessagePack."""

    data: bytes


def pack_region(fields: dict[str, object]) -> object:
    """Pack an object of a VIA file if it is a region; others stay as they are."""
    is_region = "shape_attributes" in fields or ("vid" in fields and "xy" in fields)  # VIA 1 and 2, VIA 3
    return pack(fields) if is_region else fields


def pack(fields: dict[str, object]) -> object:
    """Pack an object, unless MessagePack cannot hold it, such as a whole number of over 64 bits."""
    try:
        return Packed(msgspec.msgpack.encode(fields))
    except (OverflowError, RecursionError, TypeError, UnicodeError, msgspec.MsgspecError):
        return fields


def unpack(value: object) -> object:
    """The object that was packed, or the value itself."""
    return msgspec.msgpack.decode(value.data) if isinstance(value, Packed) else value

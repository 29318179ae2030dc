"""Arrays as one message to and from the page: a header in JSON, and the bytes of the arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

TYPES = ("uint8", "int64", "float32", "bool")
LENGTH = 4  # bytes in front of the header, which say how long it is


def encode_arrays(arrays: Mapping[str, NDArray[Any]], **fields: object) -> bytes:
    """A message with arrays by name and fields of the header."""
    contents = [np.ascontiguousarray(array) for array in arrays.values()]
    entries = [
        {"name": name, "type": str(array.dtype), "shape": list(array.shape), "bytes": array.nbytes}
        for name, array in zip(arrays, contents, strict=True)
    ]
    header = json.dumps({**fields, "arrays": entries}).encode()
    return b"".join(
        [len(header).to_bytes(LENGTH, "little"), header, *(array.tobytes() for array in contents)]
    )


def decode_arrays(message: bytes) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """The arrays by name, and the header. Raises ValueError for anything else than such a message."""
    start = LENGTH + int.from_bytes(message[:LENGTH], "little")
    header = json.loads(message[LENGTH:start])
    arrays = {}
    for entry in header["arrays"]:
        if entry["type"] not in TYPES:
            raise ValueError(f"{entry['name']}: expected one of {', '.join(TYPES)}, found {entry['type']}")
        end = start + entry["bytes"]
        array = np.frombuffer(message[start:end], dtype=entry["type"]).copy()  # so that it can be written
        arrays[entry["name"]], start = array.reshape(entry["shape"]), end
    return arrays, header

"""The run lengths of Label Studio's brush, which are those of thi.ng/rle-pack.

A stream of bits, the highest of each byte first: 32 bits for the number of words, 5 for the size of a word
minus 1, and four times 4 for the sizes of counts minus 1. Then blocks: 1 bit for its kind, 2 bits to choose
the size of its count, and its length minus 1. A block of kind 1 has one word, which is repeated; one of kind
0 has all its words. The words of a brush are the bytes red, green, blue and alpha of every pixel, row by row.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, UInt8

from boxmask.data.outlines import RunLengths
from boxmask.geometry import rle
from boxmask.masks import Masks, Size

_CHANNELS, _ALPHA, _OPAQUE = 4, 3, 128
_COUNT_SIZES = (3, 4, 8, 16)
"""The sizes of counts that are written, those of Label Studio."""

_MAX_PIXELS = 2**28


def decode_brush(data: bytes, size: Size) -> RunLengths:
    """The pixels that the brush covers by at least half, in a photo of (height, width).

    Raises ValueError for broken data, and for data of another size.
    """
    height, width = size
    if height * width > _MAX_PIXELS:
        raise ValueError(f"a brush mask of {width} × {height} pixels is too large")
    alpha = np.zeros(height * width, dtype=np.bool_)
    reader = _BitReader(data)
    num_words, word_size = reader.read(32), reader.read(5) + 1
    count_sizes = [reader.read(4) + 1 for _ in range(4)]
    if num_words != _CHANNELS * len(alpha) or word_size != 8:
        expected = f"expected the {_CHANNELS * len(alpha)} bytes of a photo of {width} × {height} pixels"
        raise ValueError(f"{expected}, found {num_words} words of {word_size} bits")
    start = 0
    while start < num_words:
        is_repeated = reader.read(1)
        stop = min(start + reader.read(count_sizes[reader.read(2)]) + 1, num_words)
        first, last = -(-(start - _ALPHA) // _CHANNELS), -(-(stop - _ALPHA) // _CHANNELS)
        if is_repeated:
            alpha[first:last] = reader.read(8) >= _OPAQUE
        else:
            words = reader.read_bytes(stop - start)
            alpha[first:last] = words[(_ALPHA - start) % _CHANNELS :: _CHANNELS] >= _OPAQUE
        start = stop
    return RunLengths(rle.encode(Masks.from_dense(alpha.reshape(1, height, width)))[0].astype(np.int32), size)


class _BitReader:
    """Reads numbers of a few bits. Raises ValueError at the end of the data."""

    def __init__(self, data: bytes) -> None:
        self._data, self._position = data, 0

    def read(self, num_bits: int) -> int:
        """A number of up to 32 bits."""
        first, offset = divmod(self._position, 8)
        self._advance(num_bits)
        piece = int.from_bytes(self._data[first : first + 5].ljust(5, b"\0"))
        return piece >> (40 - offset - num_bits) & ((1 << num_bits) - 1)

    def read_bytes(self, count: int) -> UInt8[np.ndarray, " N"]:
        """Numbers of 8 bits each."""
        first, offset = divmod(self._position, 8)
        self._advance(8 * count)
        piece = np.frombuffer(self._data, dtype=np.uint8)[first : first + count + 1]
        return np.packbits(np.unpackbits(piece)[offset : offset + 8 * count])

    def _advance(self, num_bits: int) -> None:
        self._position += num_bits
        if self._position > 8 * len(self._data):
            raise ValueError("the run lengths of a brush end too early")


def encode_brush(mask: Bool[np.ndarray, "H W"]) -> list[int]:
    """The bytes of a mask, all four channels alike."""
    counts = np.diff(np.flatnonzero(np.diff(mask.ravel(), prepend=~mask[0, 0])), append=mask.size)
    value = bool(mask[0, 0])
    bits = [f"{_CHANNELS * mask.size:032b}{7:05b}", *(f"{size - 1:04b}" for size in _COUNT_SIZES)]
    for count in (_CHANNELS * counts).tolist():
        bits.extend(_blocks(count, "1" * 8 if value else "0" * 8))
        value = not value
    text = np.frombuffer("".join(bits).encode("ascii"), dtype=np.uint8) - ord("0")
    return list(np.packbits(text).tobytes())


def _blocks(count: int, word: str) -> list[str]:
    """The blocks that repeat a word."""
    blocks = []
    while count:
        length = min(count, 2 ** _COUNT_SIZES[-1])
        choice = next(index for index, size in enumerate(_COUNT_SIZES) if length <= 2**size)
        blocks.append(f"1{choice:02b}{length - 1:0{_COUNT_SIZES[choice]}b}{word}")
        count -= length
    return blocks

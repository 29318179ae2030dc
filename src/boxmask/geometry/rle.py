"""COCO's run-length encoding (RLE) of masks, in the form of pycocotools.

Lin et al. 2014 (COCO, arXiv:1405.0312). A mask's pixels are read column by column and stored as the lengths
of the runs of 0, 1, 0, 1 ... (its counts). Encoding and decoding touch only a mask's window, so a small
object in a large photo stays cheap. COCO files may also hold the counts as compressed text: see `decompress`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from boxmask.masks import Masks, Size

if TYPE_CHECKING:
    from jaxtyping import Bool, Int

_MAX_PIECES = 7  # five-bit pieces per number; longer numbers exceed any photo

# ---------------------------------------------------------------- counts


def encode(masks: Masks) -> list[Int[np.ndarray, " R"]]:
    """Return the counts of each mask over the whole photo; they sum to H * W."""
    corners = masks.windows[:, :2].tolist()
    return [_counts(crop, x, y, masks.size) for crop, (x, y) in zip(masks.crops(), corners, strict=True)]


def decode(counts: list[Int[np.ndarray, " R"]], size: Size) -> Masks:
    """Return the masks that the counts describe; empty counts give an unknown mask.

    Raises ValueError if counts are negative or do not sum to H * W.
    """
    columns = [_columns(np.asarray(runs, dtype=np.int64), size) for runs in counts]
    return Masks.from_crops([crop for crop, _ in columns], [(x, 0) for _, x in columns], size)


def _counts(crop: Bool[np.ndarray, "h w"], x: int, y: int, size: Size) -> Int[np.ndarray, " R"]:
    """Return the counts of one mask from its window at (x, y)."""
    height, width = size
    columns = np.zeros((crop.shape[1], crop.shape[0] + 1), dtype=np.bool_)  # a 0 ends the run of each column
    columns[:, :-1] = crop.T
    across, down = np.divmod(np.flatnonzero(np.diff(columns.ravel(), prepend=False)), columns.shape[1])
    changes = (x + across) * height + y + down
    # A run that reaches the photo's lower edge continues at the top of the next column.
    continued = np.flatnonzero(changes[2::2] == changes[1:-1:2])
    changes = np.delete(changes, np.concatenate([2 * continued + 1, 2 * continued + 2]))
    if len(changes) and changes[-1] == height * width:
        changes = changes[:-1]
    return np.diff(changes, prepend=0, append=height * width)


def _columns(counts: Int[np.ndarray, " R"], size: Size) -> tuple[Bool[np.ndarray, "H w"], int]:
    """Return the columns that contain the mask, and the index of the first."""
    height, width = size
    ends = np.cumsum(counts)
    if not len(counts):
        return np.zeros((height, 0), dtype=np.bool_), 0
    if (counts < 0).any() or ends[-1] != height * width:
        raise ValueError(f"run lengths: expected a sum of {height * width}, found {int(ends[-1])}")
    starts, stops = ends[: 2 * (len(ends) // 2) : 2], ends[1::2]
    filled = starts < stops
    if not filled.any():
        return np.zeros((height, 0), dtype=np.bool_), 0
    starts, stops = starts[filled], stops[filled]
    first, last = int(starts[0]) // height, (int(stops[-1]) - 1) // height
    steps = np.zeros((last + 1 - first) * height + 1, dtype=np.int8)
    np.add.at(steps, starts - first * height, 1)
    np.add.at(steps, stops - first * height, -1)
    pixels = np.cumsum(steps[:-1], dtype=np.int8).astype(np.bool_)
    return pixels.reshape(-1, height).T, first


# ---------------------------------------------------------------- compressed text


def compress(counts: Int[np.ndarray, " R"]) -> str:
    """Return the counts as COCO's compressed text, from which `decompress` reads them."""
    numbers = counts.astype(np.int64)
    numbers[3:] -= counts[1:-2]
    pieces = np.empty((len(numbers), _MAX_PIECES), dtype=np.int64)
    is_last = np.zeros_like(pieces, dtype=np.bool_)
    for place in range(_MAX_PIECES):
        piece, numbers = numbers & 31, numbers >> 5
        is_last[:, place] = np.where(piece & 16 > 0, numbers == -1, numbers == 0)
        pieces[:, place] = piece
    lengths = is_last.argmax(axis=1)[:, None]
    places = np.arange(_MAX_PIECES)
    letters = 48 + pieces + 32 * (places < lengths)
    return str(letters[places <= lengths].astype(np.uint8).tobytes(), "ascii")


def decompress(text: str | bytes) -> Int[np.ndarray, " R"]:
    """Return the counts that COCO's compressed text holds, whatever their sum.

    From the third one on, each count is stored as its difference from the count two before it. A number is
    split into pieces of five bits, lowest first; a sixth bit says whether another piece follows, and the last
    piece is signed. Each piece becomes the character chr(48 + piece).
    Raises ValueError if the text is malformed.
    """
    letters = text.encode() if isinstance(text, str) else text
    pieces = np.frombuffer(letters, dtype=np.uint8).astype(np.int64) - 48
    invalid = (pieces < 0) | (pieces > 63)
    if invalid.any():
        index = int(np.flatnonzero(invalid)[0])
        raise ValueError(f"run lengths: invalid character {text[index : index + 1]!r} at index {index}")
    last = np.flatnonzero(pieces & 32 == 0)
    if not len(pieces) or not len(last) or last[-1] != len(pieces) - 1:
        raise ValueError("run lengths: the text is empty or incomplete")
    first = np.concatenate([[0], last[:-1] + 1])
    lengths = last + 1 - first
    if lengths.max() > _MAX_PIECES:
        raise ValueError(f"run lengths: a number has {lengths.max()} characters, more than {_MAX_PIECES}")
    shifts = 5 * (np.arange(len(pieces)) - np.repeat(first, lengths))
    counts = np.add.reduceat((pieces & 31) << shifts, first)
    counts[pieces[last] & 16 > 0] -= 1 << (5 * lengths[pieces[last] & 16 > 0])
    counts[1::2] = np.cumsum(counts[1::2])
    counts[2::2] = np.cumsum(counts[2::2])
    return np.asarray(counts)


def decompress_all(texts: Sequence[bytes]) -> tuple[Int[np.ndarray, " R"], Int[np.ndarray, " N"]]:
    """Return the counts of N texts, one after the other, and the number of counts of each.

    The texts are not checked: they must be well-formed, and none may be empty.
    """
    if not texts:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    pieces = np.frombuffer(b"".join(texts), dtype=np.uint8).astype(np.int64) - 48
    last = np.flatnonzero(pieces & 32 == 0)
    first = np.concatenate([[0], last[:-1] + 1])
    lengths = last + 1 - first
    shifts = 5 * (np.arange(len(pieces)) - np.repeat(first, lengths))
    counts = np.add.reduceat((pieces & 31) << shifts, first)
    is_negative = pieces[last] & 16 > 0
    counts[is_negative] -= 1 << (5 * lengths[is_negative])
    ends = np.searchsorted(last, np.cumsum([len(text) for text in texts]))
    numbers = np.diff(ends, prepend=0)
    place = np.arange(len(counts)) - np.repeat(ends - numbers, numbers)
    for chain, size in ((place % 2 == 1, numbers // 2), ((place > 0) & (place % 2 == 0), (numbers - 1) // 2)):
        sums = np.cumsum(counts[chain])
        before = np.concatenate([[0], sums])[np.cumsum(size) - size]
        counts[chain] = sums - np.repeat(before, size)
    return counts, numbers

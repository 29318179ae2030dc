"""The text into which COCO packs run lengths: six bits a letter, larger numbers for larger changes.

Each count but the first three is written as its difference from the count two before it; a number is cut
into pieces of five bits, the lowest first, with a sixth bit that says whether another one follows. The last
piece is signed. A letter is chr(48 + piece). (The form of pycocotools, there called compressed.)
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

LONGEST = 7  # pieces of a number; more would not fit a photo of any size


def unpacked(text: str | bytes) -> Int[np.ndarray, " R"]:
    """The counts that a text stands for, whatever their sum. Raises ValueError for a text that holds none."""
    letters = text.encode() if isinstance(text, str) else text
    pieces = np.frombuffer(letters, dtype=np.uint8).astype(np.int64) - 48
    strange = (pieces < 0) | (pieces > 63)
    if strange.any():
        place = int(np.flatnonzero(strange)[0])
        raise ValueError(f"letter {place} of the run lengths is {text[place : place + 1]!r}")
    last = np.flatnonzero(pieces & 32 == 0)
    if not len(pieces) or not len(last) or last[-1] != len(pieces) - 1:
        raise ValueError("the text of the run lengths is empty or breaks off")
    first = np.concatenate([[0], last[:-1] + 1])
    lengths = last + 1 - first
    if lengths.max() > LONGEST:
        raise ValueError(f"the text of the run lengths has a number of {lengths.max()} letters")
    shifts = 5 * (np.arange(len(pieces)) - np.repeat(first, lengths))
    numbers = np.add.reduceat((pieces & 31) << shifts, first)
    numbers[pieces[last] & 16 > 0] -= 1 << (5 * lengths[pieces[last] & 16 > 0])
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])
    return np.asarray(numbers)

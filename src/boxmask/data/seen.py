"""Photos that a model has seen in training: metrics on them are too high."""

from __future__ import annotations

from typing import NamedTuple


class Seen(NamedTuple):
    """Where a model has seen a photo.

    run:   the training: its folder
    split: "train" or "val" of that training
    name:  of the photo in that training
    """

    run: str
    split: str
    name: str
